// QDQ: every planned activation passes through a QuantizeLinear/DequantizeLinear pair, every
// planned initializer is replaced by its quantized copy and a DequantizeLinear; operators stay as
// they are.
//
//   Conv(x, W, B)   ->   x -> Q -> DQ -> Conv -> Q -> DQ ->
//                        W_quantized -> DQ --^ ^-- DQ <- B_quantized
//
// With EnableSubgraph the same in the bodies of If, Loop and Scan: a QuantizeLinear stands where
// the tensor is made, a DequantizeLinear in each graph that reads it, so that runtimes find the
// pairs beside the operators. Initializers that are added go to the main graph, which bodies can
// see.

#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "model/attributes.h"
#include "model/domains.h"
#include "model/graph_view.h"
#include "model/node_builder.h"
#include "model/subgraphs.h"
#include "model/tensor_builder.h"
#include "quantization/rewrite_tools.h"
#include "quantization/rewriter.h"
#include "quantization/weights.h"

namespace ptq {
namespace {

// Scale and zero point for a node: the names of the two initializers, and the values.
struct Parameters {
  const ParameterNames::Pair& names;
  const QuantParams& values;
};

class QdqRewriter {
 public:
  QdqRewriter(const QuantPlan& plan, const StaticQuantConfig& config, Model* model)
      : plan_(plan),
        config_(config),
        model_(*model),
        view_(model->graph(), config.bodies()),
        names_(model->graph()),
        adder_(&model->graph()),
        parameters_(&names_, &adder_),
        domain_(config.use_qdq_contrib_ops ? kMicrosoftDomain : ""),
        reads_(static_cast<size_t>(view_.graph_count())),
        new_nodes_(static_cast<size_t>(view_.graph_count())) {}

  void Run() {
    renamed_outputs_ = plan_.renamed_outputs;
    for (const TensorPlan& tensor : plan_.tensors) {
      if (tensor.role == TensorRole::kInitializer) {
        AddForInitializer(tensor);
      } else if (tensor.convert) {
        AddConverted(tensor);
      } else {
        AddForActivation(tensor);
      }
    }
    for (const BiasPlan& bias : plan_.biases) AddForBias(bias);
    ReplaceNodes(&model_.graph());
    for (onnx::GraphProto* graph : GraphsOf(&model_.graph(), config_.bodies())) {
      RemoveInitializers(graph, replaced_biases_);
    }
    if (config_.use_qdq_contrib_ops) model_.SetOpset(kMicrosoftDomain, 1);
    FinishModel(&model_, config_.bodies(), !config_.add_qdq_pair_to_weight);
  }

 private:
  // --- Who reads a tensor ---

  // Selected nodes that read it, once for each input.
  std::vector<int> SelectedReaders(const std::string& tensor) const {
    std::vector<int> readers;
    for (const Use& use : view_.Uses(tensor)) {
      if (use.input >= 0 && plan_.nodes[static_cast<size_t>(use.node)].selected) {
        readers.push_back(use.node);
      }
    }
    return readers;
  }

  // The graphs that need a DequantizeLinear of it: those that read it, or its own if none does.
  std::set<int> ReadingGraphs(const std::string& tensor) const {
    if (config_.bodies() == Bodies::kOutside) return {0};
    std::set<int> graphs;
    for (const Use& use : view_.Uses(tensor)) graphs.insert(view_.GraphOf(use.node));
    if (graphs.empty()) graphs.insert(view_.Owner(tensor));
    return graphs;
  }

  // --- Nodes ---

  void AddNode(int graph, const char* op_type, const Parameters& parameters,
               const std::string& input, const std::string& output, const std::string& name) {
    onnx::NodeProto node =
        MakeNode(op_type, {input, parameters.names.scale, parameters.names.zero_point}, {output},
                 names_.Make(name), domain_);
    if (parameters.values.axis) SetAttribute(&node, "axis", *parameters.values.axis);
    if (parameters.values.blocked()) {
      SetAttribute(&node, "block_size", parameters.values.block_size);
    }
    new_nodes_[static_cast<size_t>(graph)].push_back(std::move(node));
  }

