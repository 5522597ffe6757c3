package dev.ostinato.kernels.vector;

import dev.ostinato.kernels.Matrix;
import dev.ostinato.kernels.Memory;
import dev.ostinato.kernels.raw.Pool;
import dev.ostinato.kernels.raw.Raw;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** The one vector species of this virtual machine, and loads and stores at raw addresses. */
final class Lanes {
    /** System property that forces a width in bits, for tests; more bits than the processor has are emulated, very slowly. */
    static final String PROPERTY = "ostinato.vector.bits";

    static final String REQUESTED = System.getProperty(PROPERTY, "");

    /** Whether the requested width is one that exists. */
    static final boolean VALID =
            REQUESTED.isEmpty() || REQUESTED.equals("128") || REQUESTED.equals("256") || REQUESTED.equals("512");

    static final VectorSpecies<Float> SPECIES = species();

    /**
     * The class of the vectors. What comes out of a loop or a branch is known as a {@link FloatVector} alone, and the compiler then goes by what
     * other code of this virtual machine has called the same method on: where that had vectors of another width, ours become objects. So a vector
     * that a loop carries on is cast to this class before a method of it is called; as an argument it need not be.
     */
    static final Class<? extends FloatVector> VECTOR = SPECIES.vectorType().asSubclass(FloatVector.class);

    /** Ints of the same width. */
    static final VectorSpecies<Integer> INTS = VectorSpecies.of(int.class, SPECIES.vectorShape());

    /** The class of the vectors of ints. */
    static final Class<? extends IntVector> INT_VECTOR = INTS.vectorType().asSubclass(IntVector.class);

    /** Shorts of the same width. */
    static final VectorSpecies<Short> SHORTS = VectorSpecies.of(short.class, SPECIES.vectorShape());

    /** Floats in a vector. */
    static final int COUNT = SPECIES.length();

    /** Bytes in a vector. */
    static final long BYTES = SPECIES.vectorByteSize();

    /** Rows whose rests are computed together. */
    static final int STAGE_ROWS = 16;

    /** Room for what is left of rows behind their last whole vector or block: two vectors of each of those rows. */
    static final Pool<Memory> STAGES = new Pool<>(() -> Memory.ofFloats(2L * STAGE_ROWS * Matrix.BLOCK));

    private static final long ADDRESS_BITS = (1L << 56) - 1;

    static final ByteOrder ORDER = ByteOrder.nativeOrder();

    private Lanes() {
    }

    private static VectorSpecies<Float> species() {
        if (!REQUESTED.isEmpty() && VALID) {
            return VectorSpecies.of(float.class, VectorShape.forBitSize(Integer.parseInt(REQUESTED)));
        }
        // A block is sixteen floats, so wider vectors would not divide it.
        return FloatVector.SPECIES_PREFERRED.length() > 16 ? FloatVector.SPECIES_512 : FloatVector.SPECIES_PREFERRED;
    }

    /**
     * Returns the address itself. No address of a process has more than 56 bits, and once the compiler has seen that it knows that an access
     * at a small distance from here lies inside {@link Raw#ALL}, and leaves out the check; in a product that is half of the time.
     */
    static long in(long address) {
        return address & ADDRESS_BITS;
    }

    /** Returns how many of some bytes are whole vectors. */
    static long whole(long bytes) {
        return bytes & -BYTES;
    }

    static FloatVector load(long address) {
        return FloatVector.fromMemorySegment(SPECIES, Raw.ALL, address, ORDER);
    }

    static void store(FloatVector v, long address) {
        VECTOR.cast(v).intoMemorySegment(Raw.ALL, address, ORDER);
    }

    /** Returns a mask of the lanes that {@code bytes} bytes fill: all of them if there are enough. */
    static VectorMask<Float> rest(long bytes) {
        return SPECIES.indexInRange(0, (int) Math.min(COUNT, bytes / Float.BYTES));
    }

    /** Copies the lanes of the mask to a whole vector, whose others become 0. */
    static void pad(long from, VectorMask<Float> rest, long to) {
        FloatVector.fromMemorySegment(SPECIES, Raw.ALL, from, ORDER, rest).intoMemorySegment(Raw.ALL, to, ORDER);
    }

    /** Copies the lanes of the mask from a whole vector. */
    static void unpad(long from, long to, VectorMask<Float> rest) {
        FloatVector.fromMemorySegment(SPECIES, Raw.ALL, from, ORDER).intoMemorySegment(Raw.ALL, to, ORDER, rest);
    }

    static FloatVector broadcast(float value) {
        return FloatVector.broadcast(SPECIES, value);
    }
}
