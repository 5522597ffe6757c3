// OSTINATO_NATIVE_ISA caps what is detected, and nothing else gets past it.

#include <stdio.h>
#include <string.h>

#include "isa.h"

using namespace ostinato;

int main(int, char** arguments) {
    const char* cap = arguments[1];
    const Isa detected = detectIsa();
    const Isa selected = selectIsa();
    Isa expected = ISA_UNKNOWN_CAP;
    if (strcmp(cap, "none") == 0 || strcmp(cap, "avx512") == 0) {
        expected = detected;
    } else if (strcmp(cap, "avx2") == 0) {
        expected = detected < ISA_AVX2 ? detected : ISA_AVX2;
    }
    printf("cap %s: detected %d, selected %d\n", cap, detected, selected);
    const bool hasTable = tableOf(selected) != nullptr;
    return selected == expected && hasTable == (selected > ISA_NONE) ? 0 : 1;
}
