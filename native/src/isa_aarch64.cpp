#include "isa.h"

namespace ostinato {

const Table* tableOf(int32_t isa) {
    return isa == ISA_NEON ? &NEON_TABLE : nullptr;
}

}  // namespace ostinato
