package dev.ostinato.nn;

/** What is done to gradients that are too large, before the optimiser sees them (Pascanu et al. 2013). */
public sealed interface Clipping {
    /** Returns the one that leaves gradients as they are. */
    static Clipping none() {
        return new GlobalNorm(Double.POSITIVE_INFINITY);
    }

    /** Returns the one that brings each element into [-limit, limit]. */
    static Clipping byValue(double limit) {
        return new Value(limit);
    }

    /** Returns the one that scales each tensor by itself down to a norm of at most {@code limit}. */
    static Clipping byNorm(double limit) {
        return new Norm(limit);
    }

    /** Returns the one that scales all tensors together down to a norm of at most {@code limit}, as PyTorch's clip_grad_norm_. */
    static Clipping byGlobalNorm(double limit) {
        return new GlobalNorm(limit);
    }

    /** Returns the one that scales all tensors together to this norm, up or down; gradients that are all zero stay so. */
    static Clipping rescale(double norm) {
        return new Rescale(norm);
    }

    /** Each element into [-limit, limit]. */
    record Value(double limit) implements Clipping {
        public Value {
            positive(limit);
        }
    }

    /** Each tensor down to a norm. */
    record Norm(double limit) implements Clipping {
        public Norm {
            positive(limit);
        }
    }

    /** All tensors together down to a norm. */
    record GlobalNorm(double limit) implements Clipping {
        public GlobalNorm {
            positive(limit);
        }
    }

    /** All tensors together to a norm. */
    record Rescale(double norm) implements Clipping {
        public Rescale {
            positive(norm);
            if (norm == Double.POSITIVE_INFINITY) {
                throw new IllegalArgumentException("clip: expected a finite norm, got " + norm);
            }
        }
    }

    private static void positive(double limit) {
        if (!(limit > 0)) {
            throw new IllegalArgumentException("clip: expected > 0, got " + limit);
        }
    }
}
