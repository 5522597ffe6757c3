package dev.ostinato.cli;

import dev.ostinato.nn.Patience;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongPredicate;
import java.util.stream.Collectors;

/** Losses on the held-out text since the first step, breaks or not; knows the best, and whether the patience for a better one is at an end. */
final class Measurements {
    private final List<TrainingRun.Point> points = new ArrayList<>();
    private final Patience patience;
    private final boolean endless;
    private Optional<TrainingRun.Point> best = Optional.empty();

    /** None yet; so many in a row may be no better than the best, 0 for any number. */
    Measurements(int limit) {
        patience = Patience.of(Math.max(1, limit));
        endless = limit == 0;
    }

    /** Adds a measurement, and returns whether it is better than all before. */
    boolean add(TrainingRun.Point point) {
        points.add(point);
        boolean better = patience.observe(point.nats());
        if (better) {
            best = Optional.of(point);
        }
        return better;
    }

    /** Returns whether nothing better came for too long. */
    boolean areExhausted() {
        return !endless && patience.isExhausted();
    }

    Optional<TrainingRun.Point> best() {
        return best;
    }

    List<TrainingRun.Point> points() {
        return List.copyOf(points);
    }

    /** Returns those after some steps as text: {@code step:nats}, with commas between. */
    String encode(LongPredicate steps) {
        return points.stream().filter(p -> steps.test(p.step())).map(p -> p.step() + ":" + p.nats())
                .collect(Collectors.joining(","));
    }

    /** Adds those of a text, from none to all. @throws IllegalArgumentException if it is not one of {@link #encode} */
    void addAll(String text) {
        for (String point : text.isEmpty() ? new String[0] : text.split(",", -1)) {
            String[] parts = point.split(":", -1);
            if (parts.length != 2) {
                throw new IllegalArgumentException("measurements: expected step:nats, got " + point);
            }
            add(new TrainingRun.Point(Long.parseLong(parts[0]), Double.parseDouble(parts[1])));
        }
    }
}
