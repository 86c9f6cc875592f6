// QOperator: planned nodes are replaced by their integer forms, which take quantized data with
// scales and zero points as inputs. QuantizeLinear stands where float data enters, DequantizeLinear
// where a float node or a graph output reads it.
//
//   x -> Conv(W, B) -> Relu -> MatMul   ->   x -> Q -> QLinearConv -> QLinearMatMul -> DQ
//
// With EnableSubgraph the same in the bodies of If, Loop and Scan. A conversion between float and
// quantized stands in the graph that makes the tensor: all bodies below it can read both forms.

#include <algorithm>
#include <deque>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/error.h"
#include "model/attributes.h"
#include "model/domains.h"
#include "model/graph_view.h"
#include "model/node_builder.h"
#include "model/subgraphs.h"
#include "model/tensor_builder.h"
#include "ops/op_registry.h"
#include "quantization/kernels.h"
#include "quantization/rewrite_tools.h"
#include "quantization/rewriter.h"
#include "quantization/weights.h"

namespace ptq {
namespace {

// A tensor in its quantized form: names of data, scale and zero point.
struct QuantizedValue {
  std::string data;
  std::string scale;
  std::string zero_point;
  std::optional<int64_t> axis;
};

class QOperatorRewriter {
 public:
  QOperatorRewriter(const QuantPlan& plan, Bodies bodies, Model* model)
      : plan_(plan),
        bodies_(bodies),
        model_(*model),
        view_(model->graph(), bodies),
        names_(model->graph()),
        adder_(&model->graph()),
        parameters_(&names_, &adder_),
        nodes_(static_cast<size_t>(view_.graph_count())) {}

  void Run() {
    for (const BiasPlan& bias : plan_.biases) biases_.emplace(bias.node, &bias);
    RewriteGraph(&model_.graph());
    for (onnx::GraphProto* graph : GraphsOf(&model_.graph(), bodies_)) {
      RemoveInitializers(graph, dequantized_initializers_);
    }
    if (uses_microsoft_ && model_.Opset(kMicrosoftDomain) == 0) {
      model_.SetOpset(kMicrosoftDomain, 1);
    }
    FinishModel(&model_, bodies_, true);
  }

 private:
  // Goes through graphs and nodes in the order of the view, which numbers them.
  void RewriteGraph(onnx::GraphProto* graph) {
    const int number = next_graph_++;
    for (const onnx::ValueInfoProto& input : graph->input()) {
      if (view_.Initializer(input.name()) == nullptr) float_values_.insert(input.name());
    }
    auto& old_nodes = old_nodes_.emplace_back();  // kept: the view refers to them
    old_nodes.Swap(graph->mutable_node());
    for (onnx::NodeProto& node : old_nodes) {
      if (bodies_ == Bodies::kInside && HoldsBodies(node)) {
        ForEachSubgraph(node, [this](onnx::GraphProto& body) { RewriteGraph(&body); });
      }
      graph_number_ = number;
      RewriteNode(next_node_++, node);
    }
    for (const onnx::ValueInfoProto& output : graph->output()) Dequantize(output.name());
    for (onnx::NodeProto& node : nodes_[static_cast<size_t>(number)]) {
      *graph->add_node() = std::move(node);
    }
  }

  void RewriteNode(int index, const onnx::NodeProto& node) {
    switch (plan_.nodes[static_cast<size_t>(index)].action) {
      case NodeAction::kFloat:
        for (const std::string& input : node.input()) Dequantize(input);
        if (bodies_ == Bodies::kOutside || !HoldsBodies(node)) {
          for (std::string_view name : CapturedNames(node)) Dequantize(std::string(name));
        }
        Append(node);
        return;
      case NodeAction::kRemoved:
        values_[node.output(0)] = Quantized(node.input(0));
        return;
      case NodeAction::kShared:
      case NodeAction::kQuantized:
        break;
    }
    switch (FindOp(node.op_type())->qoperator) {
      case QOperatorRule::kConv:
      case QOperatorRule::kMatMul:
        RewriteConv(node, index);
        return;
      case QOperatorRule::kGemm:
        RewriteGemm(node, index);
        return;
      case QOperatorRule::kBinary:
        Append(MakeOperator(node, 2));
        return;
      case QOperatorRule::kUnary:
        Append(MakeOperator(node, 1));
        return;
      case QOperatorRule::kSoftmax:
        RewriteSoftmax(node);
        return;
      case QOperatorRule::kGlobalAveragePool:
        RewriteGlobalAveragePool(node);
        return;
      case QOperatorRule::kConcat:
        RewriteConcat(node);
        return;
      case QOperatorRule::kWhere:
        RewriteWhere(node);
        return;
      case QOperatorRule::kEmbedLayerNormalization:
        RewriteEmbedLayerNormalization(node);
        return;
      case QOperatorRule::kSharedOutput:
      case QOperatorRule::kGather:
      case QOperatorRule::kArgMax:
        RewriteShared(node);
        return;
      case QOperatorRule::kSplit:
        RewriteSplit(node);
        return;
      case QOperatorRule::kPad:
        RewritePad(node);
        return;
      case QOperatorRule::kRemovable:
      case QOperatorRule::kNone:
        break;
    }
    throw Error(ErrorCode::kInternal, "The plan quantizes a node that has no integer form.")
        .WithNode(node.name());
  }

