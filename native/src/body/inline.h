#pragma once

// Internal linkage as well: every function of an ISA lives in an unnamed namespace.
#define INLINE inline __attribute__((always_inline))

// Loops over the registers of a tile: unrolled in full, or the sums would live in memory.
#define UNROLL _Pragma("GCC unroll 32")
