/**
 * Runs models of ONNX files.
 *
 * <ul>
 * <li>{@link dev.ostinato.onnx.OnnxModel}: a graph whose operators, attributes and types are all supported; what is not is named when it is read.
 * <li>{@link dev.ostinato.onnx.OnnxSession} runs it on {@link dev.ostinato.onnx.OnnxArray}s, and keeps an {@link dev.ostinato.onnx.OnnxPlan} for each
 * combination of shapes that comes. Who runs one again and again uses the plan itself, which allocates nothing; it also carries the states that
 * {@link dev.ostinato.onnx.OnnxModel#states} has recognised from run to run.
 * <li>{@link dev.ostinato.onnx.OnnxExport} writes models of nn.
 * </ul>
 *
 * <p>Inside: {@code Operators} makes an {@code Operator} of each node when a model is read, which reads its attributes. {@code Planner} asks operators what
 * comes out of inputs of known shapes; the answer is {@code Value}s and code. What depends on constants and shapes alone is computed while planning, so
 * that shapes are always known, an {@code If} becomes one of its branches, and what is left runs straight through. When a shape or a branch
 * depends on what is in an input, such as a sampling rate, the plan is one for that value.
 *
 * <p>Recurrent nodes are computed by the cells of {@link dev.ostinato.nn}; the functions that cost time by {@link dev.ostinato.kernels}; the rest is plain Java.
 */
@NullMarked
package dev.ostinato.onnx;

import org.jspecify.annotations.NullMarked;
