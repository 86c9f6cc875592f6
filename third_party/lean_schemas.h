// Included before everything else where onnx's schemas are compiled. What the core never asks of an
// operator would be a third of the module: descriptions of inputs, outputs and attributes, their
// types (inference does not check them), and function bodies, which are parsed when the program
// starts. Inference of operators that have nothing but a body is in src/passes/bounded_schemas.cc.
#pragma once

#include <type_traits>

#include "onnx/defs/function.h"
#include "onnx/defs/schema.h"

namespace onnx {

// The address of a function where there is one, as lambdas without captures have. A std::function
// of each of them, instead of one for all addresses, would be most of the time that schemas take
// to compile.
template <typename Context, typename Function>
auto AddressOf(Function function) {
  if constexpr (std::is_convertible_v<Function, void (*)(Context&)>)
    return static_cast<void (*)(Context&)>(function);
  else
    return function;
}

}  // namespace onnx

#define TypeAndShapeInferenceFunction(...) \
  TypeAndShapeInferenceFunction(::onnx::AddressOf<::onnx::InferenceContext>(__VA_ARGS__))
#define PartialDataPropagationFunction(...) \
  PartialDataPropagationFunction(::onnx::AddressOf<::onnx::DataPropagationContext>(__VA_ARGS__))

#define Input(n, name, description, ...) Input(n, name, "", __VA_ARGS__)
#define Output(n, name, description, ...) Output(n, name, "", __VA_ARGS__)
#define Attr(name, description, ...) Attr(name, "", __VA_ARGS__)
#define TypeConstraint(name, ...) TypeConstraint(name, std::initializer_list<const char*>{}, "")
#define FunctionBody(...) SetDoc("")
#define SetContextDependentFunctionBodyBuilder(...) SetDoc("")
