package dev.ostinato.kernels.scalar;

import dev.ostinato.kernels.Activation;
import dev.ostinato.kernels.GruVariant;
import dev.ostinato.kernels.LstmVariant;
import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.raw.Raw;

/** The cells' elementwise parts, unit by unit. */
final class ScalarCells {
    private ScalarCells() {
    }

    static void rnnForward(Activation f, Matrix z, Matrix h) {
        for (int r = 0; r < h.rows(); r++) {
            for (int j = 0; j < h.columns(); j++) {
                set(h, r, j, Elementary.flush(ScalarActivations.of(f, get(z, r, j))));
            }
        }
    }

    static void rnnBackward(Activation f, Matrix h, Matrix dh, Matrix dz) {
        for (int r = 0; r < h.rows(); r++) {
            for (int j = 0; j < h.columns(); j++) {
                set(dz, r, j, Elementary.flush(get(dh, r, j)) * ScalarActivations.slope(f, get(h, r, j)));
            }
        }
    }

    static void lstmForward(LstmVariant v, Matrix peepholes, Matrix z, Matrix cPrevious, Matrix c, Matrix h) {
        int units = h.columns();
        for (int r = 0; r < h.rows(); r++) {
            for (int j = 0; j < units; j++) {
                float before = get(cPrevious, r, j);
                int slot = 0;
                float i = gate(v, peepholes, 0, j, before, get(z, r, j));
                set(z, r, j, i);
                float f = 1f - i;
                if (v.forget() == LstmVariant.Forget.GATE) {
                    slot += units;
                    f = gate(v, peepholes, 1, j, before, get(z, r, slot + j));
                    set(z, r, slot + j, f);
                }
                slot += units;
                float g = ScalarActivations.of(v.candidate(), get(z, r, slot + j));
                set(z, r, slot + j, g);
                float cell = cell(v, i, f, g, before);
                set(c, r, j, cell);
                slot += units;
                float o = gate(v, peepholes, peepholes.rows() - 1, j, cell, get(z, r, slot + j));
                set(z, r, slot + j, o);
                set(h, r, j, Elementary.flush(o * ScalarActivations.of(v.output(), cell)));
            }
        }
    }

    /** A gate that sees a cell state through a row of peepholes, if there are any. */
    static float gate(LstmVariant v, Matrix peepholes, int row, int unit, float cell, float z) {
        return ScalarActivations.of(v.gates(),
                peepholes.rows() == 0 ? z : Math.fma(get(peepholes, row, unit), cell, z));
    }

    static float cell(LstmVariant v, float i, float f, float g, float cPrevious) {
        return ScalarActivations.clip(Elementary.flush(Math.fma(f, cPrevious, i * g)), v.cellClip());
    }

    static void lstmBackward(LstmVariant v, Matrix peepholes, Matrix z, Matrix cPrevious, Matrix c, Matrix dh,
            Matrix dc) {
        int units = c.columns();
        boolean coupled = v.forget() == LstmVariant.Forget.COUPLED;
        boolean seeing = peepholes.rows() > 0;
        int forget = coupled ? 0 : units;
        int candidate = forget + units;
        int output = candidate + units;
        for (int r = 0; r < c.rows(); r++) {
            for (int j = 0; j < units; j++) {
                float before = get(cPrevious, r, j);
                float i = get(z, r, j);
                float f = coupled ? 1f - i : get(z, r, forget + j);
                float g = get(z, r, candidate + j);
                float o = get(z, r, output + j);
                float t = ScalarActivations.of(v.output(), get(c, r, j));
                float dOut = Elementary.flush(get(dh, r, j));
                float dO = (dOut * t) * ScalarActivations.slope(v.gates(), o);
                float dCell = Math.fma(dOut * o, ScalarActivations.slope(v.output(), t), get(dc, r, j));
                if (seeing) {
                    dCell = Math.fma(dO, get(peepholes, peepholes.rows() - 1, j), dCell);
                }
                dCell = Elementary.flush(dCell);
                if (Float.isFinite(v.cellClip()) && Math.abs(get(c, r, j)) >= v.cellClip()) {
                    dCell = 0f;
                }
                float dI = (dCell * (coupled ? g - before : g)) * ScalarActivations.slope(v.gates(), i);
                float dPrevious = dCell * f;
                if (seeing) {
                    dPrevious = Math.fma(dI, get(peepholes, 0, j), dPrevious);
                }
                if (!coupled) {
                    float dF = (dCell * before) * ScalarActivations.slope(v.gates(), f);
                    if (seeing) {
                        dPrevious = Math.fma(dF, get(peepholes, 1, j), dPrevious);
                    }
                    set(z, r, forget + j, dF);
                }
                set(z, r, j, dI);
                set(z, r, candidate + j, (dCell * i) * ScalarActivations.slope(v.candidate(), g));
                set(z, r, output + j, dO);
                set(dc, r, j, Elementary.flush(dPrevious));
            }
        }
    }

