// Included before everything else where onnx registers its schemas: those that a model of opset 7,
// the oldest that is supported (kMinOpset), or newer can ask for, instead of all. What is not
// registered is not linked.
#pragma once

#include <functional>

#include "onnx/defs/operator_sets.h"

namespace onnx {

// Operators that opset 7 has in an older version.
struct OlderThanOpset7 {
  static void ForEachSchema(const std::function<void(OpSchema&&)>& add) {
#define PTQ_SCHEMA(version, name) \
  add(GetOpSchema<ONNX_OPERATOR_SET_SCHEMA_CLASS_NAME(Onnx, version, name)>());
    PTQ_SCHEMA(1, ArgMax) PTQ_SCHEMA(1, ArgMin) PTQ_SCHEMA(1, Constant) PTQ_SCHEMA(1, Conv)
    PTQ_SCHEMA(1, ConvTranspose) PTQ_SCHEMA(1, DepthToSpace) PTQ_SCHEMA(1, Flatten)
    PTQ_SCHEMA(1, Gather) PTQ_SCHEMA(1, GlobalAveragePool) PTQ_SCHEMA(1, GlobalMaxPool)
    PTQ_SCHEMA(1, Hardmax) PTQ_SCHEMA(1, Identity) PTQ_SCHEMA(1, If) PTQ_SCHEMA(1, LRN)
    PTQ_SCHEMA(1, LogSoftmax) PTQ_SCHEMA(1, Loop) PTQ_SCHEMA(1, LpNormalization)
    PTQ_SCHEMA(1, MatMul) PTQ_SCHEMA(1, MaxPool) PTQ_SCHEMA(1, MaxRoiPool) PTQ_SCHEMA(1, Not)
    PTQ_SCHEMA(1, RandomNormal) PTQ_SCHEMA(1, RandomNormalLike) PTQ_SCHEMA(1, RandomUniform)
    PTQ_SCHEMA(1, RandomUniformLike) PTQ_SCHEMA(1, ReduceL1) PTQ_SCHEMA(1, ReduceL2)
    PTQ_SCHEMA(1, ReduceLogSum) PTQ_SCHEMA(1, ReduceLogSumExp) PTQ_SCHEMA(1, ReduceMax)
    PTQ_SCHEMA(1, ReduceMean) PTQ_SCHEMA(1, ReduceMin) PTQ_SCHEMA(1, ReduceProd)
    PTQ_SCHEMA(1, ReduceSum) PTQ_SCHEMA(1, ReduceSumSquare) PTQ_SCHEMA(1, Shape) PTQ_SCHEMA(1, Size)
    PTQ_SCHEMA(1, Slice) PTQ_SCHEMA(1, Softmax) PTQ_SCHEMA(1, Softplus) PTQ_SCHEMA(1, Softsign)
    PTQ_SCHEMA(1, SpaceToDepth) PTQ_SCHEMA(1, Squeeze) PTQ_SCHEMA(1, TopK) PTQ_SCHEMA(1, Transpose)
    PTQ_SCHEMA(1, Unsqueeze) PTQ_SCHEMA(2, GlobalLpPool) PTQ_SCHEMA(2, LpPool) PTQ_SCHEMA(2, Pad)
    PTQ_SCHEMA(2, Split) PTQ_SCHEMA(4, Concat) PTQ_SCHEMA(5, Reshape) PTQ_SCHEMA(6, Abs)
    PTQ_SCHEMA(6, Cast) PTQ_SCHEMA(6, Ceil) PTQ_SCHEMA(6, Clip) PTQ_SCHEMA(6, Elu)
    PTQ_SCHEMA(6, Exp) PTQ_SCHEMA(6, Floor) PTQ_SCHEMA(6, HardSigmoid)
    PTQ_SCHEMA(6, InstanceNormalization) PTQ_SCHEMA(6, LeakyRelu) PTQ_SCHEMA(6, Log)
    PTQ_SCHEMA(6, Max) PTQ_SCHEMA(6, Mean) PTQ_SCHEMA(6, Min) PTQ_SCHEMA(6, Neg)
    PTQ_SCHEMA(6, Reciprocal) PTQ_SCHEMA(6, Relu) PTQ_SCHEMA(6, Selu) PTQ_SCHEMA(6, Sigmoid)
    PTQ_SCHEMA(6, Sqrt) PTQ_SCHEMA(6, Sum) PTQ_SCHEMA(6, Tanh) PTQ_SCHEMA(6, Tile)
#undef PTQ_SCHEMA
  }
};

template <typename... OpSets>
void RegisterOpSets() {
  (RegisterOpSetSchema<OpSets>(), ...);
}

inline void RegisterAllSupported() {
  RegisterOpSets<OlderThanOpset7, OpSet_Onnx_ver7, OpSet_Onnx_ver8, OpSet_Onnx_ver9,
                 OpSet_Onnx_ver10, OpSet_Onnx_ver11, OpSet_Onnx_ver12, OpSet_Onnx_ver13,
                 OpSet_Onnx_ver14, OpSet_Onnx_ver15, OpSet_Onnx_ver16, OpSet_Onnx_ver17,
                 OpSet_Onnx_ver18, OpSet_Onnx_ver19, OpSet_Onnx_ver20, OpSet_Onnx_ver21,
                 OpSet_Onnx_ver22, OpSet_Onnx_ver23, OpSet_Onnx_ver24, OpSet_Onnx_ver25,
                 OpSet_Onnx_ver26, OpSet_Onnx_ver27, OpSet_Onnx_ver28>();
  OpSchemaRegistry::SetLoadedSchemaVersion(0);
}

// Called so that nobody inlines it into what looks a schema up, once or more for each node: with
// 80 kB of code in it, V8 takes each call for a long one and optimizes all of it, for half a
// second.
inline void RegisterSupportedSchemas() {
  static void (*const volatile kRegister)() = &RegisterAllSupported;
  kRegister();
}

}  // namespace onnx

#define RegisterOnnxOperatorSetSchema RegisterSupportedSchemas
