package dev.ostinato.kernels.jni;

import dev.ostinato.kernels.raw.Raw;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Loads the library, once. The file that {@code -Dostinato.native.library} names, if it does; otherwise the resource
 * {@code META-INF/native/<platform>/libostinato.so}, copied to a directory of the user.
 */
final class NativeLibrary {
    /** System property that names the library's file. Nothing else is tried then. */
    static final String PROPERTY = "ostinato.native.library";

    /** As in {@code native/src/abi.h}. */
    static final int ABI_VERSION = 11;

    private NativeLibrary() {
    }

    /** Why there is no library: every place that was tried, and what was wrong with it. */
    static final class UnusableException extends Exception {
        private static final long serialVersionUID = 1;

        UnusableException(String message) {
            super(message);
        }
    }

    static void load() throws UnusableException {
        String named = System.getProperty(PROPERTY, "");
        if (named.isEmpty()) {
            loadResource();
        } else {
            load(Path.of(named).toAbsolutePath());
        }
    }

    private static void loadResource() throws UnusableException {
        byte[] library = resource();
        List<String> tried = new ArrayList<>();
        for (Path directory : LibraryCache.directories()) {
            try {
                load(new LibraryCache(directory).store(library));
                return;
            } catch (IOException e) {
                tried.add(directory + ": " + e);
            } catch (UnusableException e) {
                tried.add(String.valueOf(e.getMessage()));
            }
        }
        throw new UnusableException(
                "tried " + String.join("; ", tried) + "; or name a copy with -D" + PROPERTY + "=<file>");
    }

    private static byte[] resource() throws UnusableException {
        String directory = "META-INF/native/" + platform() + "/";
        try {
            byte[] library = read(directory + "libostinato.so");
            if (library.length > 0) {
                return library;
            }
            String reason = new String(read(directory + "not-built.txt"), StandardCharsets.UTF_8).strip();
            throw new UnusableException(reason.isEmpty()
                    ? "no resource " + directory
                            + "libostinato.so: add the artifact ostinato-native, or name the library with -D"
                            + PROPERTY + "=<file>"
                    : "the library was not built: " + reason);
        } catch (IOException e) {
            throw new UnusableException("resource " + directory + "libostinato.so: " + e);
        }
    }

    /** Returns the bytes of a resource, none if there is no such. */
    private static byte[] read(String name) throws IOException {
        ClassLoader loader = NativeLibrary.class.getClassLoader();
        try (InputStream in =
                loader == null ? ClassLoader.getSystemResourceAsStream(name) : loader.getResourceAsStream(name)) {
            return in == null ? new byte[0] : in.readAllBytes();
        }
    }

    private static String platform() {
        String os = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
        return os.replace(' ', '-') + "-" + architecture();
    }

    /** Returns the processor's architecture under the name that the library's resource has. */
    static String architecture() {
        String arch = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
        return arch.equals("amd64") ? "x86_64" : arch;
    }

    @SuppressWarnings("restricted") // the one place that loads native code
    private static void load(Path file) throws UnusableException {
        int version;
        try {
            System.load(file.toString());
            version = NativeCalls.abiVersion();
        } catch (IllegalCallerException e) {
            throw new UnusableException("start Java with " + Raw.nativeAccess());
        } catch (UnsatisfiedLinkError e) {
            throw new UnusableException(file + ": " + e.getMessage());
        }
        if (version != ABI_VERSION) {
            throw new UnusableException(file + ": expected ABI version " + ABI_VERSION + ", got " + version);
        }
    }
}
