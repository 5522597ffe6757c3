/**
 * The oracle: plain loops with {@link Math#fma}, one float at a time, to be read beside the equations of
 * {@link dev.ostinato.kernels.KernelSet}. It is never unrolled or made clever; every other backend is compared with it bit by bit.
 */
@NullMarked
package dev.ostinato.kernels.scalar;

import org.jspecify.annotations.NullMarked;
