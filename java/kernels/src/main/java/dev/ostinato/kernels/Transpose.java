package dev.ostinato.kernels;

/** How a matrix enters a product: as it is, or with rows and columns exchanged. */
public enum Transpose {
    /** The matrix itself. */
    NO,
    /** Its transpose. Nothing is copied by the caller; the matrix lies in memory as it is. */
    YES
}
