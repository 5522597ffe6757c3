package dev.ostinato.formats;

import java.io.StringWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;

/// What a checkpoint knows besides its tensors, as JSON in the metadata of its file; [Checkpoint] shows an example.
record TrainingDescription(long step, long position, SequencedMap<String, String> options) {
    /// The key of the description in the metadata.
    static final String KEY = "ostinato.training";

    private static final int VERSION = 1;
    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(2).build())
            .build();

    String encode() {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = JSON.createGenerator(ObjectWriteContext.empty(), text)) {
            json.writeStartObject();
            json.writeNumberProperty("version", VERSION);
            json.writeNumberProperty("step", step);
            json.writeNumberProperty("position", position);
            json.writeObjectPropertyStart("options");
            options.forEach(json::writeStringProperty);
            json.writeEndObject();
            json.writeEndObject();
        }
        return text.toString();
    }

    static TrainingDescription parse(Path file, String text) throws FormatException {
        try (JsonParser json = JSON.createParser(ObjectReadContext.empty(), text)) {
            return new Reader(file, json).description();
        } catch (JacksonException e) {
            throw new FormatException(file, KEY + ": expected JSON, got " + e.getOriginalMessage(), e);
        }
    }

    /// Reads one description. An unknown field is refused: it would say something about the training that is not done.
    private record Reader(Path file, JsonParser json) {
        TrainingDescription description() throws FormatException {
            long version = -1;
            long step = -1;
            long position = -1;
            SequencedMap<String, String> options = new LinkedHashMap<>();
            expect(JsonToken.START_OBJECT, "description", "an object");
            for (String name = json.nextName(); name != null; name = json.nextName()) {
                switch (name) {
                    case "version" -> version = number(name);
                    case "step" -> step = number(name);
                    case "position" -> position = number(name);
                    case "options" -> readOptions(options);
                    default -> throw refusal("description", "version, step, position and options", name);
                }
            }
            if (json.nextToken() != null) {
                throw refusal("description", "nothing after the object", json.getString());
            }
            if (version != VERSION) {
                throw refusal("version", "the number " + VERSION, version < 0 ? "none" : "" + version);
            }
            if (step < 0 || position < 0) {
                throw refusal(step < 0 ? "step" : "position", "a number", "none");
            }
            return new TrainingDescription(step, position, options);
        }

        private void readOptions(SequencedMap<String, String> options) throws FormatException {
            expect(JsonToken.START_OBJECT, "options", "an object");
            for (String name = json.nextName(); name != null; name = json.nextName()) {
                expect(JsonToken.VALUE_STRING, "options, " + name, "a string");
                options.put(name, json.getString());
            }
        }

        private long number(String name) throws FormatException {
            expect(JsonToken.VALUE_NUMBER_INT, name, "an integer");
            String digits = json.getString();
            if (!digits.matches("[0-9]{1,18}")) {
                throw refusal(name, "an integer from 0 to 10^18 - 1", digits);
            }
            return Long.parseLong(digits);
        }

        private void expect(JsonToken token, String subject, String description) throws FormatException {
            if (json.nextToken() != token) {
                throw refusal(subject, description, String.valueOf(json.getString()));
            }
        }

        private FormatException refusal(String subject, String expected, String got) {
            return new FormatException(file,
                    KEY + ", " + FormatException.quote(subject) + ": expected " + expected + ", got "
                            + FormatException.quote(got));
        }
    }
}
