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

    // Optimisers

    void adam(Slice w, Slice dw, Slice m, Slice v, AdamStep step) {
        w.check("w", true);
        updated("m", m, w, dw);
        updated("v", v, w, dw);
        SliceChecks.apart("v", v, "m", m);
        try (Stage stage = Stage.elements(w, w.flat() && dw.flat() && m.flat() && v.flat())) {
            while (stage.nextElements()) {
                kernels.adam(stage.a().readElements(w), stage.b().readElements(dw), stage.c().readElements(m),
                        stage.d().readElements(v), step);
                stage.a().writeElements(w);
                stage.c().writeElements(m);
                stage.d().writeElements(v);
            }
        }
    }

    void sgd(Slice w, Slice dw, Slice v, float gradientScale, float learningRate, float momentum) {
        w.check("w", true);
        updated("v", v, w, dw);
        try (Stage stage = Stage.elements(w, w.flat() && dw.flat() && v.flat())) {
            while (stage.nextElements()) {
                kernels.sgd(stage.a().readElements(w), stage.b().readElements(dw), stage.c().readElements(v),
                        gradientScale, learningRate, momentum);
                stage.a().writeElements(w);
                stage.c().writeElements(v);
            }
        }
    }

    /** Checks weights, their gradient and a moment, all of one shape and apart. */
    private static void updated(String name, Slice moment, Slice w, Slice dw) {
        SliceChecks.reads("dw", dw, w.rows(), w.columns());
        SliceChecks.writes(name, moment, w.rows(), w.columns());
        SliceChecks.apart("w", w, "dw", dw);
        SliceChecks.apart(name, moment, "w", w);
        SliceChecks.apart(name, moment, "dw", dw);
    }
}
