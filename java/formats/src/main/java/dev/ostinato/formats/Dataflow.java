package dev.ostinato.formats;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// In which order modules feed one another: so that each gets as many inputs as the one before has outputs, and modules whose names differ
/// by a number alone, such as `lstm1` and `lstm2`, go by their numbers. If that leaves one order, it is the one.
///
/// Of several, the usual one is taken, in which linear layers are behind the recurrent ones, if all others take inputs of another size: a model
/// that is not so is found out at its first step. Otherwise whoever asks must say.
final class Dataflow {
    private static final Pattern NUMBER = Pattern.compile("0*(\\d+)");
    private static final Pattern PLAIN = Pattern.compile("[\\w.-]{1,200}");
    /// Beyond these a person is asked: finding an order is a matter of trying.
    private static final int MAX_MODULES = 64;
    private static final int MAX_TRIES = 20_000;
    private static final int SHOWN = 12;
    private static final int MAX_ORDERS = 100;
    /// What is shown to choose from.
    private static final int CHOICES = 3;

    private final Path file;
    private final List<List<TorchModule>> modules;
    private final List<String> wanted;

    /// @param modules each in the ways in which it can be read, at least one
    /// @param wanted their names in order, as in [ImportHints#modules]; empty if it is not known
    Dataflow(Path file, List<List<TorchModule>> modules, List<String> wanted) {
        this.file = file;
        this.modules = modules;
        this.wanted = wanted;
    }

    /// Returns the name of the module in an element of [ImportHints#modules].
    static String nameIn(String hint) {
        return hint.replaceFirst(":(embedding|linear)$", "");
    }

    /// Returns the modules, the one that takes the inputs first.
    ///
    /// @throws FormatException if there is no order, or more than one
    List<TorchModule> order() throws FormatException {
        List<List<TorchModule>> orders = orders(modules.stream().map(Dataflow::byName).toList());
        if (orders.isEmpty()) {
            orders = orders(modules);
        }
        if (orders.isEmpty()) {
            throw refusal("some that feed one another, or --modules with the names of those to use in their order",
                    modules.isEmpty() ? "no tensors" : shown());
        }
        List<TorchModule> order = orders.size() == 1 ? orders.getFirst() : usual(orders);
        if (wanted.isEmpty()) {
            checkGaps(order);
        }
        return order;
    }

    private List<TorchModule> usual(List<List<TorchModule>> orders) throws FormatException {
        List<List<TorchModule>> usual = orders.stream().filter(Dataflow::endsLinear).toList();
        if (orders.size() < MAX_ORDERS && usual.size() == 1 && orders.stream()
                .allMatch(order -> order.equals(usual.getFirst()) || inputs(order) != inputs(usual.getFirst()))) {
            return usual.getFirst();
        }
        throw refusal("one order, where names and shapes leave open which",
                Stream.concat(usual.stream(), orders.stream()).distinct().limit(CHOICES)
                        .map(order -> "--modules "
                                + order.stream().map(module -> hint(module, orders)).collect(Collectors.joining(",")))
                        .collect(Collectors.joining(" or ")));
    }

    private static int inputs(List<TorchModule> order) {
        return order.getFirst().inputs();
    }

    /// Tells whether no linear layer has something else behind it.
    private static boolean endsLinear(List<TorchModule> order) {
        return order.stream().dropWhile(module -> !module.isLinear()).allMatch(TorchModule::isLinear);
    }

    /// A matrix that is called an embedding is one, unless that does not fit.
    private static List<TorchModule> byName(List<TorchModule> readings) {
        List<TorchModule> embeddings = readings.stream()
                .filter(m -> m.isEmbedding() && m.name().toLowerCase(Locale.ROOT).contains("emb")).toList();
        return embeddings.isEmpty() ? readings : embeddings;
    }

    private List<List<TorchModule>> orders(List<List<TorchModule>> readings) throws FormatException {
        return wanted.isEmpty() ? new Search(readings).orders() : asWanted(readings);
    }

    private List<List<TorchModule>> asWanted(List<List<TorchModule>> readings) throws FormatException {
        List<List<TorchModule>> chains = List.of(List.of());
        for (String hint : wanted) {
            List<TorchModule> named =
                    readings.stream().filter(m -> m.getFirst().name().equals(nameIn(hint))).findFirst()
                            .orElseThrow(() -> refusal("those of --modules " + String.join(",", wanted),
                                    "no tensors of " + FormatException.quote(nameIn(hint))));
            List<List<TorchModule>> longer = new ArrayList<>();
            for (List<TorchModule> chain : chains) {
                named.stream().filter(module -> !hint.endsWith(":embedding") || module.isEmbedding())
                        .filter(module -> !hint.endsWith(":linear") || module.isLinear())
                        .filter(module -> follows(chain, module))
                        .forEach(module -> longer.add(appended(chain, module)));
            }
            chains = longer;
        }
        return chains;
    }