  // ONNX QLinearConv and QLinearMatMul: an int32 bias comes last.
  void RewriteConv(const onnx::NodeProto& node, int index) {
    const QuantizedValue a = Quantized(node.input(0));
    const QuantizedValue b = Quantized(node.input(1));
    const QuantizedValue y = NewOutput(node.output(0));
    std::vector<std::string> inputs = {a.data,  a.scale,      a.zero_point, b.data,
                                       b.scale, b.zero_point, y.scale,      y.zero_point};
    if (biases_.contains(index)) inputs.push_back(Bias(index));
    onnx::NodeProto quantized =
        MakeNode("QLinear" + node.op_type(), inputs, {y.data}, QuantName(node));
    CopyAttributes(node, &quantized, "");
    Append(std::move(quantized));
  }

  // com.microsoft QGemm: the bias stands before the output's scale; its beta is in the bias.
  void RewriteGemm(const onnx::NodeProto& node, int index) {
    const QuantizedValue a = Quantized(node.input(0));
    const QuantizedValue b = Quantized(node.input(1));
    const QuantizedValue y = NewOutput(node.output(0));
    onnx::NodeProto quantized = MakeNode("QGemm",
                                         {a.data, a.scale, a.zero_point, b.data, b.scale,
                                          b.zero_point, Bias(index), y.scale, y.zero_point},
                                         {y.data}, QuantName(node), kMicrosoftDomain);
    CopyAttributes(node, &quantized, "beta");
    Append(std::move(quantized));
  }

  // com.microsoft QLinear<Op>: the first inputs as triples, then scale and zero point of the
  // output.
  onnx::NodeProto MakeOperator(const onnx::NodeProto& node, int input_count) {
    std::vector<std::string> inputs;
    for (int i = 0; i < input_count; ++i) {
      const QuantizedValue x = Quantized(node.input(i));
      inputs.insert(inputs.end(), {x.data, x.scale, x.zero_point});
    }
    const QuantizedValue y = NewOutput(node.output(0));
    inputs.insert(inputs.end(), {y.scale, y.zero_point});
    onnx::NodeProto quantized =
        MakeNode("QLinear" + node.op_type(), inputs, {y.data}, QuantName(node), kMicrosoftDomain);
    CopyAttributes(node, &quantized, "dilations");
    return quantized;
  }

  void RewriteGlobalAveragePool(const onnx::NodeProto& node) {
    onnx::NodeProto quantized = MakeOperator(node, 1);
    SetAttribute(&quantized, "channels_last", int64_t{0});
    SortAttributes(&quantized);
    Append(std::move(quantized));
  }

  void RewriteSoftmax(const onnx::NodeProto& node) {
    onnx::NodeProto quantized = MakeOperator(node, 1);
    const int64_t opset = model_.Opset();
    SetAttribute(&quantized, "opset", opset);
    // Its own default is -1; before opset 13 Softmax's was 1.
    if (opset < 13 && FindAttribute(node, "axis") == nullptr) {
      SetAttribute(&quantized, "axis", int64_t{1});
    }
    SortAttributes(&quantized);
    Append(std::move(quantized));
  }

  void RewriteConcat(const onnx::NodeProto& node) {
    std::vector<std::string> triples;
    for (const std::string& input : node.input()) {
      const QuantizedValue x = Quantized(input);
      triples.insert(triples.end(), {x.data, x.scale, x.zero_point});
    }
    const QuantizedValue y = NewOutput(node.output(0));
    std::vector<std::string> inputs = {y.scale, y.zero_point};
    inputs.insert(inputs.end(), triples.begin(), triples.end());
    onnx::NodeProto quantized =
        MakeNode("QLinearConcat", inputs, {y.data}, QuantName(node), kMicrosoftDomain);
    CopyAttributes(node, &quantized, "");
    Append(std::move(quantized));
  }

