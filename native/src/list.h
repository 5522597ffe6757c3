// LIST(f, x, y, ...) is f(x), f(y), ...; a macro applied to each argument of a kernel in kernels.def.
#pragma once

#define OSTINATO_PARENTHESES ()
#define OSTINATO_EXPAND(...) OSTINATO_EXPAND3(OSTINATO_EXPAND3(__VA_ARGS__))
#define OSTINATO_EXPAND3(...) OSTINATO_EXPAND2(OSTINATO_EXPAND2(OSTINATO_EXPAND2(__VA_ARGS__)))
#define OSTINATO_EXPAND2(...) OSTINATO_EXPAND1(OSTINATO_EXPAND1(OSTINATO_EXPAND1(__VA_ARGS__)))
#define OSTINATO_EXPAND1(...) __VA_ARGS__
#define OSTINATO_NEXT(f, x, ...) f(x) __VA_OPT__(, OSTINATO_AGAIN OSTINATO_PARENTHESES (f, __VA_ARGS__))
#define OSTINATO_AGAIN() OSTINATO_NEXT
#define LIST(f, ...) OSTINATO_EXPAND(OSTINATO_NEXT(f, __VA_ARGS__))

// The type of an argument: TYPE(MATRIX(a)) is Matrix.
#define TYPE(argument) TYPE_##argument
#define TYPE_MATRIX(name) ::ostinato::Matrix
#define TYPE_PACKED(name) ::ostinato::Packed
#define TYPE_WEIGHTS(name) ::ostinato::Weights
#define TYPE_QUANTIZED(name) ::ostinato::Quantized
#define TYPE_INDICES(name) ::ostinato::Indices
#define TYPE_ACTIVATION(name) ::ostinato::Activation
#define TYPE_INT(name) int32_t
#define TYPE_FLOAT(name) float
