// The kernels for AVX2 with FMA.

#include <immintrin.h>

#include "../abi.h"
#include "../body/inline.h"

namespace ostinato {
namespace avx2 {
namespace {

using Floats = __m256;
using Ints = __m256i;
using Mask = __m256;

// Lanes of the end of a row: those that exist.
using Rest = __m256i;

constexpr int LANES = 8;

// Sums that a tile keeps in registers: of sixteen, four are left for weights and inputs.
constexpr int TILE_SUMS = 12;

INLINE Floats load(const float* p) {
    return _mm256_loadu_ps(p);
}

INLINE void store(float* p, Floats v) {
    _mm256_storeu_ps(p, v);
}

INLINE Rest restOf(int64_t count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int32_t>(count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

INLINE Floats load(const float* p, Rest rest) {
    return _mm256_maskload_ps(p, rest);
}

INLINE void store(float* p, Floats v, Rest rest) {
    _mm256_maskstore_ps(p, rest, v);
}

INLINE Floats choose(Rest rest, Floats inside, Floats outside) {
    return _mm256_blendv_ps(outside, inside, _mm256_castsi256_ps(rest));
}

INLINE Floats splat(float v) {
    return _mm256_set1_ps(v);
}

INLINE Ints splat(int32_t v) {
    return _mm256_set1_epi32(v);
}

INLINE Floats fma(Floats a, Floats b, Floats c) {
    return _mm256_fmadd_ps(a, b, c);
}

INLINE Floats squareRoot(Floats v) {
    return _mm256_sqrt_ps(v);
}

INLINE Floats absolute(Floats v) {
    return _mm256_and_ps(v, _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff)));
}

// a < b ? a : b, so b if either is NaN: this is what the instruction does.
INLINE Floats smaller(Floats a, Floats b) {
    return _mm256_min_ps(a, b);
}

// a > b ? a : b.
INLINE Floats larger(Floats a, Floats b) {
    return _mm256_max_ps(a, b);
}

INLINE Mask less(Floats a, Floats b) {
    return _mm256_cmp_ps(a, b, _CMP_LT_OQ);
}

INLINE Mask lessOrEqual(Floats a, Floats b) {
    return _mm256_cmp_ps(a, b, _CMP_LE_OQ);
}

INLINE Mask equal(Floats a, Floats b) {
    return _mm256_cmp_ps(a, b, _CMP_EQ_OQ);
}

INLINE Floats choose(Mask mask, Floats yes, Floats no) {
    return _mm256_blendv_ps(no, yes, mask);
}

// mask ? +0 : v.
INLINE Floats zeroWhere(Mask mask, Floats v) {
    return _mm256_andnot_ps(mask, v);
}

INLINE Ints bitsOf(Floats v) {
    return _mm256_castps_si256(v);
}

INLINE Floats floatsOf(Ints v) {
    return _mm256_castsi256_ps(v);
}

// v in a register, where the compiler would rather load it again for each of its uses.
INLINE Ints kept(Ints v) {
    asm("" : "+x"(v));
    return v;
}

INLINE Ints add(Ints a, Ints b) {
    return _mm256_add_epi32(a, b);
}

INLINE Ints subtract(Ints a, Ints b) {
    return _mm256_sub_epi32(a, b);
}

INLINE Ints both(Ints a, Ints b) {
    return _mm256_and_si256(a, b);
}

INLINE Ints either(Ints a, Ints b) {
    return _mm256_or_si256(a, b);
}

template <int COUNT>
INLINE Ints shiftLeft(Ints v) {
    return _mm256_slli_epi32(v, COUNT);
}

template <int COUNT>
INLINE Ints shiftRight(Ints v) {
    return _mm256_srli_epi32(v, COUNT);
}

template <int COUNT>
INLINE Ints shiftRightSigned(Ints v) {
    return _mm256_srai_epi32(v, COUNT);
}

// Transposes a square of vectors: squares of four within 128 bits, then those squares.
INLINE void transpose(Floats (&v)[LANES]) {
    Floats fours[LANES];
    UNROLL
    for (int i = 0; i < LANES; i += 4) {
        const __m256d low01 = _mm256_castps_pd(_mm256_unpacklo_ps(v[i], v[i + 1]));
        const __m256d low23 = _mm256_castps_pd(_mm256_unpacklo_ps(v[i + 2], v[i + 3]));
        const __m256d high01 = _mm256_castps_pd(_mm256_unpackhi_ps(v[i], v[i + 1]));
        const __m256d high23 = _mm256_castps_pd(_mm256_unpackhi_ps(v[i + 2], v[i + 3]));
        fours[i] = _mm256_castpd_ps(_mm256_unpacklo_pd(low01, low23));
        fours[i + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(low01, low23));
        fours[i + 2] = _mm256_castpd_ps(_mm256_unpacklo_pd(high01, high23));
        fours[i + 3] = _mm256_castpd_ps(_mm256_unpackhi_pd(high01, high23));
    }
    UNROLL
    for (int i = 0; i < 4; i++) {
        v[i] = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x20);
        v[i + 4] = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x31);
    }
}

INLINE float firstLane(Floats v) {
    return _mm256_cvtss_f32(v);
}

INLINE Ints larger(Ints a, Ints b) {
    return _mm256_max_epi32(a, b);
}

INLINE Floats toFloats(Ints v) {
    return _mm256_cvtepi32_ps(v);
}

// The low byte of each lane.
INLINE void storeBytes(uint8_t* p, Ints v) {
    const Ints low = _mm256_shuffle_epi8(v, _mm256_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
                                                             0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1));
    const __m128i both = _mm_unpacklo_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), both);
}

// Sums of bytes times signed bytes, four to a lane. Two at a time would saturate as bytes, so they are widened first: those of even
// places and those of odd ones, which costs the bytes nothing where several vectors of weights share them.
INLINE Ints dot4(Ints sum, Ints bytes, Ints weights) {
    const Ints evenBytes = _mm256_and_si256(bytes, _mm256_set1_epi16(0xff));
    const Ints oddBytes = _mm256_srli_epi16(bytes, 8);
    const Ints even = _mm256_madd_epi16(evenBytes, _mm256_srai_epi16(_mm256_slli_epi16(weights, 8), 8));
    const Ints odd = _mm256_madd_epi16(oddBytes, _mm256_srai_epi16(weights, 8));
    return _mm256_add_epi32(sum, _mm256_add_epi32(even, odd));
}

#include "../body/kernels.inc"

}  // namespace
}  // namespace avx2

const Table AVX2_TABLE = {
#define KERNEL(result, name, ...) avx2::name,
#include "../kernels.def"
};

}  // namespace ostinato
