/**
 * The backend on the JDK's Vector API. This is the only package that imports {@code jdk.incubator.vector}.
 *
 * <p>What keeps it fast: one species, constant for the life of the virtual machine; one source of data, raw memory, so that every
 * kernel is monomorphic; accumulators in named local variables, never in arrays; no masks and no lane reductions inside loops
 * over k; small methods, because the compiler gives up on inlining in very large ones and an object per vector is what remains.
 */
@NullMarked
package dev.ostinato.kernels.vector;

import org.jspecify.annotations.NullMarked;
