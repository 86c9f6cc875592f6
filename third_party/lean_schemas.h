// Included before everything else where onnx's schemas are compiled. What the core never asks of an
// operator would be a third of the module: descriptions of inputs, outputs and attributes, their
// types (inference does not check them), and function bodies, which are parsed when the program
// starts. Inference of operators that have nothing but a body is in src/passes/bounded_schemas.cc.
#pragma once

#include "onnx/defs/function.h"
#include "onnx/defs/schema.h"

#define Input(n, name, description, ...) Input(n, name, "", __VA_ARGS__)
#define Output(n, name, description, ...) Output(n, name, "", __VA_ARGS__)
#define Attr(name, description, ...) Attr(name, "", __VA_ARGS__)
#define TypeConstraint(name, ...) TypeConstraint(name, std::initializer_list<const char*>{}, "")
#define FunctionBody(...) SetDoc("")
#define SetContextDependentFunctionBodyBuilder(...) SetDoc("")
