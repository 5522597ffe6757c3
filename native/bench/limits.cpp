// What one core of this machine can do, to compare kernels with: its fma peak, and how fast it reads a buffer again and again. One JSON
// object a line; the best of many repetitions, because anything else is the machine doing something else.

#include <immintrin.h>
#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>

namespace {

// Independent sums: as many as hide the latency of an fma, four or five cycles at two a cycle.
constexpr int CHAINS = 12;
constexpr int REPETITIONS = 60;
constexpr double SECONDS_EACH = 0.01;

volatile float sink;

double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

__attribute__((target("avx512f"))) void multiply512(long rounds) {
    __m512 sums[CHAINS];
    for (__m512& sum : sums) {
        sum = _mm512_set1_ps(1.f);
    }
    const __m512 x = _mm512_set1_ps(0.999f);
    for (long i = 0; i < rounds; i++) {
#pragma GCC unroll 12
        for (int c = 0; c < CHAINS; c++) {
            sums[c] = _mm512_fmadd_ps(x, sums[c], x);
        }
    }
    for (int c = 1; c < CHAINS; c++) {
        sums[0] = _mm512_add_ps(sums[0], sums[c]);
    }
    sink = _mm512_cvtss_f32(sums[0]);
}

__attribute__((target("avx2,fma"))) void multiply256(long rounds) {
    __m256 sums[CHAINS];
    for (__m256& sum : sums) {
        sum = _mm256_set1_ps(1.f);
    }
    const __m256 x = _mm256_set1_ps(0.999f);
    for (long i = 0; i < rounds; i++) {
#pragma GCC unroll 12
        for (int c = 0; c < CHAINS; c++) {
            sums[c] = _mm256_fmadd_ps(x, sums[c], x);
        }
    }
    for (int c = 1; c < CHAINS; c++) {
        sums[0] = _mm256_add_ps(sums[0], sums[c]);
    }
    sink = _mm256_cvtss_f32(sums[0]);
}

__attribute__((target("avx512f"))) void read512(const float* data, long count) {
    __m512 sums[8];
    for (__m512& sum : sums) {
        sum = _mm512_setzero_ps();
    }
    const __m512 x = _mm512_set1_ps(0.999f);
    for (const float* end = data + count; data < end; data += 128) {
#pragma GCC unroll 8
        for (int c = 0; c < 8; c++) {
            sums[c] = _mm512_fmadd_ps(x, _mm512_load_ps(data + 16 * c), sums[c]);
        }
    }
    for (int c = 1; c < 8; c++) {
        sums[0] = _mm512_add_ps(sums[0], sums[c]);
    }
    sink = _mm512_cvtss_f32(sums[0]);
}

__attribute__((target("avx2,fma"))) void read256(const float* data, long count) {
    __m256 sums[8];
    for (__m256& sum : sums) {
        sum = _mm256_setzero_ps();
    }
    const __m256 x = _mm256_set1_ps(0.999f);
    for (const float* end = data + count; data < end; data += 64) {
#pragma GCC unroll 8
        for (int c = 0; c < 8; c++) {
            sums[c] = _mm256_fmadd_ps(x, _mm256_load_ps(data + 8 * c), sums[c]);
        }
    }
    for (int c = 1; c < 8; c++) {
        sums[0] = _mm256_add_ps(sums[0], sums[c]);
    }
    sink = _mm256_cvtss_f32(sums[0]);
}

// Seconds of one call, the best of REPETITIONS averages over many.
template <typename Call>
double best(Call call) {
    call();
    const double start = now();
    call();
    const long calls = std::max(1L, static_cast<long>(SECONDS_EACH / (now() - start + 1e-9)));
    double least = 1e9;
    for (int r = 0; r < REPETITIONS; r++) {
        const double from = now();
        for (long i = 0; i < calls; i++) {
            call();
        }
        least = std::min(least, (now() - from) / static_cast<double>(calls));
    }
    return least;
}

}  // namespace

int main() {
    const bool wide = __builtin_cpu_supports("avx512f");
    if (!wide && !(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))) {
        fprintf(stderr, "limits: needs a processor with AVX2 and FMA\n");
        return 1;
    }
    constexpr long ROUNDS = 100000;
    const double multiply = best([=] { wide ? multiply512(ROUNDS) : multiply256(ROUNDS); });
    printf("{\"kind\":\"limit\",\"what\":\"fma\",\"bits\":%d,\"gigaflops\":%.1f}\n", wide ? 512 : 256,
           2.0 * ROUNDS * CHAINS * (wide ? 16 : 8) / multiply / 1e9);
    for (long kilobytes : {32L, 128L, 512L, 1024L, 2048L, 4096L, 65536L}) {
        const long bytes = kilobytes * 1024;
        float* data = static_cast<float*>(aligned_alloc(64, static_cast<size_t>(bytes)));
        if (data == nullptr) {
            fprintf(stderr, "limits: no memory for %ld KB\n", kilobytes);
            return 1;
        }
        const long count = bytes / static_cast<long>(sizeof(float));
        std::fill(data, data + count, 1e-3f);
        const double seconds = best([=] { wide ? read512(data, count) : read256(data, count); });
        printf("{\"kind\":\"limit\",\"what\":\"read\",\"kilobytes\":%ld,\"gigabytes\":%.1f}\n", kilobytes,
               static_cast<double>(bytes) / seconds / 1e9);
        free(data);
    }
    return 0;
}
