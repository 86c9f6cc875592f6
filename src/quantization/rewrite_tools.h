// What both rewriters do: initializers, biases, and the final clean-up.
#pragma once

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/diagnostic.h"
#include "model/graph_view.h"
#include "model/model.h"
#include "quantization/bias.h"
#include "quantization/quant_plan.h"

namespace ptq {

// Adds initializers to a graph, under names that are free: callers make them so (UniqueNames).
class InitializerAdder {
 public:
  explicit InitializerAdder(onnx::GraphProto* graph);
  void Add(onnx::TensorProto tensor);  // throws kInternal where the name is taken

 private:
  onnx::GraphProto* graph_;
  std::unordered_set<std::string> names_;
};

// Names of scale and zero point initializers, "<tensor>_scale" and "<tensor>_zero_point" (with
// "_convert" for what it is converted to) unless the model uses them already; tensors that share
// parameters share names.
class ParameterNames {
 public:
  ParameterNames(UniqueNames* names, InitializerAdder* adder) : names_(names), adder_(adder) {}

  struct Pair {
    std::string scale;
    std::string zero_point;
  };
  // The names of the tensor's parameters; adds the two initializers the first time that their owner
  // is asked for.
  const Pair& Add(const TensorPlan& tensor);
  // The same for what `tensor` is converted to.
  const Pair& AddConverted(const TensorPlan& tensor);

 private:
  const Pair& Add(const std::string& owner, const std::string& suffix, const QuantParams& params);

  UniqueNames* names_;
  InitializerAdder* adder_;
  std::unordered_map<std::string, Pair> pairs_;  // by owner and suffix
};

// The int32 form of `bias` with the scales that `plan` gives its input and weight. Scales repeat
// where a grouped weight has fewer channels than the bias.
QuantizedBias ComputeBias(const Model& model, const onnx::TensorProto& bias,
                          const std::vector<float>& input_scales,
                          const std::vector<float>& weight_scales, BiasFactors factors);
onnx::TensorProto BiasValues(const std::string& name, const onnx::TensorProto& bias,
                             const QuantizedBias& quantized, TensorStore* tensors);

// Scales and int32 zeros: scalars per tensor, vectors per channel. ONNX wants one shape for both;
// the reference writes a vector of one scale beside a scalar zero point. Scales and vectors are
// stored raw, the scalar zero in its typed field, as there.
onnx::TensorProto BiasScales(const std::string& name, const QuantizedBias& quantized);
onnx::TensorProto BiasZeroPoints(const std::string& name, const QuantizedBias& quantized);

// Removes initializers, and their repetition as graph inputs.
void RemoveInitializers(onnx::GraphProto* graph, const std::unordered_set<std::string>& names);

// Drops value_info of tensors that no longer exist.
void RemoveStaleValueInfo(onnx::GraphProto* graph);

// Sorts, cleans up and signs the finished model; `bodies` inside: those too.
void FinishModel(Model* model, Bodies bodies, bool remove_unused_initializers);

}  // namespace ptq