  void RewriteWhere(const onnx::NodeProto& node) {
    const QuantizedValue a = Quantized(node.input(1));
    const QuantizedValue b = Quantized(node.input(2));
    const QuantizedValue y = NewOutput(node.output(0));
    Append(MakeNode("QLinearWhere",
                    {node.input(0), a.data, a.scale, a.zero_point, b.data, b.scale, b.zero_point,
                     y.scale, y.zero_point},
                    {y.data}, QuantName(node), kMicrosoftDomain));
  }

  // ids, segment ids, five quantized tables, mask, their scales, their zero points (com.microsoft's
  // contrib operator documentation); the outputs stay float.
  void RewriteEmbedLayerNormalization(const onnx::NodeProto& node) {
    std::vector<std::string> inputs = {node.input(0), node.input(1)};
    std::vector<std::string> scales;
    std::vector<std::string> zero_points;
    for (int i = 2; i <= 6; ++i) {
      if (node.input(i).empty()) {  // there may be no segments
        for (auto* list : {&inputs, &scales, &zero_points}) list->emplace_back();
        continue;
      }
      const QuantizedValue table = Quantized(node.input(i));
      inputs.push_back(table.data);
      scales.push_back(table.scale);
      zero_points.push_back(table.zero_point);
    }
    inputs.push_back(node.input_size() > 7 ? node.input(7) : "");
    inputs.insert(inputs.end(), scales.begin(), scales.end());
    inputs.insert(inputs.end(), zero_points.begin(), zero_points.end());
    onnx::NodeProto quantized =
        MakeNode("QEmbedLayerNormalization", inputs, {node.output().begin(), node.output().end()},
                 QuantName(node), kMicrosoftDomain);
    CopyAttributes(node, &quantized, "");
    Append(std::move(quantized));
  }

  // The same operator on quantized data; its other inputs are no data.
  void RewriteShared(onnx::NodeProto node) {
    const QuantizedValue x = Quantized(node.input(0));
    for (int i = 1; i < node.input_size(); ++i) Dequantize(node.input(i));
    PassOn(x, "_quantized", &node);
    Append(std::move(node));
  }

  void RewriteSplit(onnx::NodeProto node) {
    const QuantizedValue x = Quantized(node.input(0));
    for (int i = 1; i < node.input_size(); ++i) Dequantize(node.input(i));
    if (!node.name().empty()) node.set_name(QuantName(node));
    PassOn(x, "quantized", &node);  // the reference writes no underscore here
    SortAttributes(&node);
    Append(std::move(node));
  }

  void RewritePad(onnx::NodeProto node) {
    const QuantizedValue x = Quantized(node.input(0));
    QuantizePadValue(x, &node);
    PassOn(x, "_quantized", &node);
    Append(std::move(node));
  }

  // Makes `node` read `x` and gives its planned outputs the parameters of `x`.
  void PassOn(const QuantizedValue& x, const char* suffix, onnx::NodeProto* node) {
    node->set_input(0, x.data);
    for (int i = 0; i < node->output_size(); ++i) {
      const std::string output = node->output(i);
      if (output.empty() || plan_.Find(output) == nullptr) continue;
      const std::string data = names_.Make(output + suffix);
      values_[output] = {data, x.scale, x.zero_point, x.axis};
      node->set_output(i, data);
    }
  }

  void QuantizePadValue(const QuantizedValue& x, onnx::NodeProto* node) {
    if (StringAttribute(*node, "mode", "constant") != "constant") return;
    if (node->input_size() == 2) node->add_input("");
    const std::string value = node->input(2);
    if (value.empty()) {  // pads with 0, which the zero point stands for
      node->set_input(2, x.zero_point);
      return;
    }
    const onnx::TensorProto* initializer = view_.Initializer(value);
    const std::string quantized = names_.Make(value + "_quantized");
    if (initializer == nullptr) {
      Dequantize(value);
      Append(MakeNode("QuantizeLinear", {value, x.scale, x.zero_point}, {quantized},
                      names_.Make(value + "_QuantizeLinear")));
    } else {
      adder_.Add(QuantizeWeight(&model_.tensors(), *initializer, quantized,
                                plan_.Find(node->input(0))->params));
    }
    node->set_input(2, quantized);
  }

  // --- Values ---

  QuantizedValue Describe(const TensorPlan& tensor) {
    const ParameterNames::Pair& names = parameters_.Add(tensor);
    return {"", names.scale, names.zero_point, tensor.params.axis};
  }

