package dev.ostinato.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;

/** Strict UTF-8. */
final class Utf8 {
    private Utf8() {}

    /** Says that a file is something else than text, and from which byte on. */
    static final class NotTextException extends IOException {
        private static final long serialVersionUID = 1;

        NotTextException(String message) {
            super(message);
        }
    }

    /** Returns the text of a file. @throws NotTextException if a byte is zero or the bytes are not UTF-8; it names the offset */
    static CharBuffer decode(String file, byte[] bytes) throws NotTextException {
        for (int i = 0; i < bytes.length; i++) {
            if (bytes[i] == 0) {
                throw new NotTextException(file + ": not a text file, byte " + i + " is zero");
            }
        }
        CharsetDecoder decoder = UTF_8.newDecoder(); // stops at the first malformed byte, unlike String
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CharBuffer out = CharBuffer.allocate(bytes.length);
        CoderResult result = decoder.decode(in, out, true);
        if (result.isError()) {
            throw new NotTextException(file + ": not UTF-8 text at byte " + in.position());
        }
        return out.flip();
    }
}
