package dev.ostinato.tests;

import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Loss;
import dev.ostinato.tests.ReferenceNetwork.Module;
import java.util.List;
import java.util.Map;

/**
 * An encoder and a decoder in double precision.
 *
 * @param encoder modules, recurrent ones named such as {@code encoder.rnn}
 * @param decoder modules, named such as {@code decoder.rnn}
 */
record ReferencePair(List<Module> encoder, List<Module> decoder) {
    /** Returns the loss of a batch of targets behind a batch of sources. */
    double loss(Map<String, double[]> tensors, RandomBatch sources, RandomBatch targets, Loss loss) {
        ReferenceNetwork reader = new ReferenceNetwork(encoder, tensors);
        double[][] outputs = reader.outputs(sources);
        ReferenceNetwork writer = new ReferenceNetwork(decoder, tensors);
        writer.attendTo(outputs);
        List<Module> from = recurrent(encoder);
        List<Module> to = recurrent(decoder);
        for (int i = 0; i < to.size(); i++) {
            for (String kind : List.of("h", "c")) {
                for (int b = 0; b < targets.rows; b++) {
                    double[] state = ended(reader, from.get(i), kind, targets.rows, b);
                    if (state.length > 0) {
                        writer.begin(name(to.get(i), kind), targets.rows, b, state);
                    }
                }
            }
        }
        return writer.loss(targets, loss);
    }

    private static List<Module> recurrent(List<Module> modules) {
        return modules.stream().filter(m -> m.layer() instanceof Layer.WithCell).toList();
    }

    private static String name(Module module, String kind) {
        return module.name() + "." + kind + module.suffix();
    }

    /** Returns the state with which a stream ends, of two directions merged as their outputs are; nothing if there is none of the kind. */
    private static double[] ended(ReferenceNetwork reader, Module module, String kind, int rows, int stream) {
        Layer.WithCell layer = (Layer.WithCell) module.layer();
        boolean exists = kind.equals("h") || layer.cell().label().contains("lstm");
        int size = !exists ? 0 : kind.equals("h") ? layer.cell().outputs(layer.hidden()) : layer.hidden();
        double[] forward = reader.state(name(module, kind), rows, stream, size);
        if (!(layer instanceof Layer.Bidirectional both)) {
            return forward;
        }
        double[] reverse = reader.state(name(module, kind) + "_reverse", rows, stream, size);
        double[] merged = new double[both.merge() == Layer.Merge.CONCAT ? 2 * size : size];
        for (int j = 0; j < merged.length; j++) {
            merged[j] = switch (both.merge()) {
                case CONCAT -> j < size ? forward[j] : reverse[j - size];
                case SUM -> forward[j] + reverse[j];
                case MEAN -> (forward[j] + reverse[j]) / 2;
            };
        }
        return merged;
    }
}
