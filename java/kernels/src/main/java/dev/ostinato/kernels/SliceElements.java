package dev.ostinato.kernels;

/** The operations of {@link SliceKernels} that compute each element by itself: a few thousand elements at a time. */
final class SliceElements {
    private final Kernels kernels;

    SliceElements(Kernels kernels) {
        this.kernels = kernels;
    }

    void apply(Function f, Slice x, Slice y) {
        SliceChecks.overwrites("x", x, "y", y);
        try (Stage stage = Stage.elements(x, x.flat() && y.flat())) {
            while (stage.nextElements()) {
                Matrix piece = stage.a().readElements(x);
                kernels.apply(f, piece, piece);
                stage.a().writeElements(y);
            }
        }
    }

    void applyBackward(Function f, Slice v, Slice dy, Slice dx) {
        SliceChecks.overwrites("v", v, "dx", dx);
        SliceChecks.overwrites("dy", dy, "dx", dx);
        try (Stage stage = Stage.elements(v, v.flat() && dy.flat() && dx.flat())) {
            while (stage.nextElements()) {
                Matrix gradient = stage.b().readElements(dy);
                kernels.applyBackward(f, stage.a().readElements(v), gradient, gradient);
                stage.b().writeElements(dx);
            }
        }
    }

    void scale(Slice x, float factor) {
        x.check("x", true);
        try (Stage stage = Stage.elements(x, x.flat())) {
            while (stage.nextElements()) {
                kernels.scale(stage.a().readElements(x), factor);
                stage.a().writeElements(x);
            }
        }
    }

    void multiply(Slice x, Slice y) {
        SliceChecks.overwrites("y", y, "x", x);
        try (Stage stage = Stage.elements(x, x.flat() && y.flat())) {
            while (stage.nextElements()) {
                kernels.multiply(stage.a().readElements(x), stage.b().readElements(y));
                stage.a().writeElements(x);
            }
        }
    }

    void axpy(float alpha, Slice x, Slice y) {
        SliceChecks.overwrites("x", x, "y", y);
        try (Stage stage = Stage.elements(x, x.flat() && y.flat())) {
            while (stage.nextElements()) {
                kernels.axpy(alpha, stage.a().readElements(x), stage.b().readElements(y));
                stage.b().writeElements(y);
            }
        }
    }
}
