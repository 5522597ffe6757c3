package dev.ostinato.kernels;

/** The operations of {@link SliceKernels} that make one number of a vector: the partial results go from piece to piece. */
final class SliceReductions {
    private final KernelSet set;

    SliceReductions(KernelSet set) {
        this.set = set;
    }

    float sum(Slice x) {
        vector("x", x);
        try (Stage stage = Stage.elements(x, true)) {
            Partials partials = Partials.take(0f);
            while (stage.nextElements()) {
                set.partialSums(stage.a().readElements(x), partials.row());
            }
            return partials.sum();
        }
    }

    float max(Slice x) {
        vector("x", x);
        try (Stage stage = Stage.elements(x, true)) {
            Partials partials = Partials.take(Float.NEGATIVE_INFINITY);
            while (stage.nextElements()) {
                set.partialMaxima(stage.a().readElements(x), partials.row());
            }
            return partials.max();
        }
    }

    float min(Slice x) {
        vector("x", x);
        try (Stage stage = Stage.elements(x, true)) {
            Partials partials = Partials.take(Float.POSITIVE_INFINITY);
            while (stage.nextElements()) {
                set.partialMinima(stage.a().readElements(x), partials.row());
            }
            return partials.min();
        }
    }

    long argMax(Slice x) {
        float max = max(x);
        try (Stage stage = Stage.elements(x, true)) {
            while (stage.nextElements()) {
                Matrix piece = stage.a().readElements(x);
                for (int j = 0; j < piece.columns(); j++) {
                    if (piece.get(0, j) == max) {
                        return stage.firstElement() + j;
                    }
                }
            }
            return -1;
        }
    }

    float dot(Slice x, Slice y) {
        vector("x", x);
        vector("y", y);
        if (x.count() != y.count()) {
            throw new IllegalArgumentException("y: expected " + x.count() + " elements, got " + y.count());
        }
        try (Stage stage = Stage.elements(x, true)) {
            Partials partials = Partials.take(0f);
            while (stage.nextElements()) {
                set.partialDots(stage.a().readElements(x), stage.b().readElements(y), partials.row());
            }
            return partials.sum();
        }
    }

    float nrm2(Slice x) {
        float squares = dot(x, x);
        return Norm.inRange(squares) ? Norm.root(squares) : scaledNorm(x);
    }

    private static float scaledNorm(Slice x) {
        float largest = largest(x);
        if (largest == 0 || largest == Float.POSITIVE_INFINITY) {
            return largest;
        }
        int exponent = Norm.exponent(largest);
        try (Stage stage = Stage.elements(x, true)) {
            Partials partials = Partials.take(0f);
            while (stage.nextElements()) {
                Matrix piece = stage.a().readElements(x);
                Norm.addSquares(piece.address(), piece.columns(), exponent, partials);
            }
            return Norm.scaledRoot(partials.sum(), exponent);
        }
    }

    private static float largest(Slice x) {
        try (Stage stage = Stage.elements(x, true)) {
            float largest = 0;
            while (stage.nextElements()) {
                Matrix piece = stage.a().readElements(x);
                largest = Norm.largest(piece.address(), piece.columns(), largest);
            }
            return largest;
        }
    }

    private static void vector(String name, Slice x) {
        if (!x.flat()) {
            throw new IllegalArgumentException(
                    name + ": expected one row, or rows without a gap, got " + x.shape() + " at stride " + x.stride());
        }
        x.check(name, false);
    }
}
