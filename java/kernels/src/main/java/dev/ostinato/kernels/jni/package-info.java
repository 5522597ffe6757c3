/**
 * The backend in C++, called through JNI with raw addresses; its sources are in {@code native/}.
 *
 * <p>A call costs about ten nanoseconds: no arrays, no critical sections, nothing that delays a safepoint beyond the kernel's own time,
 * and nothing that can fail. The library is a resource of the artifact {@code ostinato-native}, or a file named by a system property.
 */
@NullMarked
package dev.ostinato.kernels.jni;

import org.jspecify.annotations.NullMarked;