  // input -> Q -> DQ -> output; the names of nodes and of the tensor between from `stem`. Returns
  // the quantized tensor.
  std::string AddPair(int graph, const std::string& stem, const Parameters& parameters,
                      const std::string& input, const std::string& output,
                      const std::string& suffix = "") {
    const std::string quantized = names_.Make(stem + "_QuantizeLinear_Output" + suffix);
    AddNode(graph, "QuantizeLinear", parameters, input, quantized,
            stem + "_QuantizeLinear" + suffix);
    AddNode(graph, "DequantizeLinear", parameters, quantized, output,
            stem + "_DequantizeLinear" + suffix);
    return quantized;
  }

  // A DequantizeLinear of `quantized` for the readers of `tensor` in one graph.
  void AddDequantize(int graph, const std::string& tensor, const Parameters& parameters,
                     const std::string& quantized) {
    const std::string dequantized = names_.Make(tensor + "_DequantizeLinear_Output");
    reads_[static_cast<size_t>(graph)][tensor] = dequantized;
    AddNode(graph, "DequantizeLinear", parameters, quantized, dequantized,
            tensor + "_DequantizeLinear");
  }

  void AddForInitializer(const TensorPlan& tensor) {
    const Parameters parameters{parameters_.Add(tensor), tensor.params};
    std::string quantized;
    if (config_.add_qdq_pair_to_weight) {
      quantized = names_.Make(tensor.tensor + "_QuantizeLinear_Output");
      AddNode(view_.Owner(tensor.tensor), "QuantizeLinear", parameters, tensor.tensor, quantized,
              tensor.tensor + "_QuantizeLinear");
    } else {
      quantized = names_.Make(tensor.tensor + "_quantized");
      adder_.Add(QuantizeWeight(&model_.tensors(), *view_.Initializer(tensor.tensor), quantized,
                                tensor.params));
    }
    for (const int graph : ReadingGraphs(tensor.tensor)) {
      AddDequantize(graph, tensor.tensor, parameters, quantized);
    }
  }

  void AddForActivation(const TensorPlan& tensor) {
    const Parameters parameters{parameters_.Add(tensor), tensor.params};
    if (config_.dedicated_qdq_pair && AddDedicatedPairs(tensor, parameters)) return;
    const int owner = view_.Owner(tensor.tensor);
    // A graph input that is an output too has no producer to rename: its readers are redirected.
    if (view_.IsGraphOutput(tensor.tensor) && view_.Producer(tensor.tensor) >= 0) {
      AddPair(owner, tensor.tensor, parameters, RenameOutput(tensor.tensor), tensor.tensor);
      return;
    }
    const std::string quantized = names_.Make(tensor.tensor + "_QuantizeLinear_Output");
    AddNode(owner, "QuantizeLinear", parameters, tensor.tensor, quantized,
            tensor.tensor + "_QuantizeLinear");
    for (const int graph : ReadingGraphs(tensor.tensor)) {
      AddDequantize(graph, tensor.tensor, parameters, quantized);
    }
  }

  // DedicatedQDQPair: a pair for each selected reader where there are several.
  bool AddDedicatedPairs(const TensorPlan& tensor, const Parameters& parameters) {
    const std::vector<int> readers = SelectedReaders(tensor.tensor);
    if (readers.size() <= 1) return false;
    for (size_t i = 0; i < readers.size(); ++i) {
      const std::string suffix = "_" + std::to_string(i + 1);
      const std::string output = names_.Make(tensor.tensor + "_DequantizeLinear_Output" + suffix);
      AddPair(view_.GraphOf(readers[i]), tensor.tensor, parameters, tensor.tensor, output, suffix);
      own_reads_[readers[i]].try_emplace(tensor.tensor, output);
    }
    return true;
  }

  // The producer of a graph output writes another tensor, so that a DequantizeLinear can write it.
  std::string RenameOutput(const std::string& tensor) {
    const std::string input = names_.Make(tensor + "_QuantizeLinear_Input");
    renamed_outputs_[tensor] = input;
    return input;
  }

