package dev.ostinato.cli;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.SequencedMap;

/** Says how a training ended. */
record TrainingReport(TrainingRun.Result result, Path file) {
    /** Returns one line for people. */
    String sentence() {
        String heldOut = result.evaluation()
                .map(e -> String.format(Locale.ROOT, ", held out %.3f (%.3f bits per character)", e.nats(), e.bits()))
                .orElse("");
        String kept = result.kept()
                .map(p -> String.format(Locale.ROOT,
                        " of step %d, the best on the text held out: %.3f (%.3f bits per character)",
                        p.step(), p.nats(), p.nats() / Math.log(2)))
                .orElse("");
        return String.format(Locale.ROOT, "trained to step %d in %.1f s, %,.0f characters/s; loss %.3f%s; wrote %s%s",
                result.step(), result.seconds(), charactersPerSecond(), loss(), heldOut, file, kept);
    }

    /** Returns what to do after an interruption. */
    String howToGoOn() {
        return "stopped after step " + result.step() + "; to go on: ostinato train --resume "
                + TrainingRun.checkpointOf(file);
    }

    /** Returns the fields of the JSON object. */
    SequencedMap<String, Object> toMap() {
        SequencedMap<String, Object> map = new LinkedHashMap<>();
        map.put("status", result.finished() ? "done" : "interrupted");
        if (result.finished()) {
            map.put("model", file.toString());
        }
        map.put("checkpoint", TrainingRun.checkpointOf(file).toString());
        map.put("step", result.step());
        map.put("parameters", result.model().parameterCount());
        map.put("vocabulary", result.model().inputs());
        map.put("backend", result.model().backend());
        if (!result.training().isEmpty()) {
            map.put("loss", loss());
        }
        result.evaluation().ifPresent(e -> {
            map.put("val_loss", e.nats());
            map.put("val_bits_per_char", e.bits());
        });
        result.kept().ifPresent(p -> {
            map.put("best_step", p.step());
            map.put("best_val_loss", p.nats());
        });
        map.put("characters", result.characters());
        map.put("seconds", result.seconds());
        map.put("chars_per_s", charactersPerSecond());
        return map;
    }

    private double loss() {
        return result.training().getLast().nats();
    }

    private double charactersPerSecond() {
        return result.characters() / result.seconds();
    }
}
