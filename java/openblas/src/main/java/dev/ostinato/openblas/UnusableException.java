package dev.ostinato.openblas;

/** Why a library cannot be used; the message names it. */
final class UnusableException extends Exception {
    private static final long serialVersionUID = 1;

    UnusableException(String message) {
        super(message);
    }
}