  // `convert`: some readers (or all) get the tensor in a second type.
  //
  //   T -> Q -+-> DQ -> readers of the first type
  //           +-> DQ -> Q -> DQ -> readers of the second
  //
  // Where all readers want the second, the first DQ serves both. A graph output is the first type
  // unless all readers want the second.
  void AddConverted(const TensorPlan& tensor) {
    const std::string& name = tensor.tensor;
    const Parameters first{parameters_.Add(tensor), tensor.params};
    const Parameters second{parameters_.AddConverted(tensor), tensor.convert->params};
    std::set<std::string> first_readers;  // by name, as recv_nodes
    std::set<std::string> second_readers;
    bool all_second = true;  // of the selected readers, and there is no other
    for (const Use& use : view_.Uses(name)) {
      if (use.input < 0) continue;
      const std::string& node = view_.node(use.node).name();
      const bool selected = plan_.nodes[static_cast<size_t>(use.node)].selected;
      const bool named = tensor.convert->recv_nodes && tensor.convert->IsReadBy(node);
      if (named || (selected && tensor.convert->IsReadBy(node))) {
        second_readers.insert(node);
        all_second &= selected;
      } else if (selected) {
        first_readers.insert(node);
      }
    }
    all_second &= first_readers.empty();
    const bool is_output = view_.IsGraphOutput(name) && view_.Producer(name) >= 0;
    const int graph = view_.Owner(name);
    const std::string stem = name + "_convert";

    const std::string first_output =
        is_output && !all_second ? name : names_.Make(name + "_DequantizeLinear_Output");
    const std::string quantized =
        AddPair(graph, name, first, is_output ? RenameOutput(name) : name, first_output);
    std::string second_input = first_output;
    if (!all_second) {
      second_input = names_.Make(stem + "_QuantizeLinear_Input");
      AddNode(graph, "DequantizeLinear", first, quantized, second_input,
              stem + "_clone_DequantizeLinear");
    }
    const std::string second_output =
        is_output && all_second ? name : names_.Make(stem + "_DequantizeLinear_Output");
    AddPair(graph, stem, second, second_input, second_output);

    for (const Use& use : view_.Uses(name)) {
      if (use.input < 0) continue;
      const std::string& node = view_.node(use.node).name();
      if (second_readers.contains(node)) {
        own_reads_[use.node].try_emplace(name, second_output);
      } else if (first_readers.contains(node)) {
        own_reads_[use.node].try_emplace(name, first_output);
      }
    }
  }

  // The scales of the plan, or of the DequantizeLinear that the model as given has there.
  std::vector<float> Scales(const std::string& tensor, const onnx::NodeProto& node) const {
    if (const TensorPlan* planned = plan_.Find(tensor)) {
      return planned->ParamsFor(node.name()).scales;
    }
    const onnx::NodeProto& producer = view_.node(view_.Producer(tensor));
    return model_.tensors().ReadFloats(*view_.Initializer(producer.input(1)));
  }

  void AddForBias(const BiasPlan& bias) {
    const onnx::TensorProto& initializer = *view_.Initializer(bias.bias);
    auto& nodes = new_nodes_[static_cast<size_t>(view_.GraphOf(bias.node))];
    if (IsFloat8(config_.weight_type)) {
      nodes.push_back(FloatBias(bias, initializer));
    } else {
      AddIntegerBias(bias, initializer, &nodes);
    }
    if (bias.name == bias.bias) {
      replaced_biases_.insert(bias.bias);
    } else {
      own_reads_[bias.node].try_emplace(bias.bias, bias.name);
    }
    if (bias.factors.beta != 1) beta_in_bias_.insert(bias.node);
  }

  // With float8 weights a bias stays float, behind a Cast to its own type, as the reference writes
  // it.
  onnx::NodeProto FloatBias(const BiasPlan& bias, const onnx::TensorProto& initializer) {
    std::vector<float> values = model_.tensors().ReadFloats(initializer);
    for (float& value : values) value *= bias.factors.beta;
    const std::string name = names_.Make(bias.name + "_quantized");
    onnx::TensorProto copy =
        EmptyTensor(name, onnx::TensorProto::FLOAT,
                    std::vector<int64_t>(initializer.dims().begin(), initializer.dims().end()));
    model_.tensors().SetBytes(
        &copy, {reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(float)});
    adder_.Add(std::move(copy));
    onnx::NodeProto cast =
        MakeNode("Cast", {name}, {bias.name}, names_.Make(bias.name + "_DequantizeLinear"));
    SetAttribute(&cast, "to", static_cast<int64_t>(initializer.data_type()));
    return cast;
  }

