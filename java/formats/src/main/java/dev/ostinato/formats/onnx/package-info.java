/// ONNX files as they are: the messages of the format as records, read with suspicion. What they compute is the
/// business of others.
///
/// An [OnnxFile] has an [OnnxGraph] of [OnnxNode]s, whose [OnnxAttribute]s may hold graphs of their own; weights are
/// [dev.ostinato.formats.Tensor]s. [OnnxFile#read] checks what the encoding and the sizes of tensors ask for; whether
/// nodes fit together it does not know.
///
/// The wire format of protobuf is read and written here, in two short classes, rather than by generated code: about a
/// dozen messages are needed, and sizes, depths and counts must be checked before anything is allocated.
@NullMarked
package dev.ostinato.formats.onnx;

import org.jspecify.annotations.NullMarked;
