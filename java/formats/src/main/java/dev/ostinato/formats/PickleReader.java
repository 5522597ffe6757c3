package dev.ostinato.formats;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.ostinato.formats.Pickled.Constant;
import dev.ostinato.formats.Pickled.Dict;
import dev.ostinato.formats.Pickled.Global;
import dev.ostinato.formats.Pickled.Items;
import dev.ostinato.formats.Pickled.Real;
import dev.ostinato.formats.Pickled.Storage;
import dev.ostinato.formats.Pickled.Text;
import dev.ostinato.formats.Pickled.Tuple;
import dev.ostinato.formats.Pickled.View;
import dev.ostinato.formats.Pickled.Whole;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Reads the pickle of a PyTorch file. A pickle is a program for a machine that can call anything in Python; this one knows those instructions
/// that data are made with, and those names that stand for tensors and their parts, and refuses all others. It calls nothing. What it makes
/// grows with the length of the pickle, and nothing in it is deeper on Java's stack than another.
///
/// Protocol 2, which `torch.save` writes unless told otherwise.
///
/// @see <a href="https://github.com/python/cpython/blob/main/Lib/pickletools.py">the instructions</a>
final class PickleReader {
    /// A hundred thousand tensors have a pickle of 20 MB.
    static final int MAX_LENGTH = 32 << 20;
    static final int MAX_RANK = 64;
    /// What an instruction of one byte can make: an empty dict.
    private static final int HEAP_PER_BYTE = 128;
    private static final int MAX_NAME = 200;

    private static final Map<String, Global> GLOBALS = Map.ofEntries(
            Map.entry("collections.OrderedDict", Global.ORDERED_DICT), Map.entry("torch.Size", Global.SIZE),
            Map.entry("torch._utils._rebuild_tensor_v2", Global.REBUILD_TENSOR),
            Map.entry("torch._utils._rebuild_parameter", Global.REBUILD_PARAMETER),
            Map.entry("torch.DoubleStorage", Global.F64), Map.entry("torch.FloatStorage", Global.F32),
            Map.entry("torch.HalfStorage", Global.F16), Map.entry("torch.BFloat16Storage", Global.BF16),
            Map.entry("torch.LongStorage", Global.I64), Map.entry("torch.IntStorage", Global.I32),
            Map.entry("torch.ShortStorage", Global.I16), Map.entry("torch.CharStorage", Global.I8),
            Map.entry("torch.ByteStorage", Global.U8), Map.entry("torch.BoolStorage", Global.BOOL));

    /// Names of instructions that are refused, for the message.
    private static final Map<Integer, String> REFUSED = Map.ofEntries(Map.entry((int) 'i', "INST"),
            Map.entry((int) 'o', "OBJ"),
            Map.entry((int) 'P', "PERSID"), Map.entry(0x81, "NEWOBJ"), Map.entry(0x92, "NEWOBJ_EX"),
            Map.entry(0x82, "EXT1"), Map.entry(0x83, "EXT2"), Map.entry(0x84, "EXT4"), Map.entry(0x93, "STACK_GLOBAL"),
            Map.entry(0x95, "FRAME"), Map.entry((int) 'I', "INT"), Map.entry((int) 'L', "LONG"),
            Map.entry((int) 'F', "FLOAT"), Map.entry((int) 'S', "STRING"), Map.entry((int) 'V', "UNICODE"),
            Map.entry((int) 'T', "BINSTRING"), Map.entry((int) 'U', "SHORT_BINSTRING"), Map.entry((int) 'd', "DICT"),
            Map.entry((int) 'l', "LIST"), Map.entry((int) 'p', "PUT"), Map.entry((int) 'g', "GET"),
            Map.entry((int) '0', "POP"), Map.entry((int) '1', "POP_MARK"), Map.entry((int) '2', "DUP"),
            Map.entry(0x8b, "LONG4"));

