// The kernels for AVX-512 (F, BW, DQ, VL).

#include <immintrin.h>

#include "../abi.h"
#include "../body/inline.h"

namespace ostinato {
namespace avx512 {
namespace {

using Floats = __m512;
using Ints = __m512i;

// Two types, although both are __mmask16, so that choose() can tell them apart.
struct Mask {
    __mmask16 bits;
};

// Lanes of the end of a row: those that exist.
struct Rest {
    __mmask16 bits;
};

constexpr int LANES = 16;

// Sums that a tile keeps in registers: of thirty-two, eight are left for weights and inputs.
constexpr int TILE_SUMS = 24;

INLINE Floats load(const float* p) {
    return _mm512_loadu_ps(p);
}

INLINE void store(float* p, Floats v) {
    _mm512_storeu_ps(p, v);
}

INLINE Rest restOf(int64_t count) {
    return {static_cast<__mmask16>((1u << count) - 1)};
}

INLINE Floats load(const float* p, Rest rest) {
    return _mm512_maskz_loadu_ps(rest.bits, p);
}

INLINE void store(float* p, Floats v, Rest rest) {
    _mm512_mask_storeu_ps(p, rest.bits, v);
}

INLINE Floats choose(Rest rest, Floats inside, Floats outside) {
    return _mm512_mask_blend_ps(rest.bits, outside, inside);
}

INLINE Floats splat(float v) {
    return _mm512_set1_ps(v);
}

INLINE Ints splat(int32_t v) {
    return _mm512_set1_epi32(v);
}

INLINE Floats fma(Floats a, Floats b, Floats c) {
    return _mm512_fmadd_ps(a, b, c);
}

INLINE Floats squareRoot(Floats v) {
    return _mm512_maskz_sqrt_ps(0xffff, v);  // GCC 12 warns of the plain form's unset operand
}

INLINE Floats absolute(Floats v) {
    return _mm512_and_ps(v, _mm512_castsi512_ps(_mm512_set1_epi32(0x7fffffff)));
}

// a < b ? a : b, so b if either is NaN: this is what the instruction does.
INLINE Floats smaller(Floats a, Floats b) {
    return _mm512_min_ps(a, b);
}

// a > b ? a : b.
INLINE Floats larger(Floats a, Floats b) {
    return _mm512_max_ps(a, b);
}

INLINE Mask less(Floats a, Floats b) {
    return {_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ)};
}

INLINE Mask lessOrEqual(Floats a, Floats b) {
    return {_mm512_cmp_ps_mask(a, b, _CMP_LE_OQ)};
}

INLINE Mask equal(Floats a, Floats b) {
    return {_mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ)};
}

INLINE Floats choose(Mask mask, Floats yes, Floats no) {
    return _mm512_mask_blend_ps(mask.bits, no, yes);
}

// mask ? +0 : v.
INLINE Floats zeroWhere(Mask mask, Floats v) {
    return _mm512_maskz_mov_ps(_knot_mask16(mask.bits), v);
}

INLINE Ints bitsOf(Floats v) {
    return _mm512_castps_si512(v);
}

INLINE Floats floatsOf(Ints v) {
    return _mm512_castsi512_ps(v);
}

INLINE Ints add(Ints a, Ints b) {
    return _mm512_add_epi32(a, b);
}

INLINE Ints subtract(Ints a, Ints b) {
    return _mm512_sub_epi32(a, b);
}

INLINE Ints both(Ints a, Ints b) {
    return _mm512_and_si512(a, b);
}

INLINE Ints either(Ints a, Ints b) {
    return _mm512_or_si512(a, b);
}

template <int COUNT>
INLINE Ints shiftLeft(Ints v) {
    return _mm512_slli_epi32(v, COUNT);
}

template <int COUNT>
INLINE Ints shiftRight(Ints v) {
    return _mm512_srli_epi32(v, COUNT);
}

template <int COUNT>
INLINE Ints shiftRightSigned(Ints v) {
    return _mm512_srai_epi32(v, COUNT);
}

INLINE float firstLane(Floats v) {
    return _mm512_cvtss_f32(v);
}

#include "../body/kernels.inc"

}  // namespace
}  // namespace avx512

const Table AVX512_TABLE = {
#define KERNEL(result, name, ...) avx512::name,
#include "../kernels.def"
};

}  // namespace ostinato
