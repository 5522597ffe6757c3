package dev.ostinato.formats;

import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Regularization;
import dev.ostinato.nn.Vocabulary;
import java.io.StringWriter;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/// What a model is made of, as JSON in the metadata of its file; [ModelFile] shows an example. [ModelDescriptionParser] reads it.
record ModelDescription(List<Layer> layers, Optional<Vocabulary> vocabulary) {
    static final int VERSION = 1;

    private static final JsonFactory JSON = new JsonFactory();

    ModelDescription {
        layers = List.copyOf(layers);
        int tokens = layers.getFirst().inputs();
        if (vocabulary.isPresent() && vocabulary.get().size() != tokens) {
            throw new IllegalArgumentException("vocabulary: expected " + tokens
                    + " characters, as many as the model has tokens, got " + vocabulary.get().size());
        }
    }

    String encode() {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = generator(text)) {
            json.writeStartObject();
            json.writeNumberProperty("version", VERSION);
            encodeFields(json);
            json.writeEndObject();
        }
        return text.toString();
    }

    static JsonGenerator generator(StringWriter text) {
        return JSON.createGenerator(ObjectWriteContext.empty(), text);
    }

    /// Writes the fields of an object that has begun.
    void encodeFields(JsonGenerator json) {
        json.writeArrayPropertyStart("layers");
        layers.forEach(layer -> encode(json, layer));
        json.writeEndArray();
        vocabulary.ifPresent(v -> json.writeStringProperty("vocabulary", unicode(v)));
    }

    private static void encode(JsonGenerator json, Layer layer) {
        json.writeStartObject();
        switch (layer) {
            case Layer.Embedding e -> json.writeStringProperty("type", "embedding")
                    .writeNumberProperty("vocabulary", e.vocabulary()).writeNumberProperty("size", e.size());
            case Layer.OneHot o -> json.writeStringProperty("type", "one-hot")
                    .writeNumberProperty("vocabulary", o.vocabulary());
            case Layer.Features f -> json.writeStringProperty("type", "features")
                    .writeNumberProperty("size", f.size());
            case Layer.Recurrent r -> {
                json.writeStringProperty("type", "recurrent").writeStringProperty("cell", r.cell().label())
                        .writeNumberProperty("inputs", r.inputs()).writeNumberProperty("hidden", r.hidden())
                        .writeStringProperty("direction", name(r.direction()));
                encode(json, r.regularization());
            }
            case Layer.Bidirectional b -> {
                json.writeStringProperty("type", "bidirectional").writeStringProperty("cell", b.cell().label())
                        .writeNumberProperty("inputs", b.inputs()).writeNumberProperty("hidden", b.hidden())
                        .writeStringProperty("merge", name(b.merge()));
                encode(json, b.regularization());
            }
            case Layer.Pool p -> json.writeStringProperty("type", "pool")
                    .writeNumberProperty("size", p.size()).writeStringProperty("pooling", name(p.pooling()));
            case Layer.Dropout d -> {
                json.writeStringProperty("type", "dropout").writeNumberProperty("size", d.size())
                        .writeNumberProperty("rate", d.rate());
                if (d.scope() != Layer.Dropout.Scope.STEP) {
                    json.writeStringProperty("scope", name(d.scope()));
                }
            }
            case Layer.Residual r -> json.writeStringProperty("type", "residual")
                    .writeNumberProperty("size", r.size()).writeNumberProperty("span", r.span());
            case Layer.LayerNorm n -> json.writeStringProperty("type", "layer-norm")
                    .writeNumberProperty("size", n.size()).writeNumberProperty("epsilon", n.epsilon());
            case Layer.BatchNorm n -> json.writeStringProperty("type", "batch-norm")
                    .writeNumberProperty("size", n.size()).writeNumberProperty("momentum", n.momentum())
                    .writeNumberProperty("epsilon", n.epsilon());
            case Layer.Attention a -> json.writeStringProperty("type", "attention")
                    .writeNumberProperty("size", a.size());
            case Layer.Dense d -> json.writeStringProperty("type", "dense")
                    .writeNumberProperty("inputs", d.inputs()).writeNumberProperty("outputs", d.outputs());
        }
        json.writeEndObject();
    }

    /// Writes the rates that are not 0.
    private static void encode(JsonGenerator json, Regularization regularization) {
        encode(json, "recurrent-dropout", regularization.recurrentDropout());
        encode(json, "drop-connect", regularization.dropConnect());
        encode(json, "zoneout", regularization.zoneout());
        encode(json, "cell-zoneout", regularization.cellZoneout());
    }

    private static void encode(JsonGenerator json, String name, float rate) {
        if (rate != 0) {
            json.writeNumberProperty(name, rate);
        }
    }

    /// The name of a constant in a description.
    static String name(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    /// Two halves of a surrogate pair side by side would come back as one character.
    private static String unicode(Vocabulary vocabulary) {
        for (int token = 0; token < vocabulary.size(); token++) {
            if (Character.getType(vocabulary.character(token)) == Character.SURROGATE) {
                throw new IllegalArgumentException(
                        "vocabulary: expected Unicode text, got half a surrogate pair as token "
                                + token);
            }
        }
        return vocabulary.characters();
    }
}
