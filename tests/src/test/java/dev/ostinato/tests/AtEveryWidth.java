package dev.ostinato.tests;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Tests that run once with all backends, the vector backend at the width of the processor, and again with the vector backend alone at each
 * other width; the build has a virtual machine for each.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@Tag("conformance")
@ExtendWith(AtEveryWidth.Once.class)
@interface AtEveryWidth {
    /** Leaves out the width of the processor where it is forced: all backends have been tested with it. */
    final class Once implements ExecutionCondition {
        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            String own = Integer.toString(Math.min(FloatVector.SPECIES_PREFERRED.vectorBitSize(), 512));
            return System.getProperty("ostinato.vector.bits", "").equals(own)
                    ? ConditionEvaluationResult.disabled(own + " bits are the processor's own width, tested before")
                    : ConditionEvaluationResult.enabled("a width not tested yet");
        }
    }
}
