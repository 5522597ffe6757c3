// The kernels for AVX-512 with VNNI.

#include <immintrin.h>

#include "../abi.h"
#include "../body/inline.h"

namespace ostinato {
namespace avx512vnni {
namespace {

#include "avx512.inc"

// Sums of bytes times signed bytes, four to a lane; the form that wraps, not the one that saturates. As assembly, because GCC 12 copies
// the accumulators of the intrinsic.
INLINE Ints dot4(Ints sum, Ints bytes, Ints weights) {
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(bytes), "vm"(weights));
    return sum;
}

#include "../body/kernels.inc"

}  // namespace
}  // namespace avx512vnni

const Table AVX512VNNI_TABLE = {
#define KERNEL(result, name, ...) avx512vnni::name,
#include "../kernels.def"
};

}  // namespace ostinato
