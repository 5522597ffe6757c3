package dev.ostinato.cli;

import static dev.ostinato.cli.Requirement.get;
import static dev.ostinato.cli.Requirement.within;

import dev.ostinato.nn.Model;
import dev.ostinato.nn.Trainer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;

/**
 * What the weights at the end depend on, besides the text. Two trainings with the same options and text give the same bits.
 *
 * @param model what is trained
 * @param updates how
 * @param seq steps that a gradient goes back
 * @param advance steps from one batch to the next
 * @param batch streams side by side
 * @param steps updates that were planned, over which the schedule runs
 * @param seed seed of the initial weights and of dropout
 * @param evaluateEvery updates between measurements on the held-out text
 * @param patience measurements in a row that may be no better than the best before it ends; 0 for all steps whatever they are
 */
record TrainingOptions(ModelOptions model, UpdateOptions updates, int seq, int advance, int batch, long steps,
        long seed, long evaluateEvery, int patience) {
    static final long EVALUATE_EVERY = 500;

    TrainingOptions {
        within("seq", seq, 1, Integer.MAX_VALUE);
        within("advance", advance, 1, seq);
        within("batch", batch, 1, Integer.MAX_VALUE);
        within("steps", steps, 1, Long.MAX_VALUE);
        within("eval-every", evaluateEvery, 1, Long.MAX_VALUE);
        within("patience", patience, 0, Integer.MAX_VALUE);
    }

    /** Returns options of batches side by side, one behind the other, until the last step. */
    static TrainingOptions of(ModelOptions model, UpdateOptions updates, int seq, int batch, long steps) {
        return new TrainingOptions(model, updates, seq, seq, batch, steps, 1, EVALUATE_EVERY, 0);
    }

    /** Returns these options as text by the names of the command line; {@link #of(Map)} takes them back to the bit. */
    SequencedMap<String, String> toMap() {
        SequencedMap<String, String> map = new LinkedHashMap<>();
        model.addTo(map);
        updates.addTo(map);
        map.put("seq", String.valueOf(seq));
        map.put("advance", String.valueOf(advance));
        map.put("batch", String.valueOf(batch));
        map.put("steps", String.valueOf(steps));
        map.put("seed", String.valueOf(seed));
        map.put("eval-every", String.valueOf(evaluateEvery));
        map.put("patience", String.valueOf(patience));
        return map;
    }

    /** Returns the options of a map; those that older checkpoints have not are the defaults. @throws IllegalArgumentException if one is missing or not what it should be */
    static TrainingOptions of(Map<String, String> map) {
        String seq = get(map, "seq");
        return new TrainingOptions(ModelOptions.of(map), UpdateOptions.of(map), Integer.parseInt(seq),
                Integer.parseInt(map.getOrDefault("advance", seq)), Integer.parseInt(get(map, "batch")),
                Long.parseLong(get(map, "steps")), Long.parseLong(get(map, "seed")),
                Long.parseLong(map.getOrDefault("eval-every", String.valueOf(EVALUATE_EVERY))),
                Integer.parseInt(map.getOrDefault("patience", "0")));
    }

    /** Returns the same with other measurements. */
    TrainingOptions withEvaluateEvery(long evaluateEvery) {
        return new TrainingOptions(model, updates, seq, advance, batch, steps, seed, evaluateEvery, patience);
    }

    /** Returns a new model with random weights. */
    Model newModel(int vocabulary, String backend) {
        return model.newModel(vocabulary, seed, backend);
    }

    /** Returns a builder of a trainer of a model, at its first step. */
    Trainer.Builder newTrainer(Model model) {
        return updates.apply(Trainer.builder(model).seed(seed), steps);
    }
}