    private static boolean follows(List<TorchModule> chain, TorchModule module) {
        return chain.isEmpty() || (!module.isEmbedding() && chain.getLast().outputs() == module.inputs());
    }

    private static List<TorchModule> appended(List<TorchModule> chain, TorchModule module) {
        List<TorchModule> longer = new ArrayList<>(chain);
        longer.add(module);
        return longer;
    }

    /// Between two linear layers there is a function, or they would be one: nobody writes it into a state dict.
    private void checkGaps(List<TorchModule> order) throws FormatException {
        for (int i = 1; i < order.size(); i++) {
            if (order.get(i - 1).isLinear() && order.get(i).isLinear()) {
                throw refusal("to know what is between " + order.get(i - 1) + " and " + order.get(i)
                        + ", which weights do not tell",
                        "nothing; --modules " + order.stream().map(Dataflow::plain).collect(Collectors.joining(","))
                                + " says that it is nothing but dropout, and a function would need another file, such as ONNX");
            }
        }
    }

    /// A name, and how to read the module where only that differs.
    private static String hint(TorchModule module, List<List<TorchModule>> orders) {
        boolean open = orders.stream().flatMap(List::stream)
                .anyMatch(other -> other.name().equals(module.name()) && !other.type().equals(module.type()));
        return plain(module) + (!open ? "" : module.isEmbedding() ? ":embedding" : ":linear");
    }

    /// Returns a name as it is typed, unless it is one that nobody types.
    private static String plain(TorchModule module) {
        return PLAIN.matcher(module.name()).matches() ? module.name() : FormatException.quote(module.name());
    }

    private String shown() {
        return modules.stream().limit(SHOWN).map(readings -> readings.getLast().toString())
                .collect(Collectors.joining(", ")) + (modules.size() > SHOWN ? ", ..." : "");
    }

    private FormatException refusal(String expected, String got) {
        return new FormatException(file, "modules: expected " + expected + ", got " + got);
    }

    /// A name with its numbers apart, without the zeros in front of them.
    private record Numbered(String rest, List<String> numbers) {
        static Numbered of(String name) {
            Matcher matcher = NUMBER.matcher(name);
            return new Numbered(matcher.replaceAll("#"),
                    matcher.reset().results().map(number -> number.group(1)).toList());
        }

        /// Tells whether two names differ by one number alone, which is the less in this.
        boolean precedes(Numbered other) {
            if (!rest.equals(other.rest)) {
                return false;
            }
            List<Integer> differences = new ArrayList<>();
            for (int i = 0; i < numbers.size(); i++) {
                int order = compare(numbers.get(i), other.numbers.get(i));
                if (order != 0) {
                    differences.add(order);
                }
            }
            return differences.size() == 1 && differences.getFirst() < 0;
        }

        private static int compare(String a, String b) {
            return a.length() != b.length() ? Integer.compare(a.length(), b.length()) : a.compareTo(b);
        }
    }

    /// Tries all orders, one module further at a time.
    private static final class Search {
        private final List<List<TorchModule>> readings;
        private final boolean[][] precedes;
        private final boolean[] taken;
        private final List<List<TorchModule>> orders = new ArrayList<>();
        private int tries;

        Search(List<List<TorchModule>> readings) {
            int count = Math.min(readings.size(), MAX_MODULES + 1);
            this.readings = readings;
            this.precedes = new boolean[count][count];
            this.taken = new boolean[count];
            List<Numbered> names =
                    readings.stream().limit(count).map(module -> Numbered.of(module.getFirst().name())).toList();
            for (int i = 0; i < count; i++) {
                for (int j = 0; j < count; j++) {
                    precedes[i][j] = names.get(i).precedes(names.get(j));
                }
            }
        }

        /// Returns the first few; none if there are too many ways to try.
        List<List<TorchModule>> orders() {
            if (readings.size() <= MAX_MODULES && !readings.isEmpty()) {
                goOn(List.of());
            }
            return tries < MAX_TRIES ? orders : List.of();
        }

        private void goOn(List<TorchModule> chain) {
            if (chain.size() == readings.size()) {
                orders.add(chain);
                return;
            }
            for (int i = 0; i < taken.length; i++) {
                if (!taken[i] && !waits(i)) {
                    taken[i] = true;
                    for (TorchModule module : readings.get(i)) {
                        if (orders.size() < MAX_ORDERS && tries < MAX_TRIES && follows(chain, module)) {
                            tries++;
                            goOn(appended(chain, module));
                        }
                    }
                    taken[i] = false;
                }
            }
        }

        private boolean waits(int module) {
            for (int other = 0; other < taken.length; other++) {
                if (!taken[other] && precedes[other][module]) {
                    return true;
                }
            }
            return false;
        }
    }
}
