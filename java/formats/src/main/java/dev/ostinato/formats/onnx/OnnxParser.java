package dev.ostinato.formats.onnx;

import dev.ostinato.formats.DType;
import dev.ostinato.formats.FormatException;
import dev.ostinato.formats.Tensor;
import dev.ostinato.formats.onnx.OnnxValueInfo.Dimension;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Makes records of the messages of an ONNX file. The numbers are those of fields in onnx.proto; fields that say nothing
/// about what is computed are skipped, as are those of versions to come.
final class OnnxParser {
    private static final int MOST_DIMENSIONS = 32;

    private final Path file;
    private final @Nullable ExternalData external;

    private OnnxParser(Path file, @Nullable ExternalData external) {
        this.file = file;
        this.external = external;
    }

    /// @param external null to refuse it
    static OnnxFile parse(Path file, MemorySegment bytes, @Nullable ExternalData external) throws IOException {
        if (bytes.byteSize() > Integer.MAX_VALUE) {
            throw new FormatException(file, "expected at most 2 GB, as protobuf does, got " + bytes.byteSize()
                    + " bytes");
        }
        return new OnnxParser(file, external).model(new ProtoReader(file, bytes));
    }

    private OnnxFile model(ProtoReader in) throws IOException {
        long irVersion = 0;
        String producer = "";
        String producerVersion = "";
        Map<String, Long> opsets = new HashMap<>();
        Map<String, String> metadata = new LinkedHashMap<>();
        OnnxGraph graph = null;
        while (in.next()) {
            switch (in.field()) {
                case 1 -> irVersion = in.varint();
                case 2 -> producer = in.text();
                case 3 -> producerVersion = in.text();
                case 7 -> {
                    if (graph != null) {
                        throw in.problem("expected one graph, got another");
                    }
                    graph = graph(in.message());
                }
                case 8 -> opset(in.message(), opsets);
                case 14 -> entry(in.message(), metadata);
                default -> in.skip();
            }
        }
        if (graph == null) {
            throw in.problem("expected an ONNX model with a graph, got none");
        }
        return new OnnxFile(irVersion, (producer + " " + producerVersion).strip(), opsets, metadata, graph);
    }

    private static void opset(ProtoReader in, Map<String, Long> opsets) throws FormatException {
        String domain = "";
        long version = 0;
        while (in.next()) {
            switch (in.field()) {
                case 1 -> domain = in.text();
                case 2 -> version = in.varint();
                default -> in.skip();
            }
        }
        opsets.put(domain.equals("ai.onnx") ? "" : domain, version);
    }

    private static void entry(ProtoReader in, Map<String, String> entries) throws FormatException {
        String key = "";
        String value = "";
        while (in.next()) {
            switch (in.field()) {
                case 1 -> key = in.text();
                case 2 -> value = in.text();
                default -> in.skip();
            }
        }
        entries.put(key, value);
    }

    private OnnxGraph graph(ProtoReader in) throws IOException {
        String name = "";
        List<OnnxNode> nodes = new ArrayList<>();
        List<Tensor> initializers = new ArrayList<>();
        List<OnnxValueInfo> inputs = new ArrayList<>();
        List<OnnxValueInfo> outputs = new ArrayList<>();
        while (in.next()) {
            switch (in.field()) {
                case 1 -> nodes.add(node(in.message()));
                case 2 -> name = in.text();
                case 5 -> initializers.add(tensor(in.message()));
                case 11 -> inputs.add(valueInfo(in.message()));
                case 12 -> outputs.add(valueInfo(in.message()));
                case 15 -> throw in.problem("expected dense initializers, got a sparse one");
                default -> in.skip();
            }
        }
        return new OnnxGraph(name, nodes, initializers, inputs, outputs);
    }

    private OnnxNode node(ProtoReader in) throws IOException {
        String name = "";
        String operator = "";
        String domain = "";
        List<String> inputs = new ArrayList<>(2);
        List<String> outputs = new ArrayList<>(1);
        Map<String, OnnxAttribute> attributes = new HashMap<>();
        while (in.next()) {
            switch (in.field()) {
                case 1 -> inputs.add(in.text());
                case 2 -> outputs.add(in.text());
                case 3 -> name = in.text();
                case 4 -> operator = in.text();
                case 5 -> attribute(in.message(), attributes);
                case 7 -> domain = in.text();
                default -> in.skip();
            }
        }
        if (operator.isEmpty()) {
            throw in.problem("node " + FormatException.quote(name) + ": expected the name of an operator, got none");
        }
        return new OnnxNode(name, operator, domain.equals("ai.onnx") ? "" : domain, inputs, outputs, attributes);
    }

