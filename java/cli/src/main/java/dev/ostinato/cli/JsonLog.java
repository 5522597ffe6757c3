package dev.ostinato.cli;

import dev.ostinato.nn.Evaluation;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/** Writes the course of a training as lines of JSON, each on the disk as soon as it is complete. */
final class JsonLog implements TrainingListener, AutoCloseable {
    private final Writer writer;

    private JsonLog(Writer writer) {
        this.writer = writer;
    }

    /** Opens a file, to go on at its end or else anew; no file makes a log that goes nowhere. @throws IOException if it cannot be written */
    static JsonLog open(@Nullable Path file, boolean append) throws IOException {
        return new JsonLog(file == null ? Writer.nullWriter()
                : Files.newBufferedWriter(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE,
                        append ? StandardOpenOption.APPEND : StandardOpenOption.TRUNCATE_EXISTING));
    }

    @Override
    public void stepped(Step step) {
        SequencedMap<String, Object> line = new LinkedHashMap<>();
        line.put("step", step.step());
        line.put("loss", step.loss());
        line.put("chars_per_s", step.charactersPerSecond());
        line.put("seconds", step.seconds());
        write(line);
    }

    @Override
    public void evaluated(long step, Evaluation evaluation) {
        SequencedMap<String, Object> line = new LinkedHashMap<>();
        line.put("step", step);
        line.put("val_loss", evaluation.nats());
        line.put("val_bits_per_char", evaluation.bits());
        write(line);
    }

    private void write(Map<String, ?> line) {
        try {
            writer.write(Json.of(line));
            writer.write('\n');
            writer.flush();
        } catch (IOException e) {
            throw new UncheckedIOException("the log cannot be written: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() throws IOException {
        writer.close();
    }
}
