// What one core of this machine can do, to compare kernels with: its fma peak, and how fast it reads a buffer again and again; by the probes
// that dev.ostinato.kernels.Limits calls, too. One JSON object a line; the best of many repetitions, because anything else is the machine doing
// something else.

#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>

#include "isa.h"

namespace {

using namespace ostinato;

constexpr int REPETITIONS = 60;
constexpr double SECONDS_EACH = 0.01;

double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Seconds of one round, the best of REPETITIONS averages over many.
template <typename Call>
double best(Call call) {
    call(1);
    const double start = now();
    call(1);
    const int32_t rounds = static_cast<int32_t>(std::clamp(SECONDS_EACH / (now() - start + 1e-9), 1.0, 1e8));
    double least = 1e9;
    for (int r = 0; r < REPETITIONS; r++) {
        const double from = now();
        call(rounds);
        least = std::min(least, (now() - from) / rounds);
    }
    return least;
}

Matrix row(int32_t count) {
    float* data = static_cast<float*>(aligned_alloc(64, static_cast<size_t>(count) * sizeof(float)));
    if (data == nullptr) {
        fprintf(stderr, "limits: no memory for %d floats\n", count);
        exit(1);
    }
    std::fill(data, data + count, 1.f);
    return {data, count, 1, count};
}

}  // namespace

int main() {
    int32_t isa = ISA_COUNT - 1;
    while (isa >= 0 && tableOf(isa) == nullptr) {
        isa--;
    }
    if (isa < 0) {
        fprintf(stderr, "limits: there are no kernels for this processor\n");
        return 1;
    }
    const Table& kernels = *tableOf(isa);
    const Matrix chains = row(PRODUCT_FLOATS);
    const double multiply = best([&](int32_t rounds) { kernels.probeProducts(rounds, 0.999f, chains); });
    printf("{\"kind\":\"limit\",\"what\":\"fma\",\"isa\":\"%s\",\"gigaflops\":%.1f}\n", ISA_NAMES[isa],
           2.0 * PRODUCT_FLOATS / multiply / 1e9);
    const Matrix sums = row(BLOCK);
    for (int32_t kilobytes : {32, 128, 512, 1024, 2048, 4096, 65536}) {
        const Matrix data = row(kilobytes * 1024 / static_cast<int32_t>(sizeof(float)));
        const double seconds = best([&](int32_t rounds) { kernels.probeReads(rounds, data, sums); });
        printf("{\"kind\":\"limit\",\"what\":\"read\",\"kilobytes\":%d,\"gigabytes\":%.1f}\n", kilobytes,
               kilobytes * 1024.0 / seconds / 1e9);
        free(data.data);
    }
    free(sums.data);
    free(chains.data);
    return 0;
}
