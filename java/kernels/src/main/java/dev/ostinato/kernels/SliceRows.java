package dev.ostinato.kernels;

/** The operations of {@link SliceKernels} on rows as a whole: distributions, layer norm, losses and tables. */
final class SliceRows {
    private final Kernels kernels;

    SliceRows(Kernels kernels) {
        this.kernels = kernels;
    }

    void softmax(Slice x, Slice y) {
        SliceChecks.overwrites("x", x, "y", y);
        try (Stage stage = Stage.rows(x.rows(), x.columns())) {
            while (stage.nextRows()) {
                Matrix piece = stage.a().readRows(x);
                kernels.softmax(piece, piece);
                stage.a().writeRows(y);
            }
        }
    }

    void logSoftmax(Slice x, Slice y) {
        SliceChecks.overwrites("x", x, "y", y);
        try (Stage stage = Stage.rows(x.rows(), x.columns())) {
            while (stage.nextRows()) {
                Matrix piece = stage.a().readRows(x);
                kernels.logSoftmax(piece, piece);
                stage.a().writeRows(y);
            }
        }
    }

    void columnSums(Slice x, Slice sums) {
        x.check("x", false);
        SliceChecks.writes("sums", sums, 1, x.columns());
        SliceChecks.apart("sums", sums, "x", x);
        try (Stage stage = Stage.rowsFromLast(x.rows(), x.columns())) {
            Matrix all = stage.b().readAll(sums);
            while (stage.previousRows()) {
                kernels.columnSums(stage.a().readRows(x), all);
            }
            stage.b().writeAll(sums);
        }
    }

    // Layer norm

    void layerNormForward(Slice x, Slice gain, Slice bias, float epsilon, Slice y, Slice statistics) {
        norm(x, gain);
        SliceChecks.reads("bias", bias, 1, x.columns());
        SliceChecks.overwrites("x", x, "y", y);
        SliceChecks.apart("y", y, "gain", gain);
        SliceChecks.apart("y", y, "bias", bias);
        SliceChecks.writes("statistics", statistics, x.rows(), 2);
        SliceChecks.apart("statistics", statistics, "x", x);
        SliceChecks.apart("statistics", statistics, "gain", gain);
        SliceChecks.apart("statistics", statistics, "bias", bias);
        SliceChecks.apart("statistics", statistics, "y", y);
        try (Stage stage = Stage.rows(x.rows(), x.columns())) {
            Matrix gains = stage.b().readAll(gain);
            Matrix biases = stage.c().readAll(bias);
            while (stage.nextRows()) {
                Matrix piece = stage.a().readRows(x);
                kernels.layerNormForward(piece, gains, biases, epsilon, piece, stage.d().viewRows(2));
                stage.a().writeRows(y);
                stage.d().writeRows(statistics);
            }
        }
    }

    void layerNormBackward(Slice x, Slice gain, Slice statistics, Slice dy, Slice dx, Slice dGain, Slice dBias) {
        norm(x, gain);
        SliceChecks.reads("statistics", statistics, x.rows(), 2);
        SliceChecks.shape("dy", dy, x.rows(), x.columns());
        SliceChecks.overwrites("x", x, "dx", dx);
        SliceChecks.overwrites("dy", dy, "dx", dx);
        SliceChecks.apart("dx", dx, "gain", gain);
        SliceChecks.apart("dx", dx, "statistics", statistics);
        normGradient("dGain", dGain, x, gain, statistics, dy, dx);
        normGradient("dBias", dBias, x, gain, statistics, dy, dx);
        SliceChecks.apart("dBias", dBias, "dGain", dGain);
        try (Stage stage = Stage.rowsFromLast(x.rows(), x.columns())) {
            Matrix gains = stage.b().readAll(gain);
            Matrix dGains = stage.e().readAll(dGain);
            Matrix dBiases = stage.f().readAll(dBias);
            while (stage.previousRows()) {
                Matrix gradient = stage.d().readRows(dy);
                kernels.layerNormBackward(stage.a().readRows(x), gains, stage.c().readRows(statistics), gradient,
                        gradient, dGains, dBiases);
                stage.d().writeRows(dx);
            }
            stage.e().writeAll(dGain);
            stage.f().writeAll(dBias);
        }
    }