  void AddIntegerBias(const BiasPlan& bias, const onnx::TensorProto& initializer,
                      std::vector<onnx::NodeProto>* nodes) {
    const onnx::NodeProto& reader = view_.node(bias.node);
    const QuantizedBias quantized = ComputeBias(model_, initializer, Scales(bias.input, reader),
                                                Scales(bias.weight, reader), bias.factors);
    const std::string values = names_.Make(bias.name + "_quantized");
    const std::string scales = names_.Make(values + "_scale");
    const std::string zero_points = names_.Make(values + "_zero_point");
    adder_.Add(BiasValues(values, initializer, quantized, &model_.tensors()));
    adder_.Add(BiasScales(scales, quantized));
    adder_.Add(BiasZeroPoints(zero_points, quantized));

    const bool cast = quantized.scale_type != FloatTypeOf(initializer);
    const std::string dequantized =
        cast ? names_.Make(bias.name + "_DequantizeLinear_Output") : bias.name;
    onnx::NodeProto node =
        MakeNode("DequantizeLinear", {values, scales, zero_points}, {dequantized},
                 names_.Make(bias.name + "_DequantizeLinear"), domain_);
    if (quantized.scales.size() > 1)
      SetAttribute(&node, "axis", static_cast<int64_t>(initializer.dims_size() - 1));
    if (cast) {
      onnx::NodeProto to_half =
          MakeNode("Cast", {dequantized}, {bias.name}, names_.Make(bias.name + "_Cast"));
      SetAttribute(&to_half, "to", static_cast<int64_t>(initializer.data_type()));
      nodes->push_back(std::move(to_half));
    }
    nodes->push_back(std::move(node));
  }

  // --- The graph ---

  // The name under which a node now writes its output. The producer of a removed Relu's input
  // writes the Relu's output; several removed nodes in a row take several steps.
  std::string OutputName(const std::string& name) const {
    std::string current = name;
    for (auto next = renamed_outputs_.find(current); next != renamed_outputs_.end();
         next = renamed_outputs_.find(current)) {
      current = next->second;
    }
    return current;
  }

  // What node `index` of graph `graph` reads in place of `tensor`.
  std::string ReadName(int graph, int index, const std::string& tensor) const {
    if (plan_.nodes[static_cast<size_t>(index)].reads_float) return tensor;
    if (const auto own = own_reads_.find(index); own != own_reads_.end()) {
      const auto replacement = own->second.find(tensor);
      if (replacement != own->second.end()) return replacement->second;
    }
    const auto& reads = reads_[static_cast<size_t>(graph)];
    const auto replacement = reads.find(tensor);
    return replacement == reads.end() ? tensor : replacement->second;
  }

  // Goes through graphs and nodes in the order of the view, which numbers them.
  void ReplaceNodes(onnx::GraphProto* graph) {
    const int number = next_graph_++;
    google::protobuf::RepeatedPtrField<onnx::NodeProto> nodes;
    for (onnx::NodeProto& old : *graph->mutable_node()) {
      if (config_.bodies() == Bodies::kInside && HoldsBodies(old)) {
        ForEachSubgraph(old, [this](onnx::GraphProto& body) { ReplaceNodes(&body); });
      }
      const int index = next_node_++;
      if (plan_.nodes[static_cast<size_t>(index)].action == NodeAction::kRemoved) continue;
      onnx::NodeProto* node = nodes.Add();
      node->Swap(&old);
      for (std::string& input : *node->mutable_input()) input = ReadName(number, index, input);
      for (std::string& output : *node->mutable_output()) output = OutputName(output);
      if (beta_in_bias_.contains(index)) SetAttribute(node, "beta", 1.0f);
    }
    for (onnx::NodeProto& node : new_nodes_[static_cast<size_t>(number)]) {
      *nodes.Add() = std::move(node);
    }
    graph->mutable_node()->Swap(&nodes);
  }

  const QuantPlan& plan_;
  const StaticQuantConfig& config_;
  Model& model_;
  GraphView
      view_;  // of the model as given: holds until ReplaceNodes, added initializers move nothing
  UniqueNames names_;
  InitializerAdder adder_;
  ParameterNames parameters_;
  std::string domain_;
  std::unordered_set<std::string> replaced_biases_;
  std::unordered_set<int> beta_in_bias_;  // nodes whose quantized bias holds beta already
  // By graph: tensor -> what nodes read instead; and the same for single nodes.
  std::vector<std::unordered_map<std::string, std::string>> reads_;
  std::unordered_map<int, std::unordered_map<std::string, std::string>> own_reads_;
  std::unordered_map<std::string, std::string> renamed_outputs_;
  std::vector<std::vector<onnx::NodeProto>> new_nodes_;  // by graph
  int next_graph_ = 0;
  int next_node_ = 0;
};

}  // namespace

void RewriteQdq(const QuantPlan& plan, const StaticQuantConfig& config, Model* model) {
  QdqRewriter(plan, config, model).Run();
}

}  // namespace ptq
