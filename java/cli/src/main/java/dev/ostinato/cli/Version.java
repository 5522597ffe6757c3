package dev.ostinato.cli;

import java.util.Objects;

import picocli.CommandLine.IVersionProvider;

/** Tells the version from the jar, and that of the virtual machine. */
final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
        String version = Version.class.getPackage().getImplementationVersion();
        return new String[] {"ostinato " + Objects.requireNonNullElse(version, "(not packaged)") + ", Java "
                + Runtime.version()};
    }
}
