// Every decision of a quantization, as plain data, made before anything is rewritten: per tensor
// its parameters, per node what happens to it and why. The rewriters only carry it out.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/diagnostic.h"
#include "quantization/bias.h"
#include "quantization/float_reason.h"
#include "quantization/quant_params.h"

namespace ptq {

using TensorRanges = std::unordered_map<std::string, TensorRange>;

enum class NodeAction {
  kFloat,      // left as it is
  kQuantized,  // QDQ: Q/DQ pairs on its tensors; QOperator: its integer form
  kShared,     // the same op on quantized data, parameters passed through
  kRemoved,  // a Relu or Clip that quantizing makes needless: the quantized range clips as it does
};

struct NodePlan {
  bool selected = false;  // by op type and node name
  NodeAction action = NodeAction::kFloat;
  FloatReason reason;        // why, where kFloat
  bool reads_float = false;  // it must not see dequantized data: see QdqMarker::IsFloat16Concat
};

enum class TensorRole { kActivation, kInitializer };

// A second type for some readers of a tensor: T -> Q -> DQ -> Q (converted) -> DQ.
struct ConvertPlan {
  QuantParams params;
  std::optional<std::unordered_set<std::string>> recv_nodes;  // names; nullopt: all readers

  bool IsReadBy(const std::string& node) const { return !recv_nodes || recv_nodes->contains(node); }
};

struct TensorPlan {
  std::string tensor;
  TensorRole role = TensorRole::kActivation;
  QuantParams params;             // resolved, also where shared
  std::string shares_with;        // the tensor whose scale and zero point it uses; empty: its own
  bool shares_converted = false;  // those that `shares_with` is converted to
  std::optional<ConvertPlan> convert;
  bool has_range = false;
  TensorRange range;  // what was calibrated, where has_range

  // The parameters with which the node of that name reads it.
  const QuantParams& ParamsFor(const std::string& node) const {
    return convert && convert->IsReadBy(node) ? convert->params : params;
  }
};

struct BiasPlan {
  int node = -1;      // index of the node that reads it
  std::string bias;   // the float initializer
  std::string name;   // the same, or the name of this node's own copy
  std::string input;  // tensors whose scales it takes
  std::string weight;
  BiasFactors factors;
};

struct QuantPlan {
  std::vector<NodePlan> nodes;      // as graph.node()
  std::vector<TensorPlan> tensors;  // in the order in which they are quantized
  std::unordered_map<std::string, size_t> tensor_index;
  std::vector<BiasPlan> biases;
  // Input of a removed node -> its output: the producer of the one writes the other instead.
  std::unordered_map<std::string, std::string> renamed_outputs;
  Diagnostics diagnostics;

  const TensorPlan* Find(const std::string& tensor) const {
    const auto found = tensor_index.find(tensor);
    return found == tensor_index.end() ? nullptr : &tensors[found->second];
  }
};

}  // namespace ptq
