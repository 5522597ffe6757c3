/**
 * What recurrent networks are used for, each task beside a baseline. Every class is a program; data that are not part of the JDK come from
 * the npm registry, are checked, and are kept in the user's cache. docs/tasks.md says what came out.
 */
@NullMarked
package dev.ostinato.examples.tasks;

import org.jspecify.annotations.NullMarked;
