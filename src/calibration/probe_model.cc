#include "calibration/probe_model.h"

#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "model/attributes.h"
#include "model/graph_view.h"
#include "model/node_builder.h"
#include "model/topological_sort.h"
#include "passes/pass_registry.h"
#include "quantization/quantized_tensors.h"

namespace ptq {
namespace {

class ProbeBuilder {
 public:
  explicit ProbeBuilder(const Model& model)
      : built_(model), given_(model.graph()), names_(model.graph()) {
    for (QuantizedTensor& tensor : FindQuantizedTensors(given_)) {
      quantized_.emplace(tensor.name, tensor);
      if (!tensor.before.empty()) quantized_.emplace(tensor.before, std::move(tensor));
    }
  }

  ProbeModel Build(const ProbeRequest& request) {
    for (const std::string& tensor : request.fed) fed_.push_back(Feed(tensor));
    for (const std::string& tensor : request.added) added_.push_back(AddTo(tensor));
    // Reads change first, so that the nodes added here read what the graph makes.
    RenameReads(&graph(), reads_);
    for (onnx::NodeProto& node : nodes_) *graph().add_node() = std::move(node);
    std::vector<std::string> observed;
    observed.reserve(request.outputs.size());
    for (const ProbeRequest::Output& output : request.outputs) observed.push_back(Find(output));
    graph().clear_output();
    for (const std::string& tensor : observed) outputs_.push_back(Bring(tensor, request.sizes));
    if (!IsTopologicallySorted(graph())) TopologicalSort(&graph());
    return Finish();
  }

 private:
  onnx::GraphProto& graph() { return built_.graph(); }

  bool IsInGraph(const std::string& tensor) const {
    return given_.Producer(tensor) >= 0 || given_.IsGraphInput(tensor);
  }

  const QuantizedTensor* Quantized(const std::string& tensor) const {
    const auto found = quantized_.find(tensor);
    return found == quantized_.end() ? nullptr : &found->second;
  }

  [[noreturn]] static void Unknown(const std::string& tensor) {
    throw Error(ErrorCode::kInvalidOption, Text("The model has no tensor \"") + tensor + "\".")
        .WithTensor(tensor);
  }

  // A new input of float32, and what stands for it in the type of `tensor`.
  std::string NewInput(const std::string& prefix, const std::string& tensor, std::string* input) {
    *input = names_.Make(prefix + tensor);
    onnx::ValueInfoProto* value = graph().add_input();
    value->set_name(*input);
    value->mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
    const int32_t type = given_.ElementType(tensor);
    if (type != onnx::TensorProto::FLOAT16 && type != onnx::TensorProto::DOUBLE) return *input;
    std::string cast = names_.Make(*input + "_cast");
    nodes_.push_back(MakeNode("Cast", {*input}, {cast}, ""));
    SetAttribute(&nodes_.back(), "to", static_cast<int64_t>(type));
    return cast;
  }

  std::string Feed(const std::string& tensor) {
    std::string input;
    const QuantizedTensor* quantized = Quantized(tensor);
    if (IsInGraph(tensor)) {
      reads_[tensor] = NewInput("ptq_fed_", tensor, &input);
    } else if (quantized != nullptr && !quantized->before.empty()) {
      reads_[quantized->before] = NewInput("ptq_fed_", quantized->before, &input);
    } else if (quantized != nullptr) {
      std::string rounded = names_.Make("ptq_rounded_" + tensor);
      const std::string value = NewInput("ptq_fed_", tensor, &input);
      nodes_.push_back(MakeNode("QuantizeLinear", Parameters(*quantized, value), {rounded}, ""));
      reads_[quantized->quantized] = std::move(rounded);
    } else {
      Unknown(tensor);
    }
    return input;
  }

  std::string AddTo(const std::string& tensor) {
    if (!IsInGraph(tensor)) Unknown(tensor);
    std::string input;
    std::string sum = names_.Make("ptq_sum_" + tensor);
    const std::string more = NewInput("ptq_added_", tensor, &input);
    nodes_.push_back(MakeNode("Add", {tensor, more}, {sum}, ""));
    reads_[tensor] = std::move(sum);
    return input;
  }

