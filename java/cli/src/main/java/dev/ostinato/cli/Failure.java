package dev.ostinato.cli;

/** An expected failure of a command. The message is one sentence for the user; the exit status is 1. */
final class Failure extends RuntimeException {
    private static final long serialVersionUID = 1;

    Failure(String message) {
        super(message);
    }

    Failure(String message, Throwable cause) {
        super(message, cause);
    }
}
