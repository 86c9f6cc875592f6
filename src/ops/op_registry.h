// How QDQ and QOperator quantize each operator. An operator is a row that names its rules; the
// rules are carried out in src/quantization: mark_qdq.cc and plan_qoperator.cc decide, rewrite_*.cc
// write.
#pragma once

#include <span>
#include <string_view>

namespace ptq {

// Which tensors of a node get QuantizeLinear/DequantizeLinear pairs.
enum class QdqRule {
  kGeneric,    // every float input and output
  kConcat,     // as kGeneric, but float data stay float: onnxruntime 1.32 fuses DQ -> Concat -> Q
               // of float16 into a QLinearConcat that it then refuses
  kConv,       // input 0, output; input 1 a weight; input 2 an int32 bias
  kGemm,       // as kConv; the weight's channels depend on transB
  kMatMul,     // initializers are weights, all else activations
  kRemovable,  // Relu, Clip: dropped where quantizing the output clips as they do
  kSharedOutput,   // data movement: output 0 takes the parameters of input 0
  kGather,         // as kSharedOutput; starts by itself on a float initializer
  kSplit,          // input 0; all outputs share its parameters
  kPad,            // all inputs; output shares where padding adds no new value
  kWhere,          // inputs 1 and 2 and the outputs, if both inputs are quantized
  kNormalization,  // input 0, outputs; input 1 a weight; input 2 an int32 bias
};

// What a node becomes in the QOperator format.
enum class QOperatorRule {
  kNone,                     // has no integer form: stays float
  kConv,                     // QLinearConv
  kGemm,                     // com.microsoft QGemm
  kMatMul,                   // QLinearMatMul
  kBinary,                   // com.microsoft QLinear<Op> of inputs 0 and 1
  kUnary,                    // com.microsoft QLinear<Op> of input 0
  kSoftmax,                  // com.microsoft QLinearSoftmax, output scale 1/256
  kGlobalAveragePool,        // com.microsoft QLinearGlobalAveragePool
  kConcat,                   // com.microsoft QLinearConcat
  kRemovable,                // dropped where its input's range lies within its bounds
  kSharedOutput,             // the same op on quantized data, parameters passed on
  kSplit,                    // the same, for every output
  kPad,                      // the same, the pad value quantized too
  kGather,                   // the same, on a quantized initializer
  kArgMax,                   // reads quantized data, writes indices
  kWhere,                    // com.microsoft QLinearWhere, only if forced
  kEmbedLayerNormalization,  // com.microsoft QEmbedLayerNormalization on quantized initializers
};

// What an operator or its integer form needs beside its rules.
struct OpTraits {
  int min_opset = 1;            // below it the node stays float: the integer form does not exist
  int channel_axis = 0;         // kConv: the axis of the output channels in the weight
  bool unit_dilations = false;  // with other dilations the node stays float: no form has any
  bool float8 = true;           // whether the operator takes float8
};

struct OpRow {
  std::string_view op_type;
  QdqRule qdq;
  QOperatorRule qoperator;
  OpTraits traits;
};

// The op types that are quantized when op_types_to_quantize is empty, in alphabetical order: those
// of onnxruntime.quantization's two static registries.
std::span<const OpRow> OpRegistry();

// The row of `op_type`, or null: then it is quantized only if the user names it, in QDQ by
// QdqRule::kGeneric.
const OpRow* FindOp(std::string_view op_type);

// The rule of QDQ for `op_type`, with or without a row.
QdqRule QdqRuleOf(std::string_view op_type);

// Op types without a row that runtimes are known to fuse or run, and that are tested here: for
// docs/operators.md. In alphabetical order.
std::span<const std::string_view> TestedWithoutRow();

// What a rule means, in a few words: for docs/operators.md.
std::string_view Describe(QdqRule rule);
std::string_view Describe(QOperatorRule rule);

}  // namespace ptq
