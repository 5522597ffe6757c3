#include <cpuid.h>

#include "isa.h"

namespace ostinato {

namespace {

// XCR0: the registers that the operating system saves.
constexpr uint32_t SAVES_YMM = 0x06;
constexpr uint32_t SAVES_ZMM = 0xe6;

struct Processor {
    uint32_t basic;     // CPUID 1, ECX
    uint32_t extended;  // CPUID 7.0, EBX
    uint32_t further;   // CPUID 7.0, ECX
    uint32_t saved;     // XCR0
};

uint32_t xcr0() {
    uint32_t low;
    uint32_t high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

Processor processor() {
    Processor p = {};
    uint32_t a;
    uint32_t b;
    uint32_t c;
    uint32_t d;
    if (__get_cpuid(1, &a, &b, &c, &d)) {
        p.basic = c;
    }
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
        p.extended = b;
        p.further = c;
    }
    if ((p.basic & bit_OSXSAVE) != 0) {
        p.saved = xcr0();
    }
    return p;
}

bool has(uint32_t word, uint32_t bits) {
    return (word & bits) == bits;
}

bool hasAvx2(const Processor& p) {
    return has(p.saved, SAVES_YMM) && has(p.basic, bit_AVX | bit_FMA) && has(p.extended, bit_AVX2);
}

bool hasAvx512(const Processor& p) {
    return hasAvx2(p) && has(p.saved, SAVES_ZMM) && has(p.extended, bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL);
}

}  // namespace

const Table* tableOf(int32_t isa) {
    const Processor p = processor();
    switch (isa) {
        case ISA_AVX2:
            return hasAvx2(p) ? &AVX2_TABLE : nullptr;
        case ISA_AVX512:
            return hasAvx512(p) ? &AVX512_TABLE : nullptr;
        case ISA_AVX512VNNI:
            return hasAvx512(p) && has(p.further, bit_AVX512VNNI) ? &AVX512VNNI_TABLE : nullptr;
        default:
            return nullptr;
    }
}

}  // namespace ostinato