    private static void norm(Slice x, Slice gain) {
        if (x.columns() == 0) {
            throw new IllegalArgumentException("x: expected at least 1 column, got " + x.shape());
        }
        SliceChecks.reads("gain", gain, 1, x.columns());
    }

    private static void normGradient(String name, Slice gradient, Slice x, Slice gain, Slice statistics, Slice dy,
            Slice dx) {
        SliceChecks.writes(name, gradient, 1, x.columns());
        SliceChecks.apart(name, gradient, "x", x);
        SliceChecks.apart(name, gradient, "gain", gain);
        SliceChecks.apart(name, gradient, "statistics", statistics);
        SliceChecks.apart(name, gradient, "dy", dy);
        SliceChecks.apart(name, gradient, "dx", dx);
    }

    // Losses

    void crossEntropyForward(Slice x, Indices targets, Slice losses) {
        x.check("x", true);
        losses("x", x, losses);
        Kernels.indices("targets", targets, x.rows(), x.columns());
        try (Stage stage = Stage.rows(x.rows(), x.columns())) {
            while (stage.nextRows()) {
                kernels.crossEntropyForward(stage.a().readRows(x), stage.indices(targets), stage.b().viewRows(1));
                stage.a().writeRows(x);
                stage.b().writeRows(losses);
            }
        }
    }

    void crossEntropyBackward(Slice p, Indices targets, float factor) {
        p.check("p", true);
        Kernels.indices("targets", targets, p.rows(), p.columns());
        try (Stage stage = Stage.rows(p.rows(), p.columns())) {
            while (stage.nextRows()) {
                kernels.crossEntropyBackward(stage.a().readRows(p), stage.indices(targets), factor);
                stage.a().writeRows(p);
            }
        }
    }

    void squaredError(Slice y, Slice target, Slice losses, float lossFactor, float gradientFactor) {
        y.check("y", true);
        SliceChecks.reads("target", target, y.rows(), y.columns());
        SliceChecks.apart("y", y, "target", target);
        losses("y", y, losses);
        SliceChecks.apart("losses", losses, "target", target);
        try (Stage stage = Stage.rows(y.rows(), y.columns())) {
            while (stage.nextRows()) {
                kernels.squaredError(stage.a().readRows(y), stage.b().readRows(target), stage.c().viewRows(1),
                        lossFactor, gradientFactor);
                stage.a().writeRows(y);
                stage.c().writeRows(losses);
            }
        }
    }

    private static void losses(String name, Slice rows, Slice losses) {
        SliceChecks.writes("losses", losses, rows.rows(), 1);
        SliceChecks.apart("losses", losses, name, rows);
    }

    // Tables: a row at a time, because any row may come next, and may come twice

    void gather(Slice table, Indices indices, Slice out) {
        SliceChecks.writes("out", out, indices.length(), table.columns());
        table.check("table", false);
        SliceChecks.apart("out", out, "table", table);
        Kernels.indices("indices", indices, out.rows(), table.rows());
        for (int r = 0; r < out.rows(); r++) {
            out.copyRow(r, table, indices.get(r));
        }
    }

    void scatterAdd(Slice x, Indices indices, Slice table) {
        SliceChecks.reads("x", x, indices.length(), table.columns());
        table.check("table", true);
        SliceChecks.apart("table", table, "x", x);
        Kernels.indices("indices", indices, x.rows(), table.rows());
        try (Stage stage = Stage.take()) {
            for (int r = x.rows() - 1; r >= 0; r--) {
                int to = indices.get(r);
                Matrix sums = stage.b().read(table, to, 1, 0, table.columns());
                // One times a float is that float, so the fma is an addition.
                kernels.axpy(1f, stage.a().read(x, r, 1, 0, x.columns()), sums);
                stage.b().write(table, to, 0);
            }
        }
    }
}
