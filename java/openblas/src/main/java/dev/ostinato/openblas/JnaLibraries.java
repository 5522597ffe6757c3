package dev.ostinato.openblas;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Collectors;

/** Opens libraries through JNA, with a sentence where it does not work. */
final class JnaLibraries {
    private JnaLibraries() {
    }

    /** Opens a file, or what the system finds under a name such as {@code blis}. */
    static NativeLibrary open(String name) throws UnusableException {
        boolean file = name.contains("/") || name.contains(File.separator);
        if (file && !Files.isRegularFile(Path.of(name))) {
            throw new UnusableException(name + ": no such file");
        }
        try {
            return NativeLibrary.getInstance(file ? Path.of(name).toAbsolutePath().toString() : name);
        } catch (UnsatisfiedLinkError e) {
            throw new UnusableException(name + ": " + reason(e).replace(name + ": ", ""));
        }
    }

    /** JNA says first that it failed, then what the linker said, at every place, and last where else it has looked. */
    private static String reason(UnsatisfiedLinkError e) {
        return String.valueOf(e.getMessage()).lines()
                .filter(line -> !line.startsWith("Unable to load") && !line.contains("resource path"))
                .distinct().collect(Collectors.joining("; "));
    }

    static Optional<Function> function(NativeLibrary library, String name) {
        try {
            return Optional.of(library.getFunction(name));
        } catch (UnsatisfiedLinkError e) {
            return Optional.empty();
        }
    }
}