    private void attribute(ProtoReader in, Map<String, OnnxAttribute> attributes) throws IOException {
        String name = "";
        int type = 0;
        float real = 0;
        long whole = 0;
        String text = "";
        Tensor tensor = null;
        OnnxGraph graph = null;
        List<Float> reals = new ArrayList<>(0);
        List<Long> wholes = new ArrayList<>(0);
        List<String> texts = new ArrayList<>(0);
        while (in.next()) {
            switch (in.field()) {
                case 1 -> name = in.text();
                case 2 -> real = Float.intBitsToFloat(in.fixed32());
                case 3 -> whole = in.varint();
                case 4 -> text = lenient(in.bytes());
                case 5 -> tensor = tensor(in.message());
                case 6 -> graph = graph(in.message());
                case 7 -> reals(in, reals);
                case 8 -> wholes(in, wholes);
                case 9 -> texts.add(in.text());
                case 20 -> type = in.int32();
                default -> in.skip();
            }
        }
        OnnxAttribute value = switch (type) {
            case 1 -> new OnnxAttribute.Real(real);
            case 2 -> new OnnxAttribute.Int(whole);
            case 3 -> new OnnxAttribute.Text(text);
            case 4 -> new OnnxAttribute.TensorValue(given(in, name, tensor));
            case 5 -> new OnnxAttribute.Graph(given(in, name, graph));
            case 6 -> new OnnxAttribute.Reals(reals);
            case 7 -> new OnnxAttribute.Ints(wholes);
            case 8 -> new OnnxAttribute.Texts(texts);
            default -> new OnnxAttribute.Other(type);
        };
        if (attributes.put(name, value) != null) {
            throw in.problem("attribute " + FormatException.quote(name) + ": expected once, got twice");
        }
    }

    private static <T> T given(ProtoReader in, String name, @Nullable T value) throws FormatException {
        if (value == null) {
            throw in.problem("attribute " + FormatException.quote(name) + ": expected a value of its type, got none");
        }
        return value;
    }

    /// Bytes that should be text: some exporters keep others there, and nobody here reads those.
    private static String lenient(MemorySegment bytes) {
        return StandardCharsets.UTF_8.decode(bytes.asByteBuffer()).toString();
    }

    private static void reals(ProtoReader in, List<Float> reals) throws FormatException {
        if (in.wireType() != ProtoReader.BYTES) {
            reals.add(Float.intBitsToFloat(in.fixed32()));
            return;
        }
        for (ProtoReader packed = in.packed(); packed.hasMore();) {
            reals.add(Float.intBitsToFloat(packed.packedFixed32()));
        }
    }

    private static void wholes(ProtoReader in, List<Long> wholes) throws FormatException {
        if (in.wireType() != ProtoReader.BYTES) {
            wholes.add(in.varint());
            return;
        }
        for (ProtoReader packed = in.packed(); packed.hasMore();) {
            wholes.add(packed.packedVarint());
        }
    }

    // Inputs and outputs

    private static OnnxValueInfo valueInfo(ProtoReader in) throws FormatException {
        String name = "";
        OnnxValueInfo found = new OnnxValueInfo("", Optional.empty(), Optional.empty());
        while (in.next()) {
            switch (in.field()) {
                case 1 -> name = in.text();
                case 2 -> found = type(in.message());
                default -> in.skip();
            }
        }
        return new OnnxValueInfo(name, found.type(), found.shape());
    }

    private static OnnxValueInfo type(ProtoReader in) throws FormatException {
        Optional<DType> type = Optional.empty();
        Optional<List<Dimension>> shape = Optional.empty();
        while (in.next()) {
            if (in.field() != 1) {
                in.skip();
                continue;
            }
            ProtoReader tensor = in.message();
            while (tensor.next()) {
                switch (tensor.field()) {
                    case 1 -> type = OnnxTypes.of(tensor.int32());
                    case 2 -> shape = Optional.of(shape(tensor.message()));
                    default -> tensor.skip();
                }
            }
        }
        return new OnnxValueInfo("", type, shape);
    }

