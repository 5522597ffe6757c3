package dev.ostinato.cli;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;

/** What is known to go wrong on a virtual machine. */
final class JvmWarnings {
    private static final Runtime.Version ADVISED = Runtime.Version.parse("25.0.3");

    private JvmWarnings() {}

    /** Returns one sentence for each, about the running one. */
    static List<String> here() {
        return of(Runtime.version(), compactObjectHeaders());
    }

    static List<String> of(Runtime.Version version, boolean compactObjectHeaders) {
        List<String> warnings = new ArrayList<>();
        if (version.compareToIgnoreOptional(ADVISED) < 0) {
            warnings.add("Java " + version + ": before " + ADVISED
                    + " the G1 collector may move arrays that native code works on (JDK-8377811); install a newer JDK 25");
        }
        if (compactObjectHeaders) {
            warnings.add("-XX:+UseCompactObjectHeaders is known to go wrong with this JDK (JDK-8380060); leave it out");
        }
        return warnings;
    }

    private static boolean compactObjectHeaders() {
        HotSpotDiagnosticMXBean hotSpot = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
        try {
            return hotSpot != null && Boolean.parseBoolean(hotSpot.getVMOption("UseCompactObjectHeaders").getValue());
        } catch (IllegalArgumentException e) {
            return false; // a virtual machine without the option
        }
    }
}
