// QDQ: every planned activation passes through a QuantizeLinear/DequantizeLinear pair, every
// planned initializer is replaced by its quantized copy and a DequantizeLinear; operators stay as
// they are.
//
//   Conv(x, W, B)   ->   x -> Q -> DQ -> Conv -> Q -> DQ ->
//                        W_quantized -> DQ --^ ^-- DQ <- B_quantized

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "model/attributes.h"
#include "model/graph_view.h"
#include "model/tensor_builder.h"
#include "quantization/rewrite_tools.h"
#include "quantization/rewriter.h"
#include "quantization/weights.h"

namespace ptq {
namespace {

class QdqRewriter {
 public:
  QdqRewriter(const QuantPlan& plan, const StaticQuantConfig& config, Model* model,
              Diagnostics* diagnostics)
      : plan_(plan),
        config_(config),
        model_(*model),
        diagnostics_(*diagnostics),
        view_(model->graph()),
        names_(model->graph()),
        parameters_(&names_),
        adder_(&model->graph()),
        domain_(config.use_qdq_contrib_ops ? kMicrosoftDomain : "") {}

  void Run() {
    if (config_.dedicated_qdq_pair) CollectReaders();
    renamed_outputs_ = plan_.renamed_outputs;

    for (const TensorPlan& tensor : plan_.tensors) {
      if (tensor.role == TensorRole::kInitializer) {
        AddForInitializer(tensor);
      } else {
        AddForActivation(tensor);
      }
    }
    for (const BiasPlan& bias : plan_.biases) AddForBias(bias);
    ReplaceNodes();
    RemoveInitializers(&model_.graph(), replaced_biases_);
    if (config_.use_qdq_contrib_ops) model_.SetOpset(kMicrosoftDomain, 1);
    FinishModel(&model_, !config_.add_qdq_pair_to_weight);
  }

 private:
  void CollectReaders() {
    for (int i = 0; i < model_.graph().node_size(); ++i) {
      if (!plan_.nodes[static_cast<size_t>(i)].selected) continue;
      for (const std::string& input : model_.graph().node(i).input()) readers_[input].push_back(i);
    }
  }

  void AddNode(const char* op_type, const TensorPlan& tensor, const std::string& input,
               const std::string& output, const std::string& name) {
    const ParameterNames::Pair& parameters = parameters_.Add(tensor, &adder_);
    onnx::NodeProto node = MakeNode(op_type, {input, parameters.scale, parameters.zero_point},
                                    {output}, names_.Make(name), domain_);
    if (tensor.params.per_channel()) SetAttribute(&node, "axis", *tensor.params.axis);
    new_nodes_.push_back(std::move(node));
  }

  void AddPair(const TensorPlan& tensor, const std::string& input, const std::string& output,
               const std::string& suffix) {
    const std::string quantized = names_.Make(tensor.tensor + "_QuantizeLinear_Output" + suffix);
    AddNode("QuantizeLinear", tensor, input, quantized, tensor.tensor + "_QuantizeLinear" + suffix);
    AddNode("DequantizeLinear", tensor, quantized, output,
            tensor.tensor + "_DequantizeLinear" + suffix);
  }

  void AddForInitializer(const TensorPlan& tensor) {
    const std::string dequantized = names_.Make(tensor.tensor + "_DequantizeLinear_Output");
    reads_[tensor.tensor] = dequantized;
    if (config_.add_qdq_pair_to_weight) {
      AddPair(tensor, tensor.tensor, dequantized, "");
      return;
    }
    const std::string quantized = names_.Make(tensor.tensor + "_quantized");
    adder_.Add(QuantizeWeight(&model_.tensors(), *view_.Initializer(tensor.tensor), quantized,
                              tensor.params));
    AddNode("DequantizeLinear", tensor, quantized, dequantized,
            tensor.tensor + "_DequantizeLinear");
  }

  void AddForActivation(const TensorPlan& tensor) {
    const auto readers = readers_.find(tensor.tensor);
    if (readers != readers_.end() && readers->second.size() > 1) {
      for (size_t i = 0; i < readers->second.size(); ++i) {
        const std::string suffix = "_" + std::to_string(i + 1);
        const std::string output = names_.Make(tensor.tensor + "_DequantizeLinear_Output" + suffix);
        AddPair(tensor, tensor.tensor, output, suffix);
        own_reads_[readers->second[i]].try_emplace(tensor.tensor, output);
      }
      return;
    }
    // A graph input that is an output too has no producer to rename: its readers are redirected.
    if (view_.IsGraphOutput(tensor.tensor) && view_.Producer(tensor.tensor) >= 0) {
      const std::string input = names_.Make(tensor.tensor + "_QuantizeLinear_Input");
      renamed_outputs_[tensor.tensor] = input;
      AddPair(tensor, input, tensor.tensor, "");
      return;
    }
    const std::string dequantized = names_.Make(tensor.tensor + "_DequantizeLinear_Output");
    reads_[tensor.tensor] = dequantized;
    AddPair(tensor, tensor.tensor, dequantized, "");
  }

