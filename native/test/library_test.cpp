// The library loads, and exports a function for each kernel under the name that Java looks for.

#include <dlfcn.h>
#include <stdio.h>

#include <string>

#include "abi.h"

namespace {

constexpr const char* NAMES[] = {
#define KERNEL(result, name, ...) #name,
#include "kernels.def"
    "abiVersion",
    "kernels",
};

}  // namespace

int main(int, char** arguments) {
    void* library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    int missing = 0;
    for (const char* name : NAMES) {
        const std::string symbol = std::string("Java_dev_ostinato_kernels_jni_NativeCalls_") + name;
        if (dlsym(library, symbol.c_str()) == nullptr) {
            fprintf(stderr, "missing: %s\n", symbol.c_str());
            missing++;
        }
    }
    auto* version = reinterpret_cast<int32_t (*)(void*, void*)>(dlsym(library, "Java_dev_ostinato_kernels_jni_NativeCalls_abiVersion"));
    if (missing == 0 && version(nullptr, nullptr) != ostinato::ABI_VERSION) {
        fprintf(stderr, "another ABI version than in abi.h\n");
        missing++;
    }
    return missing == 0 ? 0 : 1;
}
