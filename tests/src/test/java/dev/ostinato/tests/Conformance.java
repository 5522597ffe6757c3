package dev.ostinato.tests;

import dev.ostinato.kernels.Backend;
import dev.ostinato.kernels.Backends;
import dev.ostinato.kernels.KernelSet;
import dev.ostinato.kernels.Kernels;
import java.util.ArrayList;
import java.util.List;

/** Compares kernels with the scalar backend, bit by bit. */
final class Conformance {
    /** Seed of what must be equal whatever the values are: another in every run; {@code -Dostinato.tests.seed} repeats one. */
    static final long SEED = Long.getLong("ostinato.tests.seed", System.nanoTime());
    /**
     * Seed of what is compared within a bound, or has to be out of it: one in many draws is an exception to either, by chance and
     * not by fault, so that every run has the same; {@code -Dostinato.tests.seed} tries others.
     */
    static final long BOUNDED_SEED = Long.getLong("ostinato.tests.seed", 1);

    /** Differences that say enough. */
    private static final int MOST = 20;

    private Conformance() {
    }

    /** One call, or a few, of checked kernels on operands that it asks for. */
    @FunctionalInterface
    interface Operation {
        void run(Kernels kernels, Operands operands);
    }

    /** A call at certain sizes. */
    record Case(String name, Operation operation) {}

    static Backend scalar() {
        return Backends.kernels("scalar").backend();
    }

    /** Returns kernels that are no backend as the checked kernels of one. */
    static Kernels checked(KernelSet kernels) {
        return Kernels.of(new Backend() {
            @Override
            public String name() {
                return "tested";
            }

            @Override
            public String description() {
                return "kernels under test";
            }

            @Override
            public Status status() {
                return Status.AVAILABLE;
            }

            @Override
            public KernelSet kernels() {
                return kernels;
            }
        });
    }

    /** Returns the first differences over all cases and all kinds of inputs, of all that are compared. */
    static List<String> differences(Kernels expected, List<Kernels> actual, List<Case> cases) {
        List<String> found = new ArrayList<>();
        for (Case c : cases) {
            for (Inputs inputs : Inputs.values()) {
                found.addAll(differences(expected, c.operation(), actual, c.operation(), c.name(), inputs));
            }
            if (found.size() >= MOST) {
                return found.subList(0, MOST);
            }
        }
        return found;
    }

    /** The same for one. */
    static List<String> differences(Kernels expected, Kernels actual, List<Case> cases) {
        return differences(expected, List.of(actual), cases);
    }

    /** Returns the differences of one case, each with its place and both values. */
    static List<String> differences(Kernels expected, Kernels actual, Case c, Inputs inputs) {
        return differences(expected, c.operation(), List.of(actual), c.operation(), c.name(), inputs);
    }

    /** Returns the differences between two operations that ask for the same operands in the same order. */
    static List<String> differences(Kernels expected, Operation whole, List<Kernels> actual, Operation parts,
            String name, Inputs inputs) {
        Operands wanted = new Operands(inputs, SEED, name);
        whole.run(expected, wanted);
        List<String> found = new ArrayList<>();
        for (Kernels kernels : actual) {
            Operands got = wanted.again();
            parts.run(kernels, got);
            wanted.differences(got).forEach(text -> found
                    .add(kernels.backend().name() + ", " + name + ", " + inputs + ": " + text));
        }
        return found;
    }
}
