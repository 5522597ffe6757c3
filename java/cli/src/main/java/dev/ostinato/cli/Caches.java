package dev.ostinato.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * What holds data between a core and its memory.
 *
 * @param levels nearest first; empty where nobody tells
 */
record Caches(List<Cache> levels) {
    private static final Path FIRST_CORE = Path.of("/sys/devices/system/cpu/cpu0/cache");
    /** How many times larger than a cache data must be for most of them not to be there. */
    private static final int FAR_LARGER = 4;

    /** A cache for data. */
    record Cache(int level, long bytes) {}

    Caches {
        levels = levels.stream().sorted(Comparator.comparingInt(Cache::level)).toList();
    }

    /** Asks the system. */
    static Caches here() {
        return in(FIRST_CORE);
    }

    /** Reads what Linux tells of a core's caches: a directory for each, with files {@code level}, {@code type} and {@code size}. */
    static Caches in(Path directory) {
        List<Cache> caches = new ArrayList<>();
        try (Stream<Path> entries = Files.list(directory)) {
            for (Path cache : entries.filter(entry -> entry.getFileName().toString().startsWith("index")).toList()) {
                if (!read(cache, "type").equals("Instruction")) {
                    caches.add(new Cache(Integer.parseInt(read(cache, "level")), bytes(read(cache, "size"))));
                }
            }
        } catch (IOException | NumberFormatException e) {
            return new Caches(List.of());
        }
        return new Caches(caches);
    }

    private static String read(Path cache, String file) throws IOException {
        return Files.readString(cache.resolve(file), UTF_8).strip();
    }

    private static long bytes(String size) {
        int unit = "KMG".indexOf(size.charAt(size.length() - 1));
        return Long.parseLong(unit < 0 ? size : size.substring(0, size.length() - 1)) << (10 * (unit + 1));
    }

    /** Returns the nearest level that holds so many bytes: {@code L2}, {@code DRAM} or {@code unknown}. */
    String levelOf(long bytes) {
        return levels.stream().filter(cache -> cache.bytes >= bytes).map(cache -> "L" + cache.level).findFirst()
                .orElse(levels.isEmpty() ? "unknown" : "DRAM");
    }

    /**
     * Returns whether so many bytes, read again and again, come from their level alone: the one before it is far too small to keep a part of
     * them from one time to the next.
     */
    boolean wholly(long bytes) {
        return !levels.isEmpty() && levels.stream().allMatch(c -> c.bytes >= bytes || c.bytes * FAR_LARGER <= bytes);
    }
}
