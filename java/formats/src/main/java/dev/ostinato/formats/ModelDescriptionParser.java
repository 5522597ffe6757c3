package dev.ostinato.formats;

import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Regularization;
import dev.ostinato.nn.Vocabulary;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.json.JsonFactory;

/// Reads one [ModelDescription], or a [PairDescription]. An unknown field is refused: it would say something about the model that is not done.
final class ModelDescriptionParser {
    /// Far above any real model, so that no description costs much more than it has characters.
    static final int MAX_LAYERS = 1000;
    private static final int MAX_FIELDS = 16;
    /// Every character there is, written as two escapes of six characters, and room for the rest.
    private static final int MAX_LENGTH = 12 * Character.MAX_CODE_POINT + (1 << 20);

    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .disable(TokenStreamFactory.Feature.CANONICALIZE_PROPERTY_NAMES)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(4)
                    .maxStringLength(MAX_LENGTH)
                    .build())
            .build();

    private final Path file;
    private final JsonParser json;

    private ModelDescriptionParser(Path file, String text) {
        this.file = file;
        this.json = JSON.createParser(ObjectReadContext.empty(), text);
    }

    /// Reads what stands behind the beginning of the object.
    private interface Content<T> {
        T read(ModelDescriptionParser parser) throws FormatException;
    }

    /// Parses the description of a model.
    static ModelDescription parse(Path file, String text) throws FormatException {
        return parse(file, text, parser -> parser.model("description", List.of("version", "layers", "vocabulary")));
    }

    /// Parses the description of an encoder and a decoder.
    static PairDescription parsePair(Path file, String text) throws FormatException {
        return parse(file, text, ModelDescriptionParser::pair);
    }

    /// The version first, wherever it stands, since another one may differ in anything else.
    private static <T> T parse(Path file, String text, Content<T> content) throws FormatException {
        if (text.length() > MAX_LENGTH) {
            throw refusal(file, "description", "at most " + MAX_LENGTH + " characters", String.valueOf(text.length()));
        }
        try {
            ModelDescriptionParser first = new ModelDescriptionParser(file, text);
            try (first.json) {
                first.checkVersion();
            }
            ModelDescriptionParser second = new ModelDescriptionParser(file, text);
            try (second.json) {
                second.expect(JsonToken.START_OBJECT, "description", "an object");
                T description = content.read(second);
                if (second.json.nextToken() != null) {
                    throw second.refusal("description", "nothing after the object", second.got());
                }
                return description;
            }
        } catch (JacksonException e) {
            throw new FormatException(file, ModelFile.KEY + ": expected JSON, got " + e.getOriginalMessage(), e);
        } catch (IllegalArgumentException e) {
            throw new FormatException(file, ModelFile.KEY + ", " + e.getMessage(), e);
        }
    }

    private void checkVersion() throws FormatException {
        String version = "none";
        expect(JsonToken.START_OBJECT, "description", "an object");
        for (String name = json.nextName(); name != null; name = json.nextName()) {
            json.nextToken();
            if (name.equals("version")) {
                version = got();
            }
            json.skipChildren();
        }
        if (!version.equals(FormatException.quote(String.valueOf(ModelDescription.VERSION)))) {
            throw refusal("version", "the number " + ModelDescription.VERSION, version);
        }
    }

    /// @param known the fields that there may be
    private ModelDescription model(String subject, List<String> known) throws FormatException {
        List<Layer> layers = List.of();
        String vocabulary = null;
        for (String name = json.nextName(); name != null; name = json.nextName()) {
            if (!known.contains(name)) {
                throw refusal(subject, String.join(", ", known), FormatException.quote(name));
            }
            switch (name) {
                case "layers" -> layers = layers();
                case "vocabulary" -> {
                    expect(JsonToken.VALUE_STRING, name, "a string");
                    vocabulary = json.getString();
                }
                default -> json.nextToken(); // the version, which has been looked at
            }
        }
        if (layers.isEmpty()) {
            throw refusal("layers", "at least two", "none");
        }
        return new ModelDescription(layers, Optional.ofNullable(vocabulary).map(Vocabulary::of));
    }

    private PairDescription pair() throws FormatException {
        Map<String, ModelDescription> models = new LinkedHashMap<>();
        for (String name = json.nextName(); name != null; name = json.nextName()) {
            switch (name) {
                case "version" -> json.nextToken();
                case "encoder", "decoder" -> {
                    expect(JsonToken.START_OBJECT, name, "an object");
                    models.put(name, model(name, List.of("layers", "vocabulary")));
                }
                default -> throw refusal("description", "version, encoder and decoder", FormatException.quote(name));
            }
        }
        return new PairDescription(part(models, "encoder"), part(models, "decoder"));
    }

    private ModelDescription part(Map<String, ModelDescription> models, String name) throws FormatException {
        ModelDescription model = models.get(name);
        if (model == null) {
            throw refusal(name, "an object", "none");
        }
        return model;
    }

    private List<Layer> layers() throws FormatException {
        List<Layer> layers = new ArrayList<>();
        expect(JsonToken.START_ARRAY, "layers", "an array");
        while (json.nextToken() != JsonToken.END_ARRAY) {
            if (layers.size() == MAX_LAYERS) {
                throw refusal("layers", "at most " + MAX_LAYERS, "more");
            }
            layers.add(new Fields(file, "layer " + layers.size(), fields("layer " + layers.size())).layer());
        }
        return layers;
    }

    private Map<String, Field> fields(String subject) throws FormatException {
        if (json.currentToken() != JsonToken.START_OBJECT) {
            throw refusal(subject, "an object", got());
        }
        Map<String, Field> fields = new LinkedHashMap<>();
        for (String name = json.nextName(); name != null; name = json.nextName()) {
            JsonToken token = json.nextToken();
            if (token == null || !token.isScalarValue() || fields.size() == MAX_FIELDS) {
                throw refusal(subject, "at most " + MAX_FIELDS + " numbers and strings", got());
            }
            fields.put(name, new Field(token, json.getString()));
        }
        return fields;
    }

    private void expect(JsonToken token, String subject, String description) throws FormatException {
        if (json.nextToken() != token) {
            throw refusal(subject, description, got());
        }
    }

    private String got() {
        @Nullable String text = json.getString();
        String kind = json.currentToken() == JsonToken.VALUE_STRING ? "the string " : "";
        return text == null ? "the end" : kind + FormatException.quote(text);
    }

    private FormatException refusal(String subject, String expected, String got) {
        return refusal(file, subject, expected, got);
    }

    private static FormatException refusal(Path file, String subject, String expected, String got) {
        return new FormatException(file, ModelFile.KEY + ", " + subject + ": expected " + expected + ", got " + got);
    }

    /// A number or a string in a layer.
    private record Field(JsonToken token, String text) {}

    /// The fields of one layer.
    private record Fields(Path file, String subject, Map<String, Field> fields) {
        Layer layer() throws FormatException {
            String type = string("type");
            Layer layer = switch (type) {
                case "embedding" -> new Layer.Embedding(integer("vocabulary"), integer("size"));
                case "one-hot" -> new Layer.OneHot(integer("vocabulary"));
                case "features" -> new Layer.Features(integer("size"));
                case "recurrent" -> new Layer.Recurrent(cell(), integer("inputs"), integer("hidden"),
                        constant("direction", Layer.Direction.values(), Layer.Direction.FORWARD), regularization());
                case "bidirectional" -> new Layer.Bidirectional(cell(), integer("inputs"), integer("hidden"),
                        constant("merge", Layer.Merge.values()), regularization());
                case "pool" -> new Layer.Pool(integer("size"), constant("pooling", Layer.Pooling.values()));
                case "dropout" -> new Layer.Dropout(integer("size"), number("rate"),
                        constant("scope", Layer.Dropout.Scope.values(), Layer.Dropout.Scope.STEP));
                case "residual" -> new Layer.Residual(integer("size"), integer("span"));
                case "layer-norm" -> new Layer.LayerNorm(integer("size"), number("epsilon"));
                case "batch-norm" ->
                        new Layer.BatchNorm(integer("size"), number("momentum"), number("epsilon"));
                case "attention" -> new Layer.Attention(integer("size"));
                case "dense" -> new Layer.Dense(integer("inputs"), integer("outputs"));
                default -> throw refusal("type",
                        "embedding, one-hot, features, recurrent, bidirectional, pool, dropout, residual, layer-norm, batch-norm, "
                                + "attention or dense",
                        FormatException.quote(type));
            };
            if (!fields.isEmpty()) {
                throw refusal(type, "no further fields", FormatException.quote(fields.keySet().iterator().next()));
            }
            return layer;
        }

        private CellType cell() throws FormatException {
            String label = string("cell");
            try {
                return CellType.of(label);
            } catch (IllegalArgumentException e) {
                throw refusal("cell", "one of " + CellType.all().stream().map(CellType::label).toList(),
                        FormatException.quote(label));
            }
        }

        private Regularization regularization() throws FormatException {
            return new Regularization(rate("recurrent-dropout"), rate("drop-connect"), rate("zoneout"),
                    rate("cell-zoneout"));
        }

        private float rate(String name) throws FormatException {
            return fields.containsKey(name) ? number(name) : 0;
        }

        /// Older files may lack it.
        private <E extends Enum<E>> E constant(String name, E[] values, E otherwise) throws FormatException {
            return fields.containsKey(name) ? constant(name, values) : otherwise;
        }

        private <E extends Enum<E>> E constant(String name, E[] values) throws FormatException {
            String text = string(name);
            for (E value : values) {
                if (ModelDescription.name(value).equals(text)) {
                    return value;
                }
            }
            throw refusal(name, "one of " + Stream.of(values).map(ModelDescription::name).toList(),
                    FormatException.quote(text));
        }

        private String string(String name) throws FormatException {
            Field field = take(name);
            if (field.token() != JsonToken.VALUE_STRING) {
                throw refusal(name, "a string", FormatException.quote(field.text()));
            }
            return field.text();
        }

        private int integer(String name) throws FormatException {
            Field field = take(name);
            if (field.token() == JsonToken.VALUE_NUMBER_INT && field.text().matches("[0-9]{1,10}")) {
                long value = Long.parseLong(field.text());
                if (value >= 1 && value <= Integer.MAX_VALUE) {
                    return (int) value;
                }
            }
            throw refusal(name, "an integer from 1 to " + Integer.MAX_VALUE, FormatException.quote(field.text()));
        }

        private float number(String name) throws FormatException {
            Field field = take(name);
            if (!field.token().isNumeric()) {
                throw refusal(name, "a number", FormatException.quote(field.text()));
            }
            return Float.parseFloat(field.text());
        }

        private Field take(String name) throws FormatException {
            Field field = fields.remove(name);
            if (field == null) {
                throw refusal(name, "a value", "none");
            }
            return field;
        }

        private FormatException refusal(String name, String expected, String got) {
            return ModelDescriptionParser.refusal(file, subject + ", " + name, expected, got);
        }
    }
}
