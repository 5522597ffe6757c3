// The kernels for AArch64's Advanced SIMD, which every such processor has.

#include <arm_neon.h>

#include "../abi.h"
#include "../body/inline.h"

namespace ostinato {
namespace neon {
namespace {

using Floats = float32x4_t;
using Ints = int32x4_t;
using Mask = uint32x4_t;

// Lanes of the end of a row: how many exist, from one to three.
struct Rest {
    int64_t count;
};

constexpr int LANES = 4;

// Sums that a tile keeps in registers: of thirty-two, eight are left for weights and inputs.
constexpr int TILE_SUMS = 24;

INLINE Floats load(const float* p) {
    return vld1q_f32(p);
}

INLINE void store(float* p, Floats v) {
    vst1q_f32(p, v);
}

INLINE Rest restOf(int64_t count) {
    return {count};
}

// There are no masked loads and stores: lane by lane.
INLINE Floats load(const float* p, Rest rest) {
    Floats v = vld1q_lane_f32(p, vdupq_n_f32(0.f), 0);
    if (rest.count > 1) {
        v = vld1q_lane_f32(p + 1, v, 1);
    }
    if (rest.count > 2) {
        v = vld1q_lane_f32(p + 2, v, 2);
    }
    return v;
}

INLINE void store(float* p, Floats v, Rest rest) {
    vst1q_lane_f32(p, v, 0);
    if (rest.count > 1) {
        vst1q_lane_f32(p + 1, v, 1);
    }
    if (rest.count > 2) {
        vst1q_lane_f32(p + 2, v, 2);
    }
}

INLINE Floats choose(Mask mask, Floats yes, Floats no) {
    return vbslq_f32(mask, yes, no);
}

INLINE Floats choose(Rest rest, Floats inside, Floats outside) {
    const Ints lane = {0, 1, 2, 3};
    return choose(vcltq_s32(lane, vdupq_n_s32(static_cast<int32_t>(rest.count))), inside, outside);
}

INLINE Floats splat(float v) {
    return vdupq_n_f32(v);
}

INLINE Ints splat(int32_t v) {
    return vdupq_n_s32(v);
}

INLINE Floats fma(Floats a, Floats b, Floats c) {
    return vfmaq_f32(c, a, b);
}

INLINE Floats squareRoot(Floats v) {
    return vsqrtq_f32(v);
}

INLINE Floats absolute(Floats v) {
    return vabsq_f32(v);
}

INLINE Mask less(Floats a, Floats b) {
    return vcltq_f32(a, b);
}

INLINE Mask lessOrEqual(Floats a, Floats b) {
    return vcleq_f32(a, b);
}

INLINE Mask equal(Floats a, Floats b) {
    return vceqq_f32(a, b);
}

// a < b ? a : b, so b if either is NaN. The instruction for minima gives a NaN instead.
INLINE Floats smaller(Floats a, Floats b) {
    return choose(less(a, b), a, b);
}

// a > b ? a : b.
INLINE Floats larger(Floats a, Floats b) {
    return choose(less(b, a), a, b);
}

INLINE Ints bitsOf(Floats v) {
    return vreinterpretq_s32_f32(v);
}

INLINE Floats floatsOf(Ints v) {
    return vreinterpretq_f32_s32(v);
}

// mask ? +0 : v.
INLINE Floats zeroWhere(Mask mask, Floats v) {
    return floatsOf(vbicq_s32(bitsOf(v), vreinterpretq_s32_u32(mask)));
}

INLINE Ints kept(Ints v) {
    asm("" : "+w"(v));
    return v;
}

INLINE Ints add(Ints a, Ints b) {
    return vaddq_s32(a, b);
}

INLINE Ints subtract(Ints a, Ints b) {
    return vsubq_s32(a, b);
}

INLINE Ints both(Ints a, Ints b) {
    return vandq_s32(a, b);
}

INLINE Ints either(Ints a, Ints b) {
    return vorrq_s32(a, b);
}

template <int COUNT>
INLINE Ints shiftLeft(Ints v) {
    return vshlq_n_s32(v, COUNT);
}

template <int COUNT>
INLINE Ints shiftRight(Ints v) {
    return vreinterpretq_s32_u32(vshrq_n_u32(vreinterpretq_u32_s32(v), COUNT));
}

template <int COUNT>
INLINE Ints shiftRightSigned(Ints v) {
    return vshrq_n_s32(v, COUNT);
}

// Transposes a square of vectors.
INLINE void transpose(Floats (&v)[LANES]) {
    const float32x4x2_t low = vzipq_f32(v[0], v[2]);
    const float32x4x2_t high = vzipq_f32(v[1], v[3]);
    const float32x4x2_t first = vzipq_f32(low.val[0], high.val[0]);
    const float32x4x2_t second = vzipq_f32(low.val[1], high.val[1]);
    v[0] = first.val[0];
    v[1] = first.val[1];
    v[2] = second.val[0];
    v[3] = second.val[1];
}

INLINE float firstLane(Floats v) {
    return vgetq_lane_f32(v, 0);
}

INLINE Ints larger(Ints a, Ints b) {
    return vmaxq_s32(a, b);
}

INLINE Floats toFloats(Ints v) {
    return vcvtq_f32_s32(v);
}

// The low byte of each lane.
INLINE void storeBytes(uint8_t* p, Ints v) {
    const uint16x4_t halves = vmovn_u32(vreinterpretq_u32_s32(v));
    const uint8x8_t bytes = vmovn_u16(vcombine_u16(halves, halves));
    __builtin_memcpy(p, &bytes, LANES);
}

// Sums of bytes times signed bytes, four to a lane. A product fits 16 bits; pairs of them are added to 32.
INLINE Ints dot4(Ints sum, Ints bytes, Ints weights) {
    const uint8x16_t a = vreinterpretq_u8_s32(bytes);
    const int8x16_t w = vreinterpretq_s8_s32(weights);
    const int16x8_t low = vmulq_s16(vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(a))), vmovl_s8(vget_low_s8(w)));
    const int16x8_t high = vmulq_s16(vreinterpretq_s16_u16(vmovl_u8(vget_high_u8(a))), vmovl_s8(vget_high_s8(w)));
    return vaddq_s32(sum, vpaddq_s32(vpaddlq_s16(low), vpaddlq_s16(high)));
}

#include "../body/kernels.inc"

}  // namespace
}  // namespace neon

const Table NEON_TABLE = {
#define KERNEL(result, name, ...) neon::name,
#include "../kernels.def"
};

}  // namespace ostinato
