/**
 * Backends that leave the products to a BLAS library: {@link dev.ostinato.openblas.OpenBlasBackend} to the OpenBLAS of the artifact
 * {@code org.bytedeco:openblas}, through JNI, and {@link dev.ostinato.openblas.SystemBlasBackend} to a library of the system, through
 * JNA. What is not a product of matrices is computed by the fastest backend of our own.
 *
 * <p>A BLAS orders its sums as it likes, so these backends are the only ones that do not have the bits of the others. They are held
 * to the error bound that any order keeps: {@code |error| <= (K + 4) * 2^-24 * sum of |a| |w|}, with what is accumulated into counted
 * as a term. {@code auto} never picks them; they are there to be asked for by name, and to be compared with.
 *
 * <p>Nothing is loaded before a backend is asked for its status, its description or its kernels.
 *
 * <h2>Threads</h2>
 * A call uses as many threads as the system property {@code ostinato.blas.threads} says when the library is loaded; unless it is set, one,
 * and then OpenBLAS has no threads of its own. A trainer's threads each make their own calls, so the two numbers multiply: leave
 * one of them at 1. JavaCPP starts a Java thread that sleeps until a buffer of its own is to be freed, of which there are none here.
 *
 * <h2>Platforms</h2>
 * The native libraries come from artifacts with a classifier, one platform each. The build takes {@code linux-x86_64}; another with
 * {@code -Djavacpp.platform=macosx-arm64}, and a project that depends on this one adds {@code org.bytedeco:javacpp} and
 * {@code org.bytedeco:openblas} with the classifiers it wants.
 */
@NullMarked
package dev.ostinato.openblas;

import org.jspecify.annotations.NullMarked;
