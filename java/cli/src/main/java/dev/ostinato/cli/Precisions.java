package dev.ostinato.cli;

import dev.ostinato.nn.Model;
import dev.ostinato.nn.Precision;
import dev.ostinato.nn.PrecisionReport;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/** How commands speak of the precision of weights. */
final class Precisions {
    private Precisions() {}

    /** Returns the name on the command line and in results. */
    static String name(Precision precision) {
        return precision.name().toLowerCase(Locale.ROOT);
    }

    /** Returns a model with weights rounded to a precision, or as they are. @throws Failure if they cannot be */
    static Model round(Model model, @Nullable Precision precision) {
        if (precision == null) {
            return model;
        }
        try {
            return model.withPrecision(precision);
        } catch (IllegalArgumentException e) {
            throw new Failure("--precision " + name(precision) + ": " + e.getMessage());
        }
    }

    /** Shows a line for each layer, and one for the outputs. */
    static void print(PrecisionReport report, PrintStream out) {
        out.printf(Locale.ROOT, "%nerrors of %s over %,d steps%n", name(report.precision()), report.steps());
        for (PrecisionReport.LayerError error : all(report)) {
            out.printf(Locale.ROOT, "    %-22s %9.4f %% of its size, at most %.3g%n", error.name(),
                    100 * error.relative(), error.largest());
        }
    }

    static Map<String, Object> toMap(PrecisionReport report) {
        SequencedMap<String, Object> errors = new LinkedHashMap<>();
        for (PrecisionReport.LayerError error : all(report)) {
            errors.put(error.name(), Map.of("relative", error.relative(), "largest", error.largest()));
        }
        return errors;
    }

    private static List<PrecisionReport.LayerError> all(PrecisionReport report) {
        List<PrecisionReport.LayerError> all = new ArrayList<>(report.layers());
        all.add(report.outputs());
        return all;
    }
}