  // Scales of a tensor that the model had quantized before us come from its DequantizeLinear.
  std::vector<float> Scales(const std::string& tensor) const {
    if (const TensorPlan* planned = plan_.Find(tensor)) return planned->params.scales;
    const onnx::NodeProto& producer = model_.graph().node(view_.Producer(tensor));
    return model_.tensors().ReadFloats(*view_.Initializer(producer.input(1)));
  }

  void AddForBias(const BiasPlan& bias) {
    const onnx::TensorProto& initializer = *view_.Initializer(bias.bias);
    const QuantizedBias quantized =
        ComputeBias(model_, initializer, Scales(bias.input), Scales(bias.weight), bias.factors);
    const std::string& node_name = model_.graph().node(bias.node).name();
    if (quantized.clipped) {
      diagnostics_.push_back(
          {Severity::kWarning, "BIAS_CLIPPED",
           "The bias does not fit int32 with this scale and was clipped.", node_name, bias.bias,
           "Leave QDQDisableWeightAdjustForInt32Bias off, use signed weights, or "
           "exclude the node."});
    }
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
      new_nodes_.push_back(std::move(to_half));
    }
    new_nodes_.push_back(std::move(node));
    if (bias.name == bias.bias) {
      replaced_biases_.insert(bias.bias);
    } else {
      own_reads_[bias.node].try_emplace(bias.bias, bias.name);
    }
    onnx::NodeProto* reader = model_.graph().mutable_node(bias.node);
    if (FindAttribute(*reader, "beta") != nullptr) SetAttribute(reader, "beta", 1.0f);
  }

  // The value that a removed Relu wrote is now written by whoever fed it, maybe over several steps.
  std::string OutputName(const std::string& name) const {
    std::string current = name;
    for (auto next = renamed_outputs_.find(current); next != renamed_outputs_.end();
         next = renamed_outputs_.find(current)) {
      current = next->second;
    }
    return current;
  }

  void ReplaceNodes() {
    google::protobuf::RepeatedPtrField<onnx::NodeProto> nodes;
    for (int i = 0; i < model_.graph().node_size(); ++i) {
      if (plan_.nodes[static_cast<size_t>(i)].action == NodeAction::kRemoved) continue;
      onnx::NodeProto* node = nodes.Add();
      node->Swap(model_.graph().mutable_node(i));
      const auto own = own_reads_.find(i);
      for (std::string& input : *node->mutable_input()) {
        if (own != own_reads_.end()) {
          const auto replacement = own->second.find(input);
          if (replacement != own->second.end()) {
            input = replacement->second;
            continue;
          }
        }
        const auto replacement = reads_.find(input);
        if (replacement != reads_.end()) input = replacement->second;
      }
      for (std::string& output : *node->mutable_output()) output = OutputName(output);
    }
    for (onnx::NodeProto& node : new_nodes_) *nodes.Add() = std::move(node);
    model_.graph().mutable_node()->Swap(&nodes);
  }

  const QuantPlan& plan_;
  const StaticQuantConfig& config_;
  Model& model_;
  Diagnostics& diagnostics_;
  GraphView
      view_;  // of the model as given: holds until ReplaceNodes, added initializers move nothing
  UniqueNames names_;
  ParameterNames parameters_;
  InitializerAdder adder_;
  std::string domain_;
  std::unordered_set<std::string> replaced_biases_;
  std::unordered_map<std::string, std::vector<int>> readers_;  // of selected nodes, with repetition
  std::unordered_map<std::string, std::string> reads_;         // tensor -> what nodes read instead
  std::unordered_map<int, std::unordered_map<std::string, std::string>> own_reads_;  // one node's
  std::unordered_map<std::string, std::string> renamed_outputs_;
  std::vector<onnx::NodeProto> new_nodes_;
};

}  // namespace

void RewriteQdq(const QuantPlan& plan, const StaticQuantConfig& config, Model* model,
                Diagnostics* diagnostics) {
  QdqRewriter(plan, config, model, diagnostics).Run();
}

}  // namespace ptq
