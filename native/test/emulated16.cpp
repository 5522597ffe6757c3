// The kernels for sixteen lanes, on any processor with AVX2: the paths that the AVX-512 kernels take through their bodies, without its
// instructions. For tests alone.

#include "../src/abi.h"
#include "../src/body/inline.h"

namespace ostinato {
namespace emulated16 {
namespace {

using Floats = float __attribute__((vector_size(64)));
using Ints = int32_t __attribute__((vector_size(64)));

struct Mask {
    Ints bits;
};

struct Rest {
    int64_t count;
};

constexpr int LANES = 16;
constexpr int TILE_SUMS = 24;

INLINE Floats splat(float v) {
    return v - Floats{};
}

INLINE Ints splat(int32_t v) {
    return v - Ints{};
}

INLINE Floats load(const float* p, Rest rest) {
    Floats v = {};
    for (int i = 0; i < rest.count; i++) {
        v[i] = p[i];
    }
    return v;
}

INLINE void store(float* p, Floats v, Rest rest) {
    for (int i = 0; i < rest.count; i++) {
        p[i] = v[i];
    }
}

INLINE Floats load(const float* p) {
    Floats v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

INLINE void store(float* p, Floats v) {
    __builtin_memcpy(p, &v, sizeof v);
}

INLINE Rest restOf(int64_t count) {
    return {count};
}

INLINE Floats choose(Rest rest, Floats inside, Floats outside) {
    for (int i = 0; i < rest.count; i++) {
        outside[i] = inside[i];
    }
    return outside;
}

// Not inlined, sixteen lanes one by one in every tile would take a compiler minutes.
__attribute__((noinline)) Floats fma(Floats a, Floats b, Floats c) {
    for (int i = 0; i < LANES; i++) {
        c[i] = __builtin_fmaf(a[i], b[i], c[i]);
    }
    return c;
}

INLINE Floats squareRoot(Floats v) {
    for (int i = 0; i < LANES; i++) {
        v[i] = __builtin_sqrtf(v[i]);
    }
    return v;
}

INLINE Ints bitsOf(Floats v) {
    return reinterpret_cast<Ints>(v);
}

INLINE Floats floatsOf(Ints v) {
    return reinterpret_cast<Floats>(v);
}

INLINE Floats choose(Mask mask, Floats yes, Floats no) {
    return floatsOf((bitsOf(yes) & mask.bits) | (bitsOf(no) & ~mask.bits));
}

INLINE Mask less(Floats a, Floats b) {
    return {a < b};
}

INLINE Mask lessOrEqual(Floats a, Floats b) {
    return {a <= b};
}

INLINE Mask equal(Floats a, Floats b) {
    return {a == b};
}

INLINE Floats smaller(Floats a, Floats b) {
    return choose(less(a, b), a, b);
}

INLINE Floats larger(Floats a, Floats b) {
    return choose(less(b, a), a, b);
}

INLINE Floats zeroWhere(Mask mask, Floats v) {
    return floatsOf(bitsOf(v) & ~mask.bits);
}

INLINE Floats absolute(Floats v) {
    return floatsOf(bitsOf(v) & splat(INT32_MAX));
}

using Words = uint32_t __attribute__((vector_size(64)));

// Unsigned, because these wrap.
INLINE Ints kept(Ints v) {
    return v;
}

INLINE Ints add(Ints a, Ints b) {
    return reinterpret_cast<Ints>(reinterpret_cast<Words>(a) + reinterpret_cast<Words>(b));
}

INLINE Ints subtract(Ints a, Ints b) {
    return reinterpret_cast<Ints>(reinterpret_cast<Words>(a) - reinterpret_cast<Words>(b));
}

INLINE Ints both(Ints a, Ints b) {
    return a & b;
}

INLINE Ints either(Ints a, Ints b) {
    return a | b;
}

template <int COUNT>
INLINE Ints shiftLeft(Ints v) {
    return reinterpret_cast<Ints>(reinterpret_cast<Words>(v) << COUNT);
}

template <int COUNT>
INLINE Ints shiftRight(Ints v) {
    return reinterpret_cast<Ints>(reinterpret_cast<Words>(v) >> COUNT);
}

template <int COUNT>
INLINE Ints shiftRightSigned(Ints v) {
    return v >> COUNT;
}

INLINE void transpose(Floats (&v)[LANES]) {
    for (int i = 0; i < LANES; i++) {
        for (int j = 0; j < i; j++) {
            const float swapped = v[i][j];
            v[i][j] = v[j][i];
            v[j][i] = swapped;
        }
    }
}

INLINE float firstLane(Floats v) {
    return v[0];
}

INLINE Ints larger(Ints a, Ints b) {
    return a > b ? a : b;
}

INLINE Floats toFloats(Ints v) {
    return __builtin_convertvector(v, Floats);
}

INLINE void storeBytes(uint8_t* p, Ints v) {
    for (int i = 0; i < LANES; i++) {
        p[i] = static_cast<uint8_t>(v[i]);
    }
}

__attribute__((noinline)) Ints dot4(Ints sum, Ints bytes, Ints weights) {
    for (int byte = 0; byte < 4; byte++) {
        const Ints levels = reinterpret_cast<Ints>(reinterpret_cast<Words>(weights) << (24 - 8 * byte)) >> 24;
        sum = add(sum, ((bytes >> (8 * byte)) & 0xff) * levels);
    }
    return sum;
}

#include "../src/body/kernels.inc"

}  // namespace
}  // namespace emulated16

extern const Table EMULATED16_TABLE;

const Table EMULATED16_TABLE = {
#define KERNEL(result, name, ...) emulated16::name,
#include "../src/kernels.def"
};

}  // namespace ostinato
