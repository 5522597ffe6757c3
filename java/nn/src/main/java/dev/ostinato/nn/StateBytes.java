package dev.ostinato.nn;

import dev.ostinato.kernels.Matrix;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.zip.CRC32C;

/**
 * A state as bytes, little-endian: a mark and a version, the layers as text with its length before it, the rows, then h of every recurrent
 * layer and c after it, unpadded, each row by row; where there is attention, of each row the
 * number of outputs that it attends to, and these; last the CRC-32C of all that. Everything is checked before anything is written.
 */
final class StateBytes {
    private static final int MARK = 0x5453534f; // "OSST" in a file
    private static final int VERSION = 1;
    /** Mark, version, length of the text, rows, checksum. */
    private static final int FIXED = 5 * Integer.BYTES;

    private StateBytes() {
    }

    /** @param attended of each row what it attends to, if the model does */
    static byte[] write(Model model, int rows, List<Matrix> states, List<Matrix> attended) {
        byte[] layers = layers(model).getBytes(StandardCharsets.UTF_8);
        byte[] bytes = new byte[Math.toIntExact(
                FIXED + layers.length + size(states) + size(attended) + (long) attended.size() * Integer.BYTES)];
        ByteBuffer out = littleEndian(bytes);
        out.putInt(MARK).putInt(VERSION).putInt(layers.length).put(layers).putInt(rows);
        states.forEach(state -> writeRows(out, state));
        for (Matrix outputs : attended) {
            out.putInt(outputs.rows());
            writeRows(out, outputs);
        }
        out.putInt(checksum(bytes));
        return bytes;
    }

    private static void writeRows(ByteBuffer out, Matrix matrix) {
        for (int r = 0; r < matrix.rows(); r++) {
            for (float value : matrix.row(r)) {
                out.putInt(Float.floatToRawIntBits(value));
            }
        }
    }

    /** Overwrites the states, and returns of each row what it attends to, if the model does. */
    static List<Matrix> read(byte[] bytes, Model model, int rows, List<Matrix> states) {
        ByteBuffer in = littleEndian(bytes);
        expect(bytes.length >= FIXED, "at least " + FIXED + " bytes", bytes.length);
        int mark = in.getInt();
        expect(mark == MARK, "a saved state, which begins with " + hex(MARK), hex(mark));
        int version = in.getInt();
        expect(version == VERSION, "version " + VERSION, version);
        int stored = in.getInt(bytes.length - Integer.BYTES);
        int computed = checksum(bytes);
        expect(computed == stored, "checksum " + hex(stored) + ", damaged or cut off", hex(computed));

        int length = in.getInt();
        expect(length >= 0 && length <= bytes.length - FIXED, "at most " + (bytes.length - FIXED) + " bytes of layers",
                length);
        byte[] text = new byte[length];
        in.get(text);
        String layers = new String(text, StandardCharsets.UTF_8);
        expect(layers.equals(layers(model)), "one of a model of " + layers(model), layers);
        int savedRows = in.getInt();
        expect(savedRows == rows, rows + " rows", savedRows);
        long size = FIXED + length + size(states);
        boolean attends = model.blueprint().attends();
        expect(attends ? bytes.length >= size : bytes.length == size, (attends ? "at least " : "") + size + " bytes",
                bytes.length);
        ByteBuffer behind = littleEndian(bytes).position(in.position() + (int) size(states));
        List<Matrix> attended =
                attends ? readAttended(behind, rows, attendedSize(model)) : List.of();
        expect(behind.remaining() == Integer.BYTES, "the checksum at last", behind.remaining() + " more bytes");
        for (Matrix state : states) {
            readRows(in, state);
        }
        return attended;
    }

    private static int attendedSize(Model model) {
        return model.layers().stream().filter(layer -> layer instanceof Layer.Attention).findFirst().orElseThrow()
                .inputs();
    }

    private static List<Matrix> readAttended(ByteBuffer in, int rows, int size) {
        List<Matrix> attended = new ArrayList<>();
        for (int b = 0; b < rows; b++) {
            int count = in.remaining() < 2 * Integer.BYTES ? -1 : in.getInt();
            long most = (in.remaining() - Integer.BYTES) / ((long) size * Float.BYTES);
            expect(count >= 0 && count <= most, "at most " + most + " outputs to attend to", count);
            Matrix outputs = Matrix.of(count, size);
            readRows(in, outputs);
            attended.add(outputs);
        }
        return attended;
    }

    private static void readRows(ByteBuffer in, Matrix state) {
        float[] row = new float[state.columns()];
        for (int r = 0; r < state.rows(); r++) {
            for (int j = 0; j < row.length; j++) {
                row[j] = Float.intBitsToFloat(in.getInt());
            }
            state.setRow(r, row);
        }
    }

    private static long size(List<Matrix> matrices) {
        return matrices.stream().mapToLong(m -> Math.multiplyFull(m.rows(), m.columns())).sum() * Float.BYTES;
    }

    /** Returns the layers and their sizes. Without dropout, which makes no difference to a state. */
    private static String layers(Model model) {
        return model.layers().stream().filter(layer -> !(layer instanceof Layer.Dropout))
                .map(layer -> layer.label() + " " + layer.inputs() + ">" + layer.outputs())
                .collect(Collectors.joining(", "));
    }

    /** Returns the CRC-32C of all but the last four bytes. */
    private static int checksum(byte[] bytes) {
        CRC32C checksum = new CRC32C();
        checksum.update(bytes, 0, bytes.length - Integer.BYTES);
        return (int) checksum.getValue();
    }

    private static ByteBuffer littleEndian(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static String hex(int value) {
        return "0x%08x".formatted(value);
    }

    private static void expect(boolean fulfilled, String expected, Object got) {
        if (!fulfilled) {
            throw new IllegalArgumentException("state: expected " + expected + ", got " + got);
        }
    }
}