  static std::vector<std::string> Parameters(const QuantizedTensor& tensor,
                                             const std::string& value) {
    return {value, tensor.scale, tensor.zero_point};
  }

  // What is observed, as the graph makes it: nothing that is fed.
  std::string Find(const ProbeRequest::Output& output) {
    const QuantizedTensor* quantized = Quantized(output.tensor);
    if (quantized == nullptr || (!output.after && IsInGraph(output.tensor))) {
      if (!IsInGraph(output.tensor)) Unknown(output.tensor);
      // What is added to a tensor of a graph output is in that output.
      const auto changed = reads_.find(output.tensor);
      const bool is_sum = changed != reads_.end() && changed->second.starts_with("ptq_sum_");
      return is_sum ? changed->second : output.tensor;
    }
    if (!output.after && !quantized->before.empty()) return quantized->before;
    const bool is_fed = !quantized->before.empty() && reads_.contains(quantized->before);
    if (!is_fed && !quantized->after.empty()) return quantized->after;
    std::string integers = quantized->quantized;
    if (is_fed) {
      integers = names_.Make("ptq_made_" + quantized->quantized);
      Copy(quantized->quantize, quantized->before, integers);
    }
    std::string value = names_.Make("ptq_after_" + output.tensor);
    if (quantized->dequantize >= 0) {
      Copy(quantized->dequantize, integers, value);
    } else {
      *graph().add_node() =
          MakeNode("DequantizeLinear", Parameters(*quantized, integers), {value}, "");
    }
    return value;
  }

  // Another QuantizeLinear or DequantizeLinear with the same parameters.
  void Copy(int node, const std::string& input, const std::string& output) {
    onnx::NodeProto* copy = graph().add_node();
    *copy = given_.node(node);
    copy->clear_name();
    copy->set_input(0, input);
    copy->set_output(0, output);
  }

  // As an output of its own: names of graph inputs cannot be outputs, nor twice the same.
  std::string Bring(const std::string& tensor, bool sizes) {
    std::string output = names_.Make("ptq_value_" + tensor);
    onnx::NodeProto* node = AddNode(&graph(), sizes ? "Size" : "Cast", {tensor}, output);
    if (!sizes) SetAttribute(node, "to", static_cast<int64_t>(onnx::TensorProto::FLOAT));
    onnx::ValueInfoProto* value = graph().add_output();
    value->set_name(output);
    value->mutable_type()->mutable_tensor_type()->set_elem_type(sizes ? onnx::TensorProto::INT64
                                                                      : onnx::TensorProto::FLOAT);
    return output;
  }

  ProbeModel Finish() {
    Diagnostics none;
    PassContext context{built_, none};
    EliminateUnused(context);
    const GraphView view(graph());
    ProbeModel probe;
    google::protobuf::RepeatedPtrField<onnx::ValueInfoProto> kept;
    std::unordered_set<std::string> read;
    for (const onnx::ValueInfoProto& input : graph().input()) {
      if (view.Uses(input.name()).empty()) continue;
      read.insert(input.name());
      *kept.Add() = input;
      if (given_.IsGraphInput(input.name()) && view.Initializer(input.name()) == nullptr) {
        probe.inputs.push_back(input.name());
      }
    }
    graph().mutable_input()->Swap(&kept);
    const auto only_read = [&](std::vector<std::string> names) {
      for (std::string& name : names) {
        if (!read.contains(name)) name.clear();
      }
      return names;
    };
    probe.fed = only_read(std::move(fed_));
    probe.added = only_read(std::move(added_));
    probe.model = AsRunnable(built_);
    probe.model.outputs = std::move(outputs_);
    return probe;
  }

  Model built_;
  const GraphView given_;
  UniqueNames names_;
  std::unordered_map<std::string, QuantizedTensor> quantized_;  // by both float names
  std::unordered_map<std::string, std::string> reads_;
  std::vector<onnx::NodeProto> nodes_;
  std::vector<std::string> fed_;
  std::vector<std::string> added_;
  std::vector<std::string> outputs_;
};

}  // namespace

ProbeModel BuildProbeModel(const Model& model, const ProbeRequest& request) {
  return ProbeBuilder(model).Build(request);
}

}  // namespace ptq
