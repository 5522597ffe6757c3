// An ISA is found if and only if Linux lists its features in /proc/cpuinfo.

#include <stdio.h>

#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "isa.h"

using namespace ostinato;

namespace {

struct Expected {
    Isa isa;
    std::vector<std::string> features;
};

const Expected EXPECTED[] = {
    {ISA_AVX2, {"avx", "avx2", "fma"}},
    {ISA_AVX512, {"avx", "avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl"}},
    {ISA_AVX512VNNI, {"avx", "avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni"}},
    {ISA_NEON, {"asimd"}},
};

std::set<std::string> featuresOfTheProcessor() {
#ifdef __aarch64__
    return {"asimd"};  // always; and an emulator may show the file of its host
#endif
    std::ifstream file("/proc/cpuinfo");
    std::string line;
    while (std::getline(file, line)) {
        if (line.starts_with("flags") || line.starts_with("Features")) {
            std::istringstream words(line.substr(line.find(':') + 1));
            return {std::istream_iterator<std::string>(words), {}};
        }
    }
    return {};
}

}  // namespace

int main() {
    static_assert(sizeof EXPECTED / sizeof EXPECTED[0] == ISA_COUNT);
    const std::set<std::string> features = featuresOfTheProcessor();
    int failures = features.empty();
    for (const Expected& expected : EXPECTED) {
        bool wanted = true;
        for (const std::string& feature : expected.features) {
            wanted = wanted && features.count(feature) > 0;
        }
        const bool found = tableOf(expected.isa) != nullptr;
        printf("%s: %s\n", ISA_NAMES[expected.isa], found ? "found" : "not found");
        if (found != wanted) {
            fprintf(stderr, "%s: expected %d\n", ISA_NAMES[expected.isa], wanted);
            failures++;
        }
    }
    for (int32_t isa : {-1, static_cast<int32_t>(ISA_COUNT)}) {
        failures += tableOf(isa) != nullptr;
    }
    return failures == 0 ? 0 : 1;
}
