package dev.ostinato.cli;

import dev.ostinato.nn.CellType;
import dev.ostinato.nn.Layer;
import dev.ostinato.nn.Regularization;
import picocli.CommandLine.Option;

/** {@link ModelOptions} on the command line. */
final class ModelArguments {
    @Option(names = "--cell", paramLabel = "rnn|lstm|gru", order = 3,
            description = "Kind of recurrent cell (default: lstm), with options such as 'lstm(projection=64,clip=3)'.")
    private String cell = "lstm";

    @Option(names = "--hidden", paramLabel = "N", order = 4,
            description = "Units of a layer (default: ${DEFAULT-VALUE}).")
    private int hidden = 128;

    @Option(names = "--layers", paramLabel = "N", order = 5,
            description = "Recurrent layers (default: ${DEFAULT-VALUE}).")
    private int layers = 1;

    @Option(names = "--embedding", paramLabel = "N", order = 6, description = {
        "Size of a learned row for each character; 0 for one-hot (default: ${DEFAULT-VALUE})."})
    private int embedding;

    @Option(names = "--stack", paramLabel = "plain|residual", order = 7, description = {
        "How layers are stacked: residual adds to the output of each but the first what it takes (default: plain)."})
    private ModelOptions.Stack stack = ModelOptions.Stack.PLAIN;

    @Option(names = "--init", paramLabel = "pytorch|keras", order = 8, description = {
        "Initial weights: the defaults of PyTorch or of Keras, whose LSTM begins with a forget bias of 1 (default: pytorch)."})
    private ModelOptions.Init init = ModelOptions.Init.PYTORCH;

    @Option(names = "--dropout", paramLabel = "X", order = 30, description = {
        "Part of each layer's output that is dropped (default: ${DEFAULT-VALUE})."})
    private double dropout;

    @Option(names = "--dropout-scope", paramLabel = "step|stream", order = 31, description = {
        "Whether --dropout draws anew at every step, or once for the --seq steps of a batch (default: step)."})
    private Layer.Dropout.Scope dropoutScope = Layer.Dropout.Scope.STEP;

    @Option(names = "--recurrent-dropout", paramLabel = "X", order = 32, description = {
        "Part of the state that the recurrent weights do not see, the same for all steps of a batch (default: ${DEFAULT-VALUE})."})
    private double recurrentDropout;

    @Option(names = "--drop-connect", paramLabel = "X", order = 33, description = {
        "Part of the recurrent weights that is dropped for a batch (default: ${DEFAULT-VALUE})."})
    private double dropConnect;

    @Option(names = "--zoneout", paramLabel = "X", order = 34, description = {
        "Part of the units that keep their state at a step; when the model is used each keeps so much (default: ${DEFAULT-VALUE})."})
    private double zoneout;

    @Option(names = "--cell-zoneout", paramLabel = "X", order = 35, description = {
        "The same of the cell state of an LSTM (default: ${DEFAULT-VALUE})."})
    private double cellZoneout;

    /** Returns the options. @throws IllegalArgumentException if one is out of range; the message names it */
    ModelOptions options() {
        Regularization regularization = Regularization.NONE.withRecurrentDropout(recurrentDropout)
                .withDropConnect(dropConnect).withZoneout(zoneout, cellZoneout);
        return new ModelOptions(cellType(), hidden, layers, embedding, dropout, dropoutScope, regularization, stack,
                init);
    }

    private CellType cellType() {
        if (cell.equals("rnn")) {
            return CellType.RNN_TANH;
        }
        try {
            return CellType.of(cell);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("--cell: expected rnn, lstm or gru, got " + cell, e);
        }
    }
}
