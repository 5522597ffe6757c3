// What the ISAs, the bridge and the tests share: plain data without functions. An inline function here would be compiled once per ISA
// and merged by the linker, and the copy it keeps might be one that the processor cannot run.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "list.h"

namespace ostinato {

// Changes with every change to kernels.def or to what its arguments are made of; Java refuses a library of another number.
constexpr int32_t ABI_VERSION = 11;

// Floats in a block, as in dev.ostinato.kernels.Matrix.
constexpr int BLOCK = 16;

// Blocks in a full panel of a packed matrix with one gate.
constexpr int PLAIN_BLOCKS = 4;

// Floats that gemm packs its operands into, as in dev.ostinato.kernels.jni.NativeKernels: 704 KB.
constexpr int GEMM_SCRATCH = 180224;

// What the probes go through at least, and at once, as in dev.ostinato.kernels.raw.Probe.
constexpr int READ_FLOATS = 256;
constexpr int PRODUCT_FLOATS = 192;

// Rows of floats, `stride` floats from one to the next.
struct Matrix {
    float* data;
    int64_t stride;
    int32_t rows;
    int32_t columns;
};

// Packed weights, as in dev.ostinato.kernels.PackedMatrix: [panel][input][block][16]. The last panel may be narrower, and then input 0
// of a view that leaves out the first inputs lies elsewhere in it than in the others; hence a pointer of its own.
struct Packed {
    float* first;         // input 0 in panel 0
    float* last;          // input 0 in the last panel
    int64_t panelStride;  // floats from a panel to the next, but for the last one
    int32_t inputs;
    int32_t gates;
    int32_t units;
};

// Bytes, each the level of a float plus 128, and the scale of each row, as in dev.ostinato.kernels.QuantizedRows.
struct Quantized {
    uint8_t* data;
    float* scales;
    int64_t stride;  // bytes from one row to the next, a multiple of 64
    int32_t rows;
    int32_t columns;
};

// Packed words of one float, two bfloat16 or four eight-bit weights each. Of the latter, as in dev.ostinato.kernels.Int8Matrix, each output has
// a scale, and a number by which a sum over bytes exceeds that over levels; of the others there are none.
struct Weights {
    Packed words;
    const float* scales;
    const float* offsets;  // ints; loaded as vectors are
};

struct Indices {
    const int32_t* data;
    int32_t length;
};

enum ActivationKind : int32_t {
    ACTIVATION_TANH,
    ACTIVATION_RELU,
    ACTIVATION_IDENTITY,
    ACTIVATION_SIGMOID,
    ACTIVATION_SOFTSIGN,
    ACTIVATION_SOFTPLUS,
    ACTIVATION_AFFINE,
    ACTIVATION_LEAKY_RELU,
    ACTIVATION_THRESHOLDED_RELU,
    ACTIVATION_SCALED_TANH,
    ACTIVATION_HARD_SIGMOID,
    ACTIVATION_ELU
};

// A function with its parameters, of a pre-activation within [-clip, clip]; see dev.ostinato.kernels.Activation.
struct Activation {
    int32_t kind;
    float alpha;
    float beta;
    float clip;
};

// Of weights, in the order of their bits.
enum Precision : int32_t { PRECISION_F32, PRECISION_BF16, PRECISION_INT8 };

enum Scaling : int32_t { SCALING_ROW, SCALING_UNIT };

enum Function : int32_t {
    FUNCTION_EXP,
    FUNCTION_LOG,
    FUNCTION_TANH,
    FUNCTION_SIGMOID,
    FUNCTION_SOFTPLUS,
    FUNCTION_ERF,
    FUNCTION_GELU,
    FUNCTION_SILU
};

// The kernels compiled for one ISA.
struct Table {
#define KERNEL(result, name, ...) result (*name)(LIST(TYPE, __VA_ARGS__));
#include "kernels.def"
};

extern const Table AVX2_TABLE;
extern const Table AVX512_TABLE;
extern const Table AVX512VNNI_TABLE;
extern const Table NEON_TABLE;

}  // namespace ostinato
