package dev.ostinato.bench;

/** The options of every measured virtual machine. */
final class Jvm {
    static final String VECTORS = "--add-modules=jdk.incubator.vector";
    static final String NATIVE = "--enable-native-access=ALL-UNNAMED";
    /** No collector threads beside those that compute. */
    static final String COLLECTOR = "-XX:+UseSerialGC";
    static final String LEAST_HEAP = "-Xms512m";
    static final String MOST_HEAP = "-Xmx512m";

    private Jvm() {
    }
}