    private static List<Dimension> shape(ProtoReader in) throws FormatException {
        List<Dimension> dimensions = new ArrayList<>();
        while (in.next()) {
            if (in.field() != 1) {
                in.skip();
                continue;
            }
            ProtoReader one = in.message();
            Dimension dimension = Dimension.named("");
            while (one.next()) {
                switch (one.field()) {
                    case 1 -> {
                        long size = one.varint();
                        dimension = size < 0 ? Dimension.named("") : Dimension.of(size);
                    }
                    case 2 -> dimension = Dimension.named(one.text());
                    default -> one.skip();
                }
            }
            dimensions.add(dimension);
        }
        return dimensions;
    }

    // Tensors

    private Tensor tensor(ProtoReader in) throws IOException {
        String name = "";
        int type = 0;
        long[] dimensions = new long[0];
        MemorySegment raw = null;
        Elements typed = new Elements();
        boolean outside = false;
        Map<String, String> entries = new HashMap<>();
        while (in.next()) {
            switch (in.field()) {
                case 1 -> dimensions = dimensions(in, dimensions);
                case 2 -> type = in.int32();
                case 4, 5, 7, 10, 11 -> typed.add(in);
                case 8 -> name = in.text();
                case 9 -> raw = in.bytes();
                case 13 -> entry(in.message(), entries);
                case 14 -> outside = in.int32() == 1;
                default -> in.skip();
            }
        }
        String what = "tensor " + FormatException.quote(name);
        int number = type;
        DType dtype = OnnxTypes.of(type).orElseThrow(() -> in.problem(what
                + ": expected elements that are numbers of 8 to 64 bits, got the type " + number));
        if (outside && external == null) {
            throw in.problem(what + ": expected weights in the same file, got a reference to another");
        }
        MemorySegment data = outside && external != null ? external.read(name, entries)
                : raw != null ? raw : typed.toSegment(dtype);
        try {
            return Tensor.of(name, dtype, dimensions, data);
        } catch (IllegalArgumentException e) {
            throw new FormatException(file, String.valueOf(e.getMessage()), e);
        }
    }

    private static long[] dimensions(ProtoReader in, long[] before) throws FormatException {
        List<Long> more = new ArrayList<>();
        wholes(in, more);
        if (before.length + more.size() > MOST_DIMENSIONS) {
            throw in.problem("expected at most " + MOST_DIMENSIONS + " dimensions");
        }
        long[] all = Arrays.copyOf(before, before.length + more.size());
        for (int i = 0; i < more.size(); i++) {
            all[before.length + i] = more.get(i);
        }
        return all;
    }

    /// Elements in the fields of their own kind: 32-bit floats, 64-bit floats, or integers as varints. They are collected as
    /// bits, since the type may be said behind them; there are fewer than there are bytes in the file.
    private static final class Elements {
        /// Half a gigabyte; those who have more keep it as bytes.
        private static final int MOST = 1 << 26;

        private long[] bits = new long[0];
        private int count;

        void add(ProtoReader in) throws FormatException {
            int width = in.field() == 4 ? ProtoReader.FIXED32
                    : in.field() == 10 ? ProtoReader.FIXED64 : ProtoReader.VARINT;
            if (in.wireType() != ProtoReader.BYTES) {
                add(in, width == ProtoReader.FIXED32 ? in.fixed32()
                        : width == ProtoReader.FIXED64 ? in.fixed64() : in.varint());
                return;
            }
            for (ProtoReader packed = in.packed(); packed.hasMore();) {
                add(packed, width == ProtoReader.FIXED32 ? packed.packedFixed32()
                        : width == ProtoReader.FIXED64 ? packed.packedFixed64() : packed.packedVarint());
            }
        }

        private void add(ProtoReader in, long value) throws FormatException {
            if (count == MOST) {
                throw in.problem("expected at most " + MOST + " elements in fields of their own");
            }
            if (count == bits.length) {
                bits = Arrays.copyOf(bits, Math.max(8, count + (count >> 1)));
            }
            bits[count++] = value;
        }

        /// Returns the lowest bits of each, as many as the type has.
        MemorySegment toSegment(DType type) {
            byte[] bytes = new byte[Math.multiplyExact(count, type.bytes())];
            for (int i = 0; i < count; i++) {
                for (int k = 0; k < type.bytes(); k++) {
                    bytes[i * type.bytes() + k] = (byte) (bits[i] >> (Byte.SIZE * k));
                }
            }
            return MemorySegment.ofArray(bytes);
        }
    }
}
