#include "quantization/float_weights.h"

#include <algorithm>
#include <cstdio>
#include <unordered_map>
#include <utility>

#include "model/element_type.h"
#include "model/subgraphs.h"
#include "quantization/weight_form.h"

namespace ptq {
namespace {

constexpr uint64_t kWorthSaying = 1024;  // bytes: less is no weight of a model
constexpr size_t kNamed = 3;             // weights in the message

bool IsFloatData(const onnx::TensorProto& tensor) {
  switch (tensor.data_type()) {
    case onnx::TensorProto::FLOAT:
    case onnx::TensorProto::FLOAT16:
    case onnx::TensorProto::BFLOAT16:
    case onnx::TensorProto::DOUBLE:
      return true;
    default:
      return false;
  }
}

// Calls `visit(tensor, holder)` with each float initializer of two values and more; `holder` is the
// node whose body it is in, null for those of the graph itself.
template <typename Visit>
void ForEachWeight(const onnx::GraphProto& graph, const onnx::NodeProto* holder,
                   const Visit& visit) {
  for (const onnx::TensorProto& tensor : graph.initializer()) {
    if (IsFloatData(tensor) && ElementCount(tensor) > 1) visit(tensor, holder);
  }
  for (const onnx::NodeProto& node : graph.node()) {
    ForEachSubgraph(node, [&](const onnx::GraphProto& body) {
      ForEachWeight(body, holder == nullptr ? &node : holder, visit);
    });
  }
}

std::string NameOf(const onnx::NodeProto& node) {
  return node.name().empty() && node.output_size() > 0 ? node.output(0) : node.name();
}

class Explainer {
 public:
  Explainer(const GraphView& view, const QuantPlan& plan, const StaticQuantConfig& config)
      : view_(view), plan_(plan), config_(config), forms_(view, plan) {}

  FloatWeight Explain(const onnx::TensorProto& tensor, const onnx::NodeProto* holder) const {
    FloatWeight weight{tensor.name(), ElementCount(tensor) * ElementBytes(tensor.data_type())};
    const int reader = BlamedReader(tensor.name());
    if (holder != nullptr && !config_.enable_subgraph) {
      weight.node = NameOf(*holder);
      weight.reason = {FloatReasonCode::kOpTypeNotSelected,
                       Text("it is in a body of ") + holder->op_type() + " '" + weight.node + "'"};
    } else if (reader < 0) {
      weight.reason = {FloatReasonCode::kNone, "no node of the graph reads it"};
    } else {
      const onnx::NodeProto& node = view_.node(reader);
      const FloatReason& reason = PlanOf(reader).reason;
      weight.node = NameOf(node);
      weight.reason = reason;
      if (reason.empty()) weight.reason.text = Text() + node.op_type() + " takes it as floats";
      weight.asked_for = IsAskedFor(reason.code);
      if (plan_.Find(tensor.name()) != nullptr && config_.add_qdq_pair_to_weight) {
        weight.asked_for = true;
        weight.reason.text = "AddQDQPairToWeight keeps it";
      }
    }
    return weight;
  }

 private:
  const NodePlan& PlanOf(int node) const { return plan_.nodes[static_cast<size_t>(node)]; }

  // The node at which the way of the weight into the graph ends: behind others that make one
  // constant of another. Of several readers one that stays float.
  int BlamedReader(const std::string& weight) const {
    std::string tensor = weight;
    int reader = -1;
    for (int hops = 0; hops < kMostHops; ++hops) {
      const std::vector<Use>& uses = view_.Uses(tensor);
      if (uses.empty()) break;
      const auto is_float = [this](const Use& use) { return !PlanOf(use.node).reason.empty(); };
      const auto found = std::find_if(uses.begin(), uses.end(), is_float);
      reader = found == uses.end() ? uses.front().node : found->node;
      const onnx::NodeProto& node = view_.node(reader);
      if (node.output_size() == 0 || !forms_.IsConstant(node.output(0))) break;
      tensor = node.output(0);
    }
    return reader;
  }

  bool IsAskedFor(FloatReasonCode code) const {
    return code == FloatReasonCode::kNodeExcluded || code == FloatReasonCode::kNodeNotSelected ||
           (code == FloatReasonCode::kOpTypeNotSelected && !config_.op_types_to_quantize.empty());
  }

  static constexpr int kMostHops = 16;

