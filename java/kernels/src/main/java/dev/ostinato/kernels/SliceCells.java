package dev.ostinato.kernels;

/** The cells of {@link SliceKernels}: some rows at a time, with each gate padded to whole blocks as kernels want it. */
final class SliceCells {
    private interface GruForward {
        void run(Matrix z, Matrix hPrevious, Matrix h);
    }

    private interface GruBackward {
        void run(Matrix z, Matrix hPrevious, Matrix gradient, Matrix dhPrevious);
    }

    private final Kernels kernels;
    // Kept, so that a call allocates nothing.
    private final GruForward gruForward;
    private final GruForward gruMixForward;
    private final GruBackward gruBackward;
    private final GruBackward gruMixBackward;
    private final GruBackward gruResetBackward;

    SliceCells(Kernels kernels) {
        this.kernels = kernels;
        this.gruForward = kernels::gruForward;
        this.gruMixForward = kernels::gruMixForward;
        this.gruBackward = kernels::gruBackward;
        this.gruMixBackward = kernels::gruMixBackward;
        this.gruResetBackward = kernels::gruResetBackward;
    }

    void rnnForward(Activation f, Slice z, Slice h) {
        SliceChecks.overwrites("z", z, "h", h);
        try (Stage stage = Stage.rows(z.rows(), z.columns())) {
            while (stage.nextRows()) {
                Matrix piece = stage.a().readGates(z, 1);
                kernels.rnnForward(f, piece, piece);
                stage.a().writeGates(h, 1);
            }
        }
    }

    void rnnBackward(Activation f, Slice h, Slice dh, Slice dz) {
        h.check("h", false);
        reads("dh", dh, h);
        writes("dz", dz, h);
        SliceChecks.apart("dz", dz, "h", h);
        SliceChecks.apart("dz", dz, "dh", dh);
        try (Stage stage = Stage.rows(h.rows(), h.columns())) {
            while (stage.nextRows()) {
                Matrix state = stage.a().readGates(h, 1);
                kernels.rnnBackward(f, state, stage.b().readGates(dh, 1), stage.c().viewRows(state.columns()));
                stage.c().writeGates(dz, 1);
            }
        }
    }

    void lstmForward(Slice z, Slice cPrevious, Slice c, Slice h) {
        gates(z, h);
        reads("cPrevious", cPrevious, h);
        writes("c", c, h);
        h.check("h", true);
        SliceChecks.apart("z", z, "cPrevious", cPrevious);
        SliceChecks.apart("z", z, "c", c);
        SliceChecks.apart("z", z, "h", h);
        SliceChecks.sameOrApart("c", c, "cPrevious", cPrevious);
        SliceChecks.apart("h", h, "cPrevious", cPrevious);
        SliceChecks.apart("h", h, "c", c);
        try (Stage stage = Stage.rows(z.rows(), z.columns())) {
            while (stage.nextRows()) {
                Matrix cell = stage.b().readGates(cPrevious, 1);
                kernels.lstmForward(stage.a().readGates(z, 4), cell, cell, stage.c().viewRows(cell.columns()));
                stage.a().writeGates(z, 4);
                stage.b().writeGates(c, 1);
                stage.c().writeGates(h, 1);
            }
        }
    }

    void lstmBackward(Slice z, Slice cPrevious, Slice c, Slice dh, Slice dc) {
        gates(z, c);
        reads("cPrevious", cPrevious, c);
        c.check("c", false);
        reads("dh", dh, c);
        writes("dc", dc, c);
        SliceChecks.apart("z", z, "cPrevious", cPrevious);
        SliceChecks.apart("z", z, "c", c);
        SliceChecks.apart("z", z, "dh", dh);
        SliceChecks.apart("z", z, "dc", dc);
        SliceChecks.apart("dc", dc, "cPrevious", cPrevious);
        SliceChecks.apart("dc", dc, "c", c);
        SliceChecks.apart("dc", dc, "dh", dh);
        try (Stage stage = Stage.rows(z.rows(), z.columns())) {
            while (stage.nextRows()) {
                kernels.lstmBackward(stage.a().readGates(z, 4), stage.b().readGates(cPrevious, 1),
                        stage.c().readGates(c, 1), stage.d().readGates(dh, 1), stage.e().readGates(dc, 1));
                stage.a().writeGates(z, 4);
                stage.e().writeGates(dc, 1);
            }
        }
    }

