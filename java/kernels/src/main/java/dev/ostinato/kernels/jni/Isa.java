package dev.ostinato.kernels.jni;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** The instruction sets that there are kernels for, with the numbers of {@code native/src/isa.h}. Of an architecture's, the best is last. */
enum Isa {
    AVX2(0, "x86_64", "AVX2 with FMA"),
    AVX512(1, "x86_64", "AVX-512 (F, BW, DQ, VL)"),
    AVX512VNNI(2, "x86_64", "AVX-512 (F, BW, DQ, VL, VNNI)"),
    NEON(3, "aarch64", "NEON");

    private final int number;

    /** As in {@link NativeLibrary#architecture}. */
    private final String architecture;

    private final String description;

    Isa(int number, String architecture, String description) {
        this.number = number;
        this.architecture = architecture;
        this.description = description;
    }

    /** Returns those of an architecture. */
    static List<Isa> of(String architecture) {
        return Arrays.stream(values()).filter(isa -> isa.architecture.equals(architecture)).toList();
    }

    int number() {
        return number;
    }

    /** Returns the name by which it is asked for, such as {@code avx2}. */
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    String description() {
        return description;
    }
}