    static void gruForward(GruVariant v, Matrix z, Matrix hPrevious, Matrix h) {
        int units = h.columns();
        for (int r = 0; r < h.rows(); r++) {
            for (int j = 0; j < units; j++) {
                float reset = ScalarActivations.of(v.gates(), get(z, r, units + j));
                float u = ScalarActivations.of(v.gates(), get(z, r, 2 * units + j));
                float n = ScalarActivations.of(v.candidate(),
                        Math.fma(reset, get(z, r, 3 * units + j), get(z, r, j)));
                set(z, r, j, n);
                set(z, r, units + j, reset);
                set(z, r, 2 * units + j, u);
                set(h, r, j, Elementary.flush(Math.fma(u, get(hPrevious, r, j) - n, n)));
            }
        }
    }

    static void gruBackward(GruVariant v, Matrix z, Matrix hPrevious, Matrix dh, Matrix dhPrevious) {
        int units = dh.columns();
        for (int r = 0; r < dh.rows(); r++) {
            for (int j = 0; j < units; j++) {
                float n = get(z, r, j);
                float reset = get(z, r, units + j);
                float u = get(z, r, 2 * units + j);
                float m = get(z, r, 3 * units + j);
                float dOut = Elementary.flush(get(dh, r, j));
                float dn = (dOut * (1f - u)) * ScalarActivations.slope(v.candidate(), n);
                set(z, r, j, dn);
                set(z, r, units + j, (dn * m) * ScalarActivations.slope(v.gates(), reset));
                set(z, r, 2 * units + j,
                        (dOut * (get(hPrevious, r, j) - n)) * ScalarActivations.slope(v.gates(), u));
                set(z, r, 3 * units + j, dn * reset);
                set(dhPrevious, r, j, Math.fma(dOut, u, get(dhPrevious, r, j)));
            }
        }
    }

    static void gruResetForward(GruVariant v, Matrix z, Matrix hPrevious) {
        int units = hPrevious.columns();
        for (int r = 0; r < hPrevious.rows(); r++) {
            for (int j = 0; j < units; j++) {
                float reset = ScalarActivations.of(v.gates(), get(z, r, j));
                set(z, r, j, reset);
                set(z, r, units + j, ScalarActivations.of(v.gates(), get(z, r, units + j)));
                set(z, r, 3 * units + j, reset * get(hPrevious, r, j));
            }
        }
    }

    static void gruMixForward(GruVariant v, Matrix z, Matrix hPrevious, Matrix h) {
        int units = h.columns();
        for (int r = 0; r < h.rows(); r++) {
            for (int j = 0; j < units; j++) {
                float n = ScalarActivations.of(v.candidate(), get(z, r, 2 * units + j));
                set(z, r, 2 * units + j, n);
                set(h, r, j, Elementary.flush(Math.fma(get(z, r, units + j), get(hPrevious, r, j) - n, n)));
            }
        }
    }

    static void gruMixBackward(GruVariant v, Matrix z, Matrix hPrevious, Matrix dh, Matrix dhPrevious) {
        int units = dh.columns();
        for (int r = 0; r < dh.rows(); r++) {
            for (int j = 0; j < units; j++) {
                float u = get(z, r, units + j);
                float n = get(z, r, 2 * units + j);
                float dOut = Elementary.flush(get(dh, r, j));
                set(z, r, units + j, (dOut * (get(hPrevious, r, j) - n)) * ScalarActivations.slope(v.gates(), u));
                set(z, r, 2 * units + j, (dOut * (1f - u)) * ScalarActivations.slope(v.candidate(), n));
                set(dhPrevious, r, j, Math.fma(dOut, u, get(dhPrevious, r, j)));
            }
        }
    }

    static void gruResetBackward(GruVariant v, Matrix z, Matrix hPrevious, Matrix ds, Matrix dhPrevious) {
        int units = ds.columns();
        for (int r = 0; r < ds.rows(); r++) {
            for (int j = 0; j < units; j++) {
                float reset = get(z, r, j);
                float d = get(ds, r, j);
                set(z, r, j, (d * get(hPrevious, r, j)) * ScalarActivations.slope(v.gates(), reset));
                set(dhPrevious, r, j, Math.fma(d, reset, get(dhPrevious, r, j)));
            }
        }
    }

    private static float get(Matrix matrix, int row, int column) {
        return Raw.get(matrix.rowAddress(row), column);
    }

    private static void set(Matrix matrix, int row, int column, float value) {
        Raw.set(matrix.rowAddress(row), column, value);
    }
}
