// The bridge to dev.ostinato.kernels.jni: one function per kernel, raw addresses and numbers, nothing that can fail.
//
// None of these functions calls into the virtual machine, so jni.h is not needed and the library builds without a JDK: on the platforms
// that have kernels, a jlong is an int64_t, a jint an int32_t, and JNIEnv and jclass are pointers.

#include "isa.h"

namespace {

using namespace ostinato;

float* floats(int64_t address) {
    return reinterpret_cast<float*>(address);
}

}  // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))
#define JAVA(name) Java_dev_ostinato_kernels_jni_NativeCalls_##name

// What Java passes for an argument, and the argument made of it.
#define PASSED(argument) PASSED_##argument
#define PASSED_MATRIX(name) int64_t name, int32_t name##Rows, int32_t name##Columns, int32_t name##Stride
#define PASSED_PACKED(name) \
    int64_t name, int64_t name##Second, int64_t name##Last, int32_t name##Inputs, int32_t name##Gates, int32_t name##Units
#define PASSED_WEIGHTS(name)                                                                                                         \
    int64_t name, int64_t name##Second, int64_t name##Last, int32_t name##Inputs, int32_t name##Gates, int32_t name##Units, \
        int64_t name##Scales, int64_t name##Offsets
#define PASSED_QUANTIZED(name) int64_t name, int64_t name##Scales, int32_t name##Rows, int32_t name##Columns, int32_t name##Stride
#define PASSED_INDICES(name) int64_t name, int32_t name##Length
#define PASSED_ACTIVATION(name) int32_t name##Kind, float name##Alpha, float name##Beta, float name##Clip
#define PASSED_INT(name) int32_t name
#define PASSED_FLOAT(name) float name

#define MADE(argument) MADE_##argument
#define MADE_MATRIX(name) \
    Matrix { floats(name), name##Stride, name##Rows, name##Columns }
#define MADE_PACKED(name)                                                                                           \
    Packed {                                                                                                        \
        floats(name), floats(name##Last), (name##Second - name) / static_cast<int64_t>(sizeof(float)), name##Inputs, \
            name##Gates, name##Units                                                                                \
    }
#define MADE_WEIGHTS(name) \
    Weights { MADE_PACKED(name), floats(name##Scales), floats(name##Offsets) }
#define MADE_QUANTIZED(name) \
    Quantized { reinterpret_cast<uint8_t*>(name), floats(name##Scales), name##Stride, name##Rows, name##Columns }
#define MADE_INDICES(name) \
    Indices { reinterpret_cast<const int32_t*>(name), name##Length }
#define MADE_ACTIVATION(name) \
    Activation { name##Kind, name##Alpha, name##Beta, name##Clip }
#define MADE_INT(name) name
#define MADE_FLOAT(name) name

EXPORT int32_t JAVA(abiVersion)(void*, void*) {
    return ABI_VERSION;
}

// The kernels of an ISA, as the first argument of every call of one; 0 if they cannot run here.
EXPORT int64_t JAVA(kernels)(void*, void*, int32_t isa) {
    return reinterpret_cast<int64_t>(tableOf(isa));
}

#define KERNEL(result, name, ...)                                                       \
    EXPORT result JAVA(name)(void*, void*, int64_t kernels, LIST(PASSED, __VA_ARGS__)) {  \
        return reinterpret_cast<const Table*>(kernels)->name(LIST(MADE, __VA_ARGS__));    \
    }
#include "kernels.def"
