package dev.ostinato.tests;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackages;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

/** Holds the map of modules: who may depend on whom, and where the incubator module may be named. */
final class ArchitectureTest {
    private static final String KERNELS = "dev.ostinato.kernels..";
    private static final String NN = "dev.ostinato.nn..";
    private static final String FORMATS = "dev.ostinato.formats..";
    private static final String ONNX = "dev.ostinato.onnx..";
    private static final String OPENBLAS = "dev.ostinato.openblas..";
    private static final String CLI = "dev.ostinato.cli..";
    private static final String EXAMPLES = "dev.ostinato.examples..";
    private static final String VECTOR = "jdk.incubator.vector..";

    /** The product's classes; an unreadable or empty class path must not make every rule true. */
    private static final JavaClasses PRODUCT = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("dev.ostinato");

    @Test
    void everyModuleIsOnTheClassPath() {
        for (String module : List.of("kernels", "openblas", "nn", "formats", "onnx", "cli")) {
            assertTrue(PRODUCT.containPackage("dev.ostinato." + module), () -> "no classes of dev.ostinato." + module);
        }
    }

    @Test
    void kernelsDependOnTheJdkAlone() {
        classes().that().resideInAPackage(KERNELS)
                .should().onlyDependOnClassesThat().resideInAnyPackage("java..", "org.jspecify..", VECTOR, KERNELS)
                .check(PRODUCT);
    }

    @Test
    void nnDependsOnKernelsAlone() {
        classes().that().resideInAPackage(NN)
                .should().onlyDependOnClassesThat().resideInAnyPackage("java..", "org.jspecify..", KERNELS, NN)
                .check(PRODUCT);
    }

    @Test
    void formatsDependOnNnAndKernelsOfOurs() {
        noClasses().that().resideInAPackage(FORMATS)
                .should().dependOnClassesThat(resideInAPackage("dev.ostinato..")
                        .and(resideOutsideOfPackages(KERNELS, NN, FORMATS)))
                .check(PRODUCT);
    }

    @Test
    void onnxDependsOnFormatsAndWhatTheyDependOn() {
        classes().that().resideInAPackage(ONNX)
                .should().onlyDependOnClassesThat().resideInAnyPackage("java..", "org.jspecify..", KERNELS, NN,
                        FORMATS, ONNX)
                .check(PRODUCT);
    }

    @Test
    void nothingDependsOnTheCommandLineOrTheExamples() {
        noClasses().that().resideOutsideOfPackage(CLI)
                .should().dependOnClassesThat().resideInAPackage(CLI)
                .check(PRODUCT);
        noClasses().that().resideOutsideOfPackage(EXAMPLES)
                .should().dependOnClassesThat().resideInAPackage(EXAMPLES)
                .check(PRODUCT);
    }

    /** Without the incubator module only the vector backend may fail to load. */
    @Test
    void onePackageNamesTheIncubatorModule() {
        noClasses().that().resideOutsideOfPackage("dev.ostinato.kernels.vector")
                .should().dependOnClassesThat().resideInAPackage(VECTOR)
                .check(PRODUCT);
    }

    /** And it is reached by name alone, so that leaving it out breaks nothing. */
    @Test
    void oneModuleNamesTheBindingsOfBlas() {
        noClasses().that().resideOutsideOfPackage(OPENBLAS)
                .should().dependOnClassesThat().resideInAnyPackage("org.bytedeco..", "com.sun.jna..", OPENBLAS)
                .check(PRODUCT);
        classes().that().resideInAPackage(OPENBLAS)
                .should().onlyDependOnClassesThat().resideInAnyPackage("java..", "org.jspecify..", "org.bytedeco..",
                        "com.sun.jna..", KERNELS, OPENBLAS)
                .check(PRODUCT);
    }

    @Test
    void everyPackageSaysWhatLivesThereAndIsNullMarked() {
        List<String> without = new ArrayList<>();
        PRODUCT.getPackage("dev.ostinato").traversePackageTree(javaClass -> true, (JavaPackage pkg) -> {
            boolean marked = pkg.tryGetPackageInfo().map(info -> info.isAnnotatedWith(NullMarked.class)).orElse(false);
            if (!pkg.getClasses().isEmpty() && !marked) {
                without.add(pkg.getName());
            }
        });
        assertEquals(List.of(), without, "packages without a package-info.java that is @NullMarked");
    }
}
