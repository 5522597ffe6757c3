package dev.ostinato.nn;

import java.util.ArrayList;
import java.util.List;

/**
 * What disturbs the recurrence of a layer in training, so that it does not learn by heart. In inference nothing is drawn.
 *
 * <ul>
 * <li>Recurrent dropout (Gal and Ghahramani 2016): U multiplies {@code m * h} instead of h, in all gates. A mask m is drawn for each stream and
 * stays for all steps of a batch, over every beginning; its elements are 0 with probability {@code recurrentDropout} and else 1 / (1 - rate),
 * so that inference needs no factor. The state that goes on past U, such as z * h of a GRU, is not masked. The paper has this with masks that
 * the gates share, and with some for each gate; this is the former.
 * <li>DropConnect (Wan et al. 2013; of recurrent weights Merity et al. 2018): each element of {@code weight_hh} is 0 with probability
 * {@code dropConnect} for a whole batch, and else scaled by 1 / (1 - rate).
 * <li>Zoneout (Krueger et al. 2017): at each step each unit of h keeps the value that it had with probability {@code zoneout}, and each
 * unit of c with probability {@code cellZoneout}; h comes from the new c even where c keeps the old one. In inference both are the
 * expected values: {@code h' = p * h + (1 - p) * new h}.
 * </ul>
 *
 * <p>Every number that is drawn is a function of the trainer's seed, the step of training, the layer, and what it is for, so that neither
 * threads nor the backend nor the order of rows have a part in it.
 *
 * <pre>{@code
 * Model.builder().embedding(65, 64).regularization(Regularization.NONE.withDropConnect(0.5).withZoneout(0.1, 0.05)).lstm(256).dense(65)
 *         .build();
 * }</pre>
 */
public record Regularization(float recurrentDropout, float dropConnect, float zoneout, float cellZoneout) {
    /** Nothing is disturbed. */
    public static final Regularization NONE = new Regularization(0, 0, 0, 0);

    /** @throws IllegalArgumentException if a rate is not in [0, 1) */
    public Regularization {
        checkRate("recurrent dropout", recurrentDropout);
        checkRate("DropConnect", dropConnect);
        checkRate("zoneout", zoneout);
        checkRate("zoneout of the cell state", cellZoneout);
    }

    static void checkRate(String name, float rate) {
        if (!(rate >= 0 && rate < 1)) {
            throw new IllegalArgumentException(name + ": expected a rate in [0, 1), got " + rate);
        }
    }

    /** Returns this with another rate of recurrent dropout, 0 for none. */
    public Regularization withRecurrentDropout(double rate) {
        return new Regularization((float) rate, dropConnect, zoneout, cellZoneout);
    }

    /** Returns this with another rate of DropConnect, 0 for none. */
    public Regularization withDropConnect(double rate) {
        return new Regularization(recurrentDropout, (float) rate, zoneout, cellZoneout);
    }

    /** Returns this with other rates of zoneout, 0 for none; {@code cell} is for cells that have c, and 0 for others. */
    public Regularization withZoneout(double state, double cell) {
        return new Regularization(recurrentDropout, dropConnect, (float) state, (float) cell);
    }

    /** @throws IllegalArgumentException if a cell lacks what is to be disturbed */
    void check(CellType type) {
        if (equals(NONE)) {
            return;
        }
        Cell cell = Cell.of(type, 1, 1);
        boolean matrix = cell.shapes("").stream()
                .anyMatch(shape -> shape.name().equals(DropConnect.TENSOR) && shape.dimensions().size() == 2);
        String product = "a cell that multiplies its state with a matrix";
        require("recurrent dropout", recurrentDropout, matrix, product, type);
        require("DropConnect", dropConnect, matrix, product, type);
        require("zoneout of the cell state", cellZoneout, cell.hasCellState(), "a cell that has one", type);
    }

    private static void require(String name, float rate, boolean possible, String expected, CellType type) {
        if (rate > 0 && !possible) {
            throw new IllegalArgumentException(
                    name + ": expected " + expected + ", got " + type.label() + " and a rate of " + rate);
        }
    }

    /** Returns a cell with those regularisers that act on its steps; {@link DropConnect} acts on weights. */
    Cell around(Cell cell) {
        Cell dropping = recurrentDropout > 0 ? new RecurrentDropoutCell(cell, recurrentDropout) : cell;
        return zoneout > 0 || cellZoneout > 0 ? new ZoneoutCell(dropping, zoneout, cellZoneout) : dropping;
    }

    /** Returns what people call it, such as {@code recurrent dropout 0.3, zoneout 0.1 and 0.05}; empty if there is nothing. */
    public String label() {
        List<String> parts = new ArrayList<>();
        if (recurrentDropout > 0) {
            parts.add("recurrent dropout " + recurrentDropout);
        }
        if (dropConnect > 0) {
            parts.add("DropConnect " + dropConnect);
        }
        if (zoneout > 0 || cellZoneout > 0) {
            parts.add("zoneout " + zoneout + (cellZoneout > 0 ? " and " + cellZoneout : ""));
        }
        return String.join(", ", parts);
    }
}
