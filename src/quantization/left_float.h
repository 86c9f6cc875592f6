// Nodes that stay float because 8 bits lose too much there, and what must stay float with them.
// onnxruntime quantizes the float weight of a layer that stands between DequantizeLinear and
// QuantizeLinear when it loads the model (its WeightBiasQuantization). So a layer that is left
// float and reads quantized data writes float data, and the layers that read this have float
// weights, too.
#pragma once

#include <string>
#include <unordered_set>

#include "model/graph_view.h"

namespace ptq {

// What people and reports call a node: its name, or its first output where it has none.
std::string NodeLabel(const onnx::NodeProto& node);

struct LeftFloat {
  std::unordered_set<const onnx::NodeProto*> nodes;
  std::unordered_set<std::string> tensors;

  bool empty() const { return nodes.empty(); }
};

// `labels`: the nodes that are chosen, by NodeLabel. `all_readers`: whatever reads a float tensor
// of theirs is float, not only layers.
LeftFloat FindLeftFloat(const GraphView& view, const std::unordered_set<std::string>& labels,
                        bool all_readers);

}  // namespace ptq
