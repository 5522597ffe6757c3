/**
 * Kernels for recurrent networks: what every backend must compute, to the bit.
 *
 * <p>A guided tour, in the order in which one needs it:
 * <ul>
 * <li>{@link dev.ostinato.kernels.Memory}, {@link dev.ostinato.kernels.Matrix}, {@link dev.ostinato.kernels.Indices}: off-heap
 * data and views of it;
 * <li>{@link dev.ostinato.kernels.PackedMatrix}: weights in the order in which products read them;
 * <li>{@link dev.ostinato.kernels.Kernels}: the operations, checked; get one from {@link dev.ostinato.kernels.Backends};
 * <li>{@link dev.ostinato.kernels.Slice} and {@link dev.ostinato.kernels.SliceKernels}: the same for arrays and segments of the caller's;
 * <li>{@link dev.ostinato.kernels.KernelSet} and {@link dev.ostinato.kernels.Backend}: what a backend implements.
 * </ul>
 *
 * <h2>Symbols</h2>
 * T steps, B rows (streams), I inputs, H hidden units, G gates, K the length of a sum, V classes; Hp is H padded to a multiple
 * of {@link dev.ostinato.kernels.Matrix#BLOCK}. {@code x'} is the new x. A gradient is named {@code d} + name.
 *
 * <h2>One arithmetic</h2>
 * Every result is a fixed sequence of IEEE-754 operations, so that it has the same bits at any SIMD width, batch size, number of
 * threads and split of a sequence (a NaN equals any NaN).
 * <ul>
 * <li>A product is one accumulator per output: {@code acc = fma(a[k], w[k], acc)}, k ascending, starting from what is there.
 * Splitting is by output or by row, never by k.
 * <li>{@link dev.ostinato.kernels.KernelSet#gemm} is one accumulator per output too, starting from {@code beta * c}.
 * <li>A weight gradient is one accumulator per weight over the rows, last row first, so that going back through time in
 * chunks gives the same sum.
 * <li>A reduction (sum, maximum, norm) is sixteen strided partial results, element i going to partial {@code i mod 16}, then the
 * tree {@code p[i] = op(p[i], p[i + n/2])} for n = 16, 8, 4, 2.
 * <li>Elementwise functions are fixed sequences of fma, mul, add, sub, div, sqrt and integer shifts. Maxima and clamps compare and
 * select.
 * <li>Hidden states, cell states, their gradients and optimiser moments smaller than 2^-126 become +0: subnormals are slow on many
 * processors, and decay produces them.
 * </ul>
 */
@NullMarked
package dev.ostinato.kernels;

import org.jspecify.annotations.NullMarked;