  // The quantized form of `tensor`, made here if nothing has made it yet.
  const QuantizedValue& Quantized(const std::string& tensor) {
    const auto found = values_.find(tensor);
    if (found != values_.end()) return found->second;
    const TensorPlan& planned = *plan_.Find(tensor);
    QuantizedValue value = Describe(planned);
    value.data = names_.Make(tensor + "_quantized");
    if (planned.role == TensorRole::kInitializer) {
      adder_.Add(QuantizeWeight(&model_.tensors(), *view_.Initializer(tensor), value.data,
                                planned.params));
    } else {
      Append(MakeNode("QuantizeLinear", {tensor, value.scale, value.zero_point}, {value.data},
                      names_.Make(tensor + "_QuantizeLinear")),
             view_.Owner(tensor));
    }
    return values_.emplace(tensor, std::move(value)).first->second;
  }

  QuantizedValue NewOutput(const std::string& tensor) {
    QuantizedValue value = Describe(*plan_.Find(tensor));
    value.data = names_.Make(tensor + "_quantized");
    values_[tensor] = value;
    return value;
  }

  // Adds a DequantizeLinear for `tensor` if it exists in quantized form only.
  void Dequantize(const std::string& tensor) {
    const auto found = values_.find(tensor);
    if (found == values_.end() || float_values_.contains(tensor)) return;
    const QuantizedValue& value = found->second;
    // For a per-channel weight the float initializer is still there and is read instead: before
    // opset 13 DequantizeLinear has no axis, and onnxruntime fuses it with a MatMul along another
    // one.
    if (value.axis) return;
    onnx::NodeProto node = MakeNode("DequantizeLinear", {value.data, value.scale, value.zero_point},
                                    {tensor}, names_.Make(tensor + "_DequantizeLinear"));
    if (view_.Initializer(tensor) != nullptr) dequantized_initializers_.insert(tensor);
    Append(std::move(node), view_.Owner(tensor));
  }

  // Name of the int32 bias of node `index`, "" where it has none.
  std::string Bias(int index) {
    const auto found = biases_.find(index);
    if (found == biases_.end()) return "";
    const BiasPlan& bias = *found->second;
    const onnx::TensorProto& initializer = *view_.Initializer(bias.bias);
    const QuantizedBias quantized =
        ComputeBias(model_, initializer, plan_.Find(bias.input)->params.scales,
                    plan_.Find(bias.weight)->params.scales, bias.factors);
    const std::string name = names_.Make(bias.bias + "_quantized");
    adder_.Add(BiasValues(name, initializer, quantized, &model_.tensors()));
    return name;
  }

  // --- Nodes ---

  static std::string QuantName(const onnx::NodeProto& node) {
    return node.name().empty() ? "" : node.name() + "_quant";
  }

  static void SortAttributes(onnx::NodeProto* node) {
    std::sort(node->mutable_attribute()->pointer_begin(), node->mutable_attribute()->pointer_end(),
              [](const auto* a, const auto* b) { return a->name() < b->name(); });
  }

  static void CopyAttributes(const onnx::NodeProto& from, onnx::NodeProto* to, const char* except) {
    for (const onnx::AttributeProto& attribute : from.attribute()) {
      if (attribute.name() != except) *to->add_attribute() = attribute;
    }
    SortAttributes(to);
  }

  void Append(onnx::NodeProto node) { Append(std::move(node), graph_number_); }

  void Append(onnx::NodeProto node, int graph) {
    uses_microsoft_ |= node.domain() == kMicrosoftDomain;
    float_values_.insert(node.output().begin(), node.output().end());
    nodes_[static_cast<size_t>(graph)].push_back(std::move(node));
  }

  const QuantPlan& plan_;
  Bodies bodies_;
  Model& model_;
  GraphView view_;  // of the model as given, whose nodes old_nodes_ keeps
  UniqueNames names_;
  InitializerAdder adder_;
  ParameterNames parameters_;
  std::unordered_map<int, const BiasPlan*> biases_;
  std::unordered_map<std::string, QuantizedValue> values_;
  std::unordered_set<std::string> dequantized_initializers_;
  std::unordered_set<std::string> float_values_;  // names that a node or the graph provides by now
  std::deque<google::protobuf::RepeatedPtrField<onnx::NodeProto>> old_nodes_;
  std::vector<std::vector<onnx::NodeProto>> nodes_;  // by graph
  bool uses_microsoft_ = false;
  int graph_number_ = 0;  // of the node that is being rewritten
  int next_graph_ = 0;
  int next_node_ = 0;
};

}  // namespace

void RewriteQOperator(const QuantPlan& plan, const StaticQuantConfig& config, Model* model) {
  QOperatorRewriter(plan, config.bodies(), model).Run();
}

}  // namespace ptq
