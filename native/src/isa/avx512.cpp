// The kernels for AVX-512 (F, BW, DQ, VL).

#include <immintrin.h>

#include "../abi.h"
#include "../body/inline.h"

namespace ostinato {
namespace avx512 {
namespace {

#include "avx512.inc"

// Sums of bytes times signed bytes, four to a lane. Two at a time would saturate as bytes, so they are widened first: those of even
// places and those of odd ones, which costs the bytes nothing where several vectors of weights share them.
INLINE Ints dot4(Ints sum, Ints bytes, Ints weights) {
    const Ints evenBytes = _mm512_and_si512(bytes, _mm512_set1_epi16(0xff));
    const Ints oddBytes = _mm512_srli_epi16(bytes, 8);
    const Ints even = _mm512_madd_epi16(evenBytes, _mm512_srai_epi16(_mm512_slli_epi16(weights, 8), 8));
    const Ints odd = _mm512_madd_epi16(oddBytes, _mm512_srai_epi16(weights, 8));
    return _mm512_add_epi32(sum, _mm512_add_epi32(even, odd));
}

#include "../body/kernels.inc"

}  // namespace
}  // namespace avx512

const Table AVX512_TABLE = {
#define KERNEL(result, name, ...) avx512::name,
#include "../kernels.def"
};

}  // namespace ostinato
