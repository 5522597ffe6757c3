/**
 * Unchecked memory access for the backends in Java.
 *
 * <p>Nothing here is exported: a wrong address is a crash, so only code behind the checks of
 * {@link dev.ostinato.kernels.Kernels} may hold one.
 */
@NullMarked
package dev.ostinato.kernels.raw;

import org.jspecify.annotations.NullMarked;
