package dev.ostinato.formats;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Reads the dictionary of an NPY file: the part of Python's literals that NumPy writes, and no other.
final class NpyHeaderParser {
    private static final int MAX_DIMENSIONS = 64;

    private final ArrayFile file;
    private final String text;
    private int position;

    private @Nullable DType dtype;
    private @Nullable Boolean fortranOrder;
    private long @Nullable [] shape;

    private NpyHeaderParser(ArrayFile file, String text) {
        this.file = file;
        this.text = text;
    }

    /// Parses the bytes behind the length.
    ///
    /// @param utf8 whether they are UTF-8, as from version 3.0 on, rather than Latin-1
    static NpyHeader parse(ArrayFile file, byte[] bytes, boolean utf8) throws FormatException {
        try {
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            String text = (utf8 ? UTF_8 : ISO_8859_1).newDecoder().decode(buffer).toString();
            return new NpyHeaderParser(file, text).dictionary();
        } catch (CharacterCodingException e) {
            throw file.damaged("header: expected UTF-8");
        }
    }

    private NpyHeader dictionary() throws FormatException {
        expect('{');
        while (!next('}')) {
            entry();
            if (!next(',')) {
                expect('}');
                break;
            }
        }
        if (peek() != 0) {
            throw expected("nothing after the dictionary");
        }
        if (dtype == null || fortranOrder == null || shape == null) {
            throw file.damaged("header: expected descr, fortran_order and shape, got "
                    + FormatException.quote(text.strip()));
        }
        return new NpyHeader(dtype, fortranOrder, shape);
    }

    private void entry() throws FormatException {
        String key = string();
        expect(':');
        switch (key) {
            case "descr" -> {
                once(dtype == null, key);
                dtype = type();
            }
            case "fortran_order" -> {
                once(fortranOrder == null, key);
                fortranOrder = bool();
            }
            case "shape" -> {
                once(shape == null, key);
                shape = tuple();
            }
            default -> throw file.damaged("header: expected descr, fortran_order or shape, got "
                    + FormatException.quote(key));
        }
    }

    private void once(boolean first, String key) throws FormatException {
        if (!first) {
            throw file.damaged("header: expected " + key + " once, got it twice");
        }
    }

    private DType type() throws FormatException {
        if (peek() == '[' || peek() == '(') {
            throw file.damaged("header: expected an array of numbers, got records of several fields");
        }
        String description = string();
        return NpyHeader.dtype(description).orElseThrow(() -> file.damaged("header: expected descr to be one of "
                + NpyHeader.descriptions() + ", got " + FormatException.quote(description)
                + (description.startsWith(">") ? ", which is big-endian" : "")));
    }

    private boolean bool() throws FormatException {
        if (word("True")) {
            return true;
        }
        if (word("False")) {
            return false;
        }
        throw expected("True or False");
    }

    private boolean word(String word) {
        peek();
        if (!text.startsWith(word, position)) {
            return false;
        }
        position += word.length();
        return true;
    }

    private long[] tuple() throws FormatException {
        List<Long> dimensions = new ArrayList<>();
        expect('(');
        boolean comma = true;
        while (!next(')')) {
            if (!comma) {
                throw expected("',' or ')'");
            }
            dimensions.add(integer());
            comma = next(',');
        }
        if (dimensions.size() == 1 && !comma) {
            throw file.damaged("header: expected shape to be a tuple, got a number in parentheses");
        }
        if (dimensions.size() > MAX_DIMENSIONS) {
            throw file.damaged("header: expected at most " + MAX_DIMENSIONS + " dimensions, got " + dimensions.size());
        }
        return dimensions.stream().mapToLong(Long::longValue).toArray();
    }

    private long integer() throws FormatException {
        peek();
        int start = position;
        while (position < text.length() && text.charAt(position) >= '0' && text.charAt(position) <= '9') {
            position++;
        }
        String digits = text.substring(start, position);
        try {
            long value = Long.parseLong(digits);
            word("L"); // Python 2
            return value;
        } catch (NumberFormatException e) {
            position = start;
            throw expected("a dimension from 0 to 2^63 - 1");
        }
    }

    private String string() throws FormatException {
        char quote = peek();
        if (quote != '\'' && quote != '"') {
            throw expected("a string");
        }
        int end = text.indexOf(quote, position + 1);
        if (end < 0 || text.substring(position, end).indexOf('\\') >= 0) {
            throw expected("a string without escapes");
        }
        String string = text.substring(position + 1, end);
        position = end + 1;
        return string;
    }

    private void expect(char c) throws FormatException {
        if (!next(c)) {
            throw expected("'" + c + "'");
        }
    }

    private boolean next(char c) {
        if (peek() != c) {
            return false;
        }
        position++;
        return true;
    }

    /// Returns the next character behind white space, 0 at the end.
    private char peek() {
        while (position < text.length() && " \t\r\n\f".indexOf(text.charAt(position)) >= 0) {
            position++;
        }
        return position < text.length() ? text.charAt(position) : 0;
    }

    private FormatException expected(String what) {
        String got = position < text.length() ? FormatException.quote(text.substring(position)) : "the end";
        return file.damaged("header: expected " + what + " at character " + position + ", got " + got);
    }
}
