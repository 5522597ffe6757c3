package dev.ostinato.formats;

import dev.ostinato.formats.Pickled.Dict;
import dev.ostinato.formats.Pickled.View;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;

/// Finds the dicts of tensors in an object: what `torch.save` is given may be one, or have some under keys that are strings. Under keys that
/// are integers an optimiser keeps what it knows of each weight, so these are not looked at.
final class StateDicts {
    private static final int MAX_DEPTH = 16;
    private static final int MAX_DICTS = 10_000;
    private static final int MAX_KEY = 200;
    private static final int SHOWN = 10;

    /// Of tensors alone.
    private final SequencedMap<String, SequencedMap<String, View>> found = new LinkedHashMap<>();
    /// With something else in them.
    private final SequencedMap<String, SequencedMap<String, View>> mixed = new LinkedHashMap<>();
    private final Set<Dict> seen = Collections.newSetFromMap(new IdentityHashMap<>());

    private StateDicts() {}

    /// Returns the tensors of the dict with a key, or of the only one.
    static SequencedMap<String, View> choose(Path path, Pickled object, Optional<String> key) throws FormatException {
        if (!(object instanceof Dict dict)) {
            throw new FormatException(path, "expected a dict of tensors, got another object; "
                    + "torch.save(model.state_dict(), FILE) writes one");
        }
        StateDicts dicts = new StateDicts();
        dicts.find("", dict, 0);
        SequencedMap<String, SequencedMap<String, View>> found = dicts.found.isEmpty() ? dicts.mixed : dicts.found;
        if (key.isPresent() && found.containsKey(key.get())) {
            return found.get(key.get());
        }
        if (key.isEmpty() && found.size() == 1) {
            return found.firstEntry().getValue();
        }
        List<String> keys = found.keySet().stream().limit(SHOWN).map(FormatException::quote).toList();
        throw new FormatException(path, "state dict: expected " + (key.isPresent() ? FormatException.quote(key.get())
                : found.isEmpty() ? "a dict of tensors" : "one, or --state-dict with the key of the one to use")
                + ", got "
                + (keys.isEmpty() ? "none" : String.join(" and ", keys)));
    }

    /// A dict with nothing but tensors is one to choose; in another one goes on.
    private void find(String key, Dict dict, int depth) {
        if (depth > MAX_DEPTH || seen.size() == MAX_DICTS || !seen.add(dict)) {
            return;
        }
        SequencedMap<String, View> tensors = new LinkedHashMap<>();
        List<Map.Entry<String, Dict>> inner = new ArrayList<>();
        dict.values.forEach((name, value) -> {
            if (name instanceof String text && value instanceof View view) {
                tensors.put(text, view);
            } else if (name instanceof String text && value instanceof Dict other && text.length() <= MAX_KEY) {
                inner.add(Map.entry(key.isEmpty() ? text : key + "." + text, other));
            }
        });
        if (!tensors.isEmpty()) {
            (tensors.size() == dict.values.size() ? found : mixed).put(key, tensors);
        }
        for (Map.Entry<String, Dict> other : inner) {
            find(other.getKey(), other.getValue(), depth + 1);
        }
    }
}
