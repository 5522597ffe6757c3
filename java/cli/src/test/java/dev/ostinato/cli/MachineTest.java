package dev.ostinato.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class MachineTest {
    @Test
    void x86IsRead() {
        Machine machine = Machine.parse("""
                processor\t: 0
                model name\t: Some CPU @ 2.00GHz
                flags\t\t: fpu sse2 sse4_2 avx avx2 fma avx512f avx512_vnni rdpid

                processor\t: 1
                model name\t: Another CPU
                flags\t\t: fpu
                """);
        assertEquals(
                new Machine("Some CPU @ 2.00GHz", List.of("sse4_2", "avx", "avx2", "fma", "avx512f", "avx512_vnni")),
                machine);
    }

    @Test
    void armIsRead() {
        assertEquals(new Machine("unknown", List.of("asimd", "asimddp", "sve")),
                Machine.parse("processor\t: 0\nFeatures\t: fp asimd asimddp sve\nCPU part\t: 0xd0c\n"));
    }

    @Test
    void nothingIsUnknown() {
        assertEquals(new Machine("unknown", List.of()), Machine.parse(""));
    }

    @Test
    void warningsNameTheBug() {
        assertEquals(List.of(), JvmWarnings.of(Runtime.Version.parse("25.0.3+9-LTS"), false));
        assertEquals(List.of(), JvmWarnings.of(Runtime.Version.parse("25.0.4"), false));
        List<String> old = JvmWarnings.of(Runtime.Version.parse("25.0.2+10-LTS"), true);
        assertEquals(2, old.size());
        assertTrue(old.get(0).contains("JDK-8377811"), old.get(0));
        assertTrue(old.get(1).contains("JDK-8380060"), old.get(1));
    }
}
