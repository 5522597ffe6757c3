/** Worked examples, small enough to read at once. The README shows the parts between the markers. */
@NullMarked
package dev.ostinato.examples;

import org.jspecify.annotations.NullMarked;
