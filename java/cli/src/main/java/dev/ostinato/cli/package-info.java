@org.jspecify.annotations.NullMarked
package dev.ostinato.cli;
