package dev.ostinato.kernels;

/**
 * How a call of steps goes through the panels of its weights: in which direction, and through which of them. No result depends on the
 * direction; the shares of all {@code parts} together compute what the whole does, to the bit.
 *
 * <p>Who alternates the direction from call to call finds in the nearest cache what was read last. Who gives every thread the same part
 * at every step lets each keep its share of the weights in a cache of its own. A part writes the units of its panels and nothing else, so
 * the parts of one step may run at once; the next step needs all of them.
 *
 * @param descending whether the first step goes from the last panel to the first; each further step turns round
 * @param part which share this is: the panels from {@code P * part / parts} to {@code P * (part + 1) / parts} of P
 * @param parts how many shares there are
 */
public record Sweep(boolean descending, int part, int parts) {
    /** Through all panels, from the first to the last. */
    public static final Sweep ASCENDING = new Sweep(false, 0, 1);
    /** Through all panels, from the last to the first. */
    public static final Sweep DESCENDING = new Sweep(true, 0, 1);

    /** Checks the share. @throws IllegalArgumentException if {@code part} is not one of {@code parts} */
    public Sweep {
        if (part < 0 || part >= parts) {
            throw new IllegalArgumentException(
                    "sweep: expected a part in 0.." + (parts - 1) + " of parts >= 1, got " + part + " of " + parts);
        }
    }

    /** Returns the same direction through a share of the panels. @throws IllegalArgumentException if there is no such part */
    public Sweep share(int part, int parts) {
        return new Sweep(descending, part, parts);
    }

    /** Returns the first panel of the share, of {@code panels}. */
    public int from(int panels) {
        return (int) ((long) panels * part / parts);
    }

    /** Returns the panel behind the last of the share, of {@code panels}. */
    public int to(int panels) {
        return (int) ((long) panels * (part + 1) / parts);
    }
}
