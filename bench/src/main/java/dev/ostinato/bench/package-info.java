/**
 * Measurements. {@code *Benchmark} classes are run by JMH; {@link dev.ostinato.bench.TrainingRate} is one side of a run beside another
 * engine. All data is seeded, and every benchmark compares its answers with the scalar backend before it measures. The
 * engines that Ostinato is compared with inside the JVM are in {@code src/peers}, which only the profile {@code peers} compiles.
 */
@NullMarked
package dev.ostinato.bench;

import org.jspecify.annotations.NullMarked;
