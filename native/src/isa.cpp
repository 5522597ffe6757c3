#include "isa.h"

#include <cpuid.h>
#include <stdlib.h>
#include <string.h>

namespace ostinato {

namespace {

constexpr const char* CAP = "OSTINATO_NATIVE_ISA";

// XCR0: the registers that the operating system saves.
constexpr uint32_t SAVES_YMM = 0x06;
constexpr uint32_t SAVES_ZMM = 0xe6;

uint32_t xcr0() {
    uint32_t low;
    uint32_t high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

bool has(uint32_t word, uint32_t bits) {
    return (word & bits) == bits;
}

}  // namespace

Isa detectIsa() {
    uint32_t a;
    uint32_t b;
    uint32_t c;
    uint32_t d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !has(c, bit_OSXSAVE | bit_AVX | bit_FMA)) {
        return ISA_NONE;
    }
    const uint32_t saved = xcr0();
    if (!has(saved, SAVES_YMM) || !__get_cpuid_count(7, 0, &a, &b, &c, &d) || !has(b, bit_AVX2)) {
        return ISA_NONE;
    }
    const bool wide = has(saved, SAVES_ZMM) && has(b, bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL);
    return wide ? ISA_AVX512 : ISA_AVX2;
}

Isa selectIsa() {
    const Isa detected = detectIsa();
    const char* cap = getenv(CAP);
    if (cap == nullptr || *cap == 0) {
        return detected;
    }
    if (strcmp(cap, "avx512") == 0) {
        return detected;
    }
    if (strcmp(cap, "avx2") == 0) {
        return detected == ISA_NONE ? ISA_NONE : ISA_AVX2;
    }
    return ISA_UNKNOWN_CAP;
}

const Table* tableOf(Isa isa) {
    switch (isa) {
        case ISA_AVX2:
            return &AVX2_TABLE;
        case ISA_AVX512:
            return &AVX512_TABLE;
        default:
            return nullptr;
    }
}

}  // namespace ostinato
