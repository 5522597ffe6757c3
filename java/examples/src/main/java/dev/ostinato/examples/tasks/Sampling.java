package dev.ostinato.examples.tasks;

/** From the logits of an answer to an answer. */
final class Sampling {
    private Sampling() {
    }

    /** Returns the softmax of logits divided by a temperature. */
    static double[] probabilities(float[] logits, double temperature) {
        double greatest = Double.NEGATIVE_INFINITY;
        for (float logit : logits) {
            greatest = Math.max(greatest, logit);
        }
        double[] p = new double[logits.length];
        double sum = 0;
        for (int i = 0; i < p.length; i++) {
            p[i] = Math.exp((logits[i] - greatest) / temperature);
            sum += p[i];
        }
        for (int i = 0; i < p.length; i++) {
            p[i] /= sum;
        }
        return p;
    }

    /** Returns an answer with its probability; {@code random} is uniform in [0, 1). */
    static int draw(float[] logits, double temperature, double random) {
        double[] p = probabilities(logits, temperature);
        double sum = 0;
        for (int i = 0; i < p.length; i++) {
            sum += p[i];
            if (random < sum) {
                return i;
            }
        }
        return p.length - 1;
    }
}
