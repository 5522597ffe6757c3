// Which ISA runs.
#pragma once

#include "abi.h"

namespace ostinato {

enum Isa : int32_t { ISA_UNKNOWN_CAP = -1, ISA_NONE = 0, ISA_AVX2 = 1, ISA_AVX512 = 2 };

// Returns the best ISA that the processor has and the operating system saves the registers of.
Isa detectIsa();

// Returns the detected ISA or, if that is less, the one named by the environment variable OSTINATO_NATIVE_ISA (avx2, avx512);
// ISA_UNKNOWN_CAP if the variable says anything else.
Isa selectIsa();

// Returns the kernels of an ISA, or a null pointer for one without.
const Table* tableOf(Isa isa);

}  // namespace ostinato