  const GraphView& view_;
  const QuantPlan& plan_;
  const StaticQuantConfig& config_;
  const WeightForms forms_;
};

// 14226134 -> "14.2 MB".
std::string BytesText(uint64_t bytes) {
  if (bytes < 1000) return std::to_string(bytes) + " B";
  double value = static_cast<double>(bytes) / 1000;
  const char* unit = "kB";
  for (const char* next : {"MB", "GB"}) {
    if (value < 999.5) break;
    value /= 1000;
    unit = next;
  }
  char text[32];
  std::snprintf(text, sizeof text, value < 10 ? "%.2f %s" : "%.1f %s", value, unit);
  return text;
}

Text Hint(const FloatWeight& largest, const StaticQuantConfig& config) {
  switch (largest.reason.code) {
    case FloatReasonCode::kNoIntegerForm:
    case FloatReasonCode::kUnsupportedForm:
    case FloatReasonCode::kUnsupportedType:
    case FloatReasonCode::kInputNotQuantized:
    case FloatReasonCode::kInputNotConstant:
      if (config.quant_format == QuantFormat::kQOperator) {
        return "try quant_format QDQ, which has no need of an integer form";
      }
      break;
    case FloatReasonCode::kWeightComputed:
    case FloatReasonCode::kOtherDomain:
      if (!config.optimize_model) return "leave optimize_model on: it evaluates and inlines";
      break;
    case FloatReasonCode::kOpTypeNotSelected:
      if (!config.enable_subgraph && largest.reason.text.str().starts_with("it is in a body")) {
        return "EnableSubgraph quantizes bodies";
      }
      break;
    default:
      break;
  }
  return "every float weight and node is in the report with its reason";
}

}  // namespace

std::unordered_set<std::string> FloatWeightsOf(const onnx::GraphProto& graph) {
  std::unordered_set<std::string> names;
  ForEachWeight(graph, nullptr, [&](const onnx::TensorProto& tensor, const onnx::NodeProto*) {
    names.insert(tensor.name());
  });
  return names;
}

uint64_t FloatWeightBytes(const onnx::GraphProto& graph) {
  uint64_t bytes = 0;
  ForEachWeight(graph, nullptr, [&](const onnx::TensorProto& tensor, const onnx::NodeProto*) {
    bytes += ElementCount(tensor) * ElementBytes(tensor.data_type());
  });
  return bytes;
}

uint64_t InlineWeightBytes(const onnx::GraphProto& graph) {
  uint64_t bytes = 0;
  ForEachWeight(graph, nullptr, [&](const onnx::TensorProto& tensor, const onnx::NodeProto*) {
    // float16 may be in int32_data, as varints of a byte at least.
    bytes += tensor.raw_data().size() + sizeof(float) * tensor.float_data_size() +
             sizeof(double) * tensor.double_data_size() + tensor.int32_data_size();
  });
  return bytes;
}

PlannedWeights PlanWeights(const GraphView& view, const QuantPlan& plan,
                           const StaticQuantConfig& config) {
  std::unordered_map<std::string, size_t> biases;  // readers that take an integer copy
  if (!IsFloat8(config.weight_type)) {
    for (const BiasPlan& bias : plan.biases) ++biases[bias.bias];
  }
  PlannedWeights weights;
  const auto add = [&](const onnx::TensorProto& tensor, const onnx::NodeProto*) {
    const TensorPlan* planned = plan.Find(tensor.name());
    const auto bias = biases.find(tensor.name());
    const bool is_bias = bias != biases.end() && bias->second >= view.Uses(tensor.name()).size();
    if (is_bias) {
      weights.integer_bytes += ElementCount(tensor) * sizeof(int32_t);
    } else if (planned != nullptr && planned->role == TensorRole::kInitializer &&
               !config.add_qdq_pair_to_weight) {
      weights.integer_bytes += (ElementCount(tensor) * Bits(planned->params.type) + 7) / 8;
    } else {
      weights.left.insert(tensor.name());
    }
  };
  ForEachWeight(view.graph(), nullptr, add);
  return weights;
}

FloatWeights FindFloatWeights(const GraphView& view, const QuantPlan& plan,
                              const StaticQuantConfig& config,
                              const std::unordered_set<std::string>& left) {
  const Explainer explainer(view, plan, config);
  FloatWeights weights;
  const auto add = [&](const onnx::TensorProto& tensor, const onnx::NodeProto* holder) {
    const uint64_t bytes = ElementCount(tensor) * ElementBytes(tensor.data_type());
    weights.bytes += bytes;
    if (!left.contains(tensor.name())) return;
    weights.float_bytes += bytes;
    weights.left.push_back(explainer.Explain(tensor, holder));
  };
  ForEachWeight(view.graph(), nullptr, add);
  std::sort(weights.left.begin(), weights.left.end(), [](const auto& a, const auto& b) {
    return a.bytes != b.bytes ? a.bytes > b.bytes : a.tensor < b.tensor;
  });
  return weights;
}

void ReportFloatWeights(const FloatWeights& weights, const StaticQuantConfig& config,
                        Diagnostics* diagnostics) {
  std::vector<const FloatWeight*> unasked;
  uint64_t bytes = 0;
  for (const FloatWeight& weight : weights.left) {
    if (weight.asked_for) continue;
    unasked.push_back(&weight);
    bytes += weight.bytes;
  }
  if (bytes < kWorthSaying || bytes * 10 <= weights.bytes) return;
  Text names;
  for (size_t i = 0; i < std::min(kNamed, unasked.size()); ++i) {
    const FloatWeight& weight = *unasked[i];
    const Text name =
        Text("'") + weight.tensor + "' (" + BytesText(weight.bytes) + "): " + weight.reason.text;
    names = i == 0 ? name : Text() + names + "; " + name;
  }
  if (unasked.size() > kNamed) {
    names = Text() + names + "; and " + (unasked.size() - kNamed) + " more";
  }
  const FloatWeight& largest = *unasked.front();
  diagnostics->push_back(
      {Severity::kWarning, "WEIGHTS_LEFT_FLOAT",
       Text() + BytesText(bytes) + " of " + BytesText(weights.bytes) +
           " of weights stay float, so the result is no smaller for them: " + names + ".",
       largest.node, largest.tensor, Hint(largest, config)});
}

}  // namespace ptq
