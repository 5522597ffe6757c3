package dev.ostinato.formats;

import java.io.StringWriter;
import tools.jackson.core.JsonGenerator;

/// What an encoder and a decoder are made of, as JSON in the metadata of their file; [EncoderDecoderFile] shows an example.
record PairDescription(ModelDescription encoder, ModelDescription decoder) {
    String encode() {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = ModelDescription.generator(text)) {
            json.writeStartObject();
            json.writeNumberProperty("version", ModelDescription.VERSION);
            json.writeObjectPropertyStart("encoder");
            encoder.encodeFields(json);
            json.writeEndObject();
            json.writeObjectPropertyStart("decoder");
            decoder.encodeFields(json);
            json.writeEndObject();
            json.writeEndObject();
        }
        return text.toString();
    }
}