    void gruForward(Slice z, Slice hPrevious, Slice h) {
        gru(gruForward, z, hPrevious, h);
    }

    void gruBackward(Slice z, Slice hPrevious, Slice dh, Slice dhPrevious) {
        gru(gruBackward, z, hPrevious, "dh", dh, dhPrevious);
    }

    void gruResetForward(Slice z, Slice hPrevious) {
        gates(z, hPrevious);
        hPrevious.check("hPrevious", false);
        SliceChecks.apart("z", z, "hPrevious", hPrevious);
        try (Stage stage = Stage.rows(z.rows(), z.columns())) {
            while (stage.nextRows()) {
                kernels.gruResetForward(stage.a().readGates(z, 4), stage.b().readGates(hPrevious, 1));
                stage.a().writeGates(z, 4);
            }
        }
    }

    void gruMixForward(Slice z, Slice hPrevious, Slice h) {
        gru(gruMixForward, z, hPrevious, h);
    }

    void gruMixBackward(Slice z, Slice hPrevious, Slice dh, Slice dhPrevious) {
        gru(gruMixBackward, z, hPrevious, "dh", dh, dhPrevious);
    }

    void gruResetBackward(Slice z, Slice hPrevious, Slice ds, Slice dhPrevious) {
        gru(gruResetBackward, z, hPrevious, "ds", ds, dhPrevious);
    }

    /** Forward of a GRU: of all of it, or of what follows the reset. */
    private static void gru(GruForward kernel, Slice z, Slice hPrevious, Slice h) {
        gruArguments(z, hPrevious, h);
        try (Stage stage = Stage.rows(z.rows(), z.columns())) {
            while (stage.nextRows()) {
                Matrix state = stage.b().readGates(hPrevious, 1);
                kernel.run(stage.a().readGates(z, 4), state, state);
                stage.a().writeGates(z, 4);
                stage.b().writeGates(h, 1);
            }
        }
    }

    /** Backward of a GRU or of a part of it, from a gradient of this name. */
    private static void gru(GruBackward kernel, Slice z, Slice hPrevious, String name, Slice gradient,
            Slice dhPrevious) {
        gruBackwardArguments(z, hPrevious, name, gradient, dhPrevious);
        try (Stage stage = Stage.rows(z.rows(), z.columns())) {
            while (stage.nextRows()) {
                kernel.run(stage.a().readGates(z, 4), stage.b().readGates(hPrevious, 1),
                        stage.c().readGates(gradient, 1), stage.d().readGates(dhPrevious, 1));
                stage.a().writeGates(z, 4);
                stage.d().writeGates(dhPrevious, 1);
            }
        }
    }

    // Checks

    private static void gruArguments(Slice z, Slice hPrevious, Slice h) {
        gates(z, h);
        reads("hPrevious", hPrevious, h);
        h.check("h", true);
        SliceChecks.apart("z", z, "hPrevious", hPrevious);
        SliceChecks.apart("z", z, "h", h);
        SliceChecks.sameOrApart("h", h, "hPrevious", hPrevious);
    }

    private static void gruBackwardArguments(Slice z, Slice hPrevious, String name, Slice gradient,
            Slice dhPrevious) {
        gates(z, gradient);
        reads("hPrevious", hPrevious, gradient);
        gradient.check(name, false);
        writes("dhPrevious", dhPrevious, gradient);
        SliceChecks.apart("z", z, "hPrevious", hPrevious);
        SliceChecks.apart("z", z, name, gradient);
        SliceChecks.apart("z", z, "dhPrevious", dhPrevious);
        SliceChecks.apart("dhPrevious", dhPrevious, "hPrevious", hPrevious);
        SliceChecks.apart("dhPrevious", dhPrevious, name, gradient);
    }

    /** Checks rows of four gates that are read and written, for states of that shape. */
    private static void gates(Slice z, Slice states) {
        SliceChecks.writes("z", z, states.rows(), 4L * states.columns());
    }

    private static void reads(String name, Slice slice, Slice model) {
        SliceChecks.reads(name, slice, model.rows(), model.columns());
    }

    private static void writes(String name, Slice slice, Slice model) {
        SliceChecks.writes(name, slice, model.rows(), model.columns());
    }
}