    private final Path file;
    private final ByteBuffer bytes;
    private final List<Pickled> stack = new ArrayList<>();
    private final List<Integer> marks = new ArrayList<>();
    private final Map<Integer, Pickled> memo = new HashMap<>();
    /// Where the instruction begins that is being carried out.
    private int at;

    private PickleReader(Path file, byte[] bytes) {
        this.file = file;
        this.bytes = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /// Returns how long a pickle may be here.
    static long maxLength() {
        return Math.min(MAX_LENGTH, Runtime.getRuntime().maxMemory() / HEAP_PER_BYTE);
    }

    /// Reads one pickle.
    static Pickled read(Path file, byte[] bytes) throws FormatException {
        if (bytes.length > maxLength()) {
            throw new FormatException(file,
                    "data.pkl: expected at most " + maxLength() + " bytes, got " + bytes.length);
        }
        return new PickleReader(file, bytes).read();
    }

    private Pickled read() throws FormatException {
        expect(next() == 0x80 && next() == 2, "protocol 2",
                "another, or no pickle; torch.save writes it unless told otherwise");
        while (true) {
            at = bytes.position();
            int instruction = next();
            if (instruction == '.') {
                Pickled result = pop();
                expect(stack.isEmpty() && !bytes.hasRemaining(), "one object and the end", "more");
                return result;
            }
            carryOut(instruction);
        }
    }

    private void carryOut(int instruction) throws FormatException {
        switch (instruction) {
            case 'N' -> stack.add(Constant.NONE);
            case 0x88 -> stack.add(Constant.TRUE);
            case 0x89 -> stack.add(Constant.FALSE);
            case 'K' -> stack.add(new Whole(next()));
            case 'M' -> stack.add(new Whole(available(2).getShort() & 0xffff));
            case 'J' -> stack.add(new Whole(available(4).getInt()));
            case 0x8a -> stack.add(new Whole(integer(next())));
            case 'G' -> stack.add(new Real(Double.longBitsToDouble(Long.reverseBytes(available(8).getLong()))));
            case 'X' -> stack.add(new Text(text(available(4).getInt() & 0xffffffffL)));
            case '(' -> marks.add(stack.size());
            case ')' -> stack.add(new Tuple(List.of()));
            case 0x85, 0x86, 0x87 -> stack.add(new Tuple(popped(stack.size() - (instruction - 0x84))));
            case 't' -> stack.add(new Tuple(popped(mark())));
            case ']' -> stack.add(new Items());
            case 'a' -> append(popped(stack.size() - 1));
            case 'e' -> append(popped(mark()));
            case '}' -> stack.add(new Dict());
            case 's' -> put(popped(stack.size() - 2));
            case 'u' -> put(popped(mark()));
            case 'q' -> memo.put(next(), top());
            case 'r' -> memo.put(available(4).getInt(), top());
            case 'h' -> stack.add(remembered(next()));
            case 'j' -> stack.add(remembered(available(4).getInt()));
            case 'c' -> stack.add(global());
            case 'Q' -> stack.add(storage(pop()));
            case 'R' -> stack.add(reduced());
            case 'b' -> {
                // The state of an object; that of an OrderedDict is `_metadata`, with versions of modules.
                pop();
                expect(top() instanceof Dict, "state of a dict", kind(top()));
            }
            default -> throw damaged("expected one of the instructions that make tensors, got "
                    + Optional.ofNullable(REFUSED.get(instruction)).orElse("an unknown one")
                    + String.format(" (0x%02x)", instruction) + ", which is not carried out");
        }
    }

    private int next() throws FormatException {
        return available(1).get() & 0xff;
    }

    private ByteBuffer available(long count) throws FormatException {
        if (count > bytes.remaining()) {
            throw damaged("expected " + count + " more bytes, got " + bytes.remaining());
        }
        return bytes;
    }

    private String text(long length) throws FormatException {
        ByteBuffer encoded = available(length).slice(bytes.position(), (int) length);
        bytes.position(bytes.position() + (int) length);
        try {
            return UTF_8.newDecoder().decode(encoded).toString();
        } catch (CharacterCodingException e) {
            throw damaged("expected UTF-8, got something else");
        }
    }

    /// Returns an integer of some bytes in two's complement.
    private long integer(int length) throws FormatException {
        expect(length <= Long.BYTES, "an integer of at most 8 bytes", length + "");
        available(length);
        long value = 0;
        for (int i = 0; i < length; i++) {
            value |= (long) next() << (8 * i);
        }
        int unused = Long.SIZE - Byte.SIZE * length;
        return length == 0 ? 0 : value << unused >> unused;
    }

    private int mark() throws FormatException {
        expect(!marks.isEmpty(), "a mark", "none");
        return marks.removeLast();
    }

    /// Takes everything from an index on off the stack.
    private List<Pickled> popped(int from) throws FormatException {
        if (from < floor() || from > stack.size()) {
            throw damaged("expected more objects on the stack, got " + stack.size());
        }
        List<Pickled> tail = stack.subList(from, stack.size());
        List<Pickled> objects = new ArrayList<>(tail);
        tail.clear();
        return objects;
    }

    /// What is below a mark is not to be had until the mark is gone.
    private int floor() {
        return marks.isEmpty() ? 0 : marks.getLast();
    }

    private Pickled pop() throws FormatException {
        return popped(stack.size() - 1).getFirst();
    }

    private Pickled top() throws FormatException {
        expect(stack.size() > floor(), "an object on the stack", "none");
        return stack.getLast();
    }

    private Pickled remembered(int index) throws FormatException {
        Pickled object = memo.get(index);
        if (object == null) {
            throw damaged("expected an object under the number " + Integer.toUnsignedString(index) + ", got none");
        }
        return object;
    }

    private void append(List<Pickled> values) throws FormatException {
        if (!(top() instanceof Items items)) {
            throw damaged("expected a list, got " + kind(top()));
        }
        items.values.addAll(values);
    }

    private void put(List<Pickled> keysAndValues) throws FormatException {
        if (!(top() instanceof Dict dict)) {
            throw damaged("expected a dict, got " + kind(top()));
        }
        expect(keysAndValues.size() % 2 == 0, "pairs of keys and values", keysAndValues.size() + " objects");
        for (int i = 0; i < keysAndValues.size(); i += 2) {
            Object key = switch (keysAndValues.get(i)) {
                case Text text -> text.value();
                case Whole whole -> whole.value();
                default -> throw damaged("expected a string or an integer as a key, got " + kind(keysAndValues.get(i)));
            };
            expect(dict.values.put(key, keysAndValues.get(i + 1)) == null, "every key once",
                    FormatException.quote(key.toString()) + " twice");
        }
    }

    private Global global() throws FormatException {
        String name = line() + "." + line();
        Global global = GLOBALS.get(name);
        if (global == null) {
            throw damaged("expected names that stand for tensors, got " + FormatException.quote(name)
                    + ", which is not called; torch.save(model.state_dict(), FILE) writes a file without it");
        }
        return global;
    }

    private String line() throws FormatException {
        int start = bytes.position();
        while (next() != '\n') {
            if (bytes.position() - start > MAX_NAME) {
                throw damaged("expected a name of at most " + MAX_NAME + " bytes, got more");
            }
        }
        return new String(bytes.array(), start, bytes.position() - 1 - start, ISO_8859_1);
    }

    private Storage storage(Pickled id) throws FormatException {
        if (id instanceof Tuple(List<Pickled> items) && items.size() == 5 && items.get(0) instanceof Text(String word)
                && word.equals("storage") && items.get(1) instanceof Global type
                && items.get(2) instanceof Text(String key)
                && items.get(4) instanceof Whole(long size) && size >= 0) {
            return new Storage(key, dtype(type), size);
        }
        throw damaged("expected a reference to a storage, got " + kind(id));
    }

    private DType dtype(Global type) throws FormatException {
        return DType.named(type.name()).orElseThrow(() -> damaged("expected the type of a storage, got " + type));
    }

    /// What calling a global with arguments would give.
    private Pickled reduced() throws FormatException {
        Pickled arguments = pop();
        Pickled callee = pop();
        if (!(callee instanceof Global global) || !(arguments instanceof Tuple(List<Pickled> items))) {
            throw damaged("expected a known name and arguments, got " + kind(callee) + " and " + kind(arguments));
        }
        return switch (global) {
            case ORDERED_DICT -> {
                expect(items.isEmpty(), "no arguments for a dict", items.size() + "");
                yield new Dict();
            }
            case SIZE -> new Tuple(argument(items, 0, Tuple.class).items());
            case REBUILD_TENSOR -> view(items);
            case REBUILD_PARAMETER -> argument(items, 0, View.class);
            default -> throw damaged("expected a name that can be called, got " + global);
        };
    }

    private <T extends Pickled> T argument(List<Pickled> items, int index, Class<T> type) throws FormatException {
        Pickled item = index < items.size() ? items.get(index) : Constant.NONE;
        if (!type.isInstance(item)) {
            throw damaged("expected a " + type.getSimpleName() + " as argument " + index + ", got " + kind(item));
        }
        return type.cast(item);
    }

    /// A tensor from its storage, offset, shape and strides; what else there is concerns gradients.
    private View view(List<Pickled> items) throws FormatException {
        Storage storage = argument(items, 0, Storage.class);
        long offset = argument(items, 1, Whole.class).value();
        long[] shape = integers(argument(items, 2, Tuple.class));
        long[] strides = integers(argument(items, 3, Tuple.class));
        expect(offset >= 0 && shape.length == strides.length, "a shape and as many strides",
                Arrays.toString(shape) + " and " + Arrays.toString(strides));
        expect(isWithin(storage, offset, shape, strides),
                "a tensor within the " + storage.size() + " elements of storage "
                        + FormatException.quote(storage.key()),
                "offset " + offset + ", shape " + Arrays.toString(shape) + " and strides "
                        + Arrays.toString(strides));
        return new View(storage, offset, shape, strides);
    }

    /// Tells whether all elements are in the storage, and not more of them than it has: one that is many would make a small file large.
    private static boolean isWithin(Storage storage, long offset, long[] shape, long[] strides) {
        try {
            long count = 1;
            long last = offset;
            for (int i = 0; i < shape.length; i++) {
                count = Math.multiplyExact(count, shape[i]);
                last = Math.addExact(last, Math.multiplyExact(Math.max(shape[i] - 1, 0), strides[i]));
            }
            return count == 0 ? offset <= storage.size() : last < storage.size() && count <= storage.size();
        } catch (ArithmeticException e) {
            return false;
        }
    }

    private long[] integers(Tuple tuple) throws FormatException {
        expect(tuple.items().size() <= MAX_RANK, "at most " + MAX_RANK + " dimensions", tuple.items().size() + "");
        long[] integers = new long[tuple.items().size()];
        for (int i = 0; i < integers.length; i++) {
            integers[i] = argument(tuple.items(), i, Whole.class).value();
            expect(integers[i] >= 0, "integers of at least 0", integers[i] + "");
        }
        return integers;
    }

    private static String kind(Pickled object) {
        return object instanceof Enum<?> constant ? constant.name() : "a " + object.getClass().getSimpleName();
    }

    private void expect(boolean condition, String expected, String got) throws FormatException {
        if (!condition) {
            throw damaged("expected " + expected + ", got " + got);
        }
    }

    private FormatException damaged(String problem) {
        return new FormatException(file, "data.pkl: " + problem + ", at byte " + at);
    }
}
