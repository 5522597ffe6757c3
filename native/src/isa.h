// The instruction sets that there are kernels for. A further one is an entry here, its kernels in isa/, its flags in CMakeLists.txt, its
// detection in isa_<architecture>.cpp, and an entry in dev.ostinato.kernels.jni.Isa.
#pragma once

#include "abi.h"

namespace ostinato {

// Within an architecture, a better one comes later.
enum Isa : int32_t { ISA_AVX2, ISA_AVX512, ISA_AVX512VNNI, ISA_NEON, ISA_COUNT };

constexpr const char* ISA_NAMES[ISA_COUNT] = {"avx2", "avx512", "avx512vnni", "neon"};

// Returns the kernels of an ISA. A null pointer if they are for another architecture, if the processor lacks the instructions, or if the
// operating system does not save their registers.
const Table* tableOf(int32_t isa);

}  // namespace ostinato
