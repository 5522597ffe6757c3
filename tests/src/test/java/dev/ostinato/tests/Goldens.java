package dev.ostinato.tests;

import dev.ostinato.formats.SafeTensors;
import dev.ostinato.formats.Tensor;
import dev.ostinato.nn.NamedArray;
import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The files that the programs in {@code src/test/goldens} wrote. */
final class Goldens {
    private Goldens() {
    }

    static SafeTensors read(String name) throws IOException {
        return SafeTensors.read(path(name + ".safetensors"));
    }

    /** Returns where a file is. */
    static Path path(String name) throws IOException {
        URL url = Goldens.class.getResource("/goldens/" + name);
        if (url == null) {
            throw new IOException("no golden " + name);
        }
        try {
            return Path.of(url.toURI());
        } catch (URISyntaxException e) {
            throw new IOException(e);
        }
    }

    /** Returns the tensors whose names begin like this, without that. */
    static List<NamedArray> tensors(SafeTensors file, String prefix) throws IOException {
        List<NamedArray> tensors = new ArrayList<>();
        for (String name : file.names()) {
            if (name.startsWith(prefix)) {
                tensors.add(tensor(file, name, name.substring(prefix.length())));
            }
        }
        return tensors;
    }

    /** Returns a tensor under another name. */
    static NamedArray tensor(SafeTensors file, String name, String as) throws IOException {
        Tensor tensor = file.tensor(name);
        return new NamedArray(as, Arrays.stream(tensor.shape()).mapToObj(Math::toIntExact).toList(),
                tensor.toFloats());
    }
}
