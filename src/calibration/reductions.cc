#include "calibration/reductions.h"

#include "model/attributes.h"
#include "model/node_builder.h"
#include "model/tensor_builder.h"

namespace ptq {
namespace {

// With fewer, a Conv spares little.
constexpr int64_t kManyChannels = 8;

}  // namespace

std::string AddConstant(const std::string& wanted, const std::vector<int64_t>& values,
                        UniqueNames* names, onnx::GraphProto* graph) {
  std::string name = names->Make(wanted);
  const std::vector<int64_t> dims = {static_cast<int64_t>(values.size())};
  *graph->add_initializer() = IntTensor(name, onnx::TensorProto::INT64, dims, values);
  return name;
}

Reductions::Reductions(const GraphView& view, UniqueNames* names, onnx::GraphProto* main)
    : view_(view),
      names_(names),
      main_(main),
      shape_(AddConstant("ptq_shape_1", {1}, names, main)) {}

Reductions::Pair Reductions::Add(const std::string& tensor, onnx::GraphProto* graph) {
  const std::string source = AsFloat(tensor, graph);
  return {Reduce("ReduceMin", tensor, source, graph), Reduce("ReduceMax", tensor, source, graph)};
}

std::vector<std::string> Reductions::AddAll(const std::string& tensor, bool with_sum,
                                            onnx::GraphProto* graph) {
  const Pair pair = Add(tensor, graph);
  if (!with_sum) return {pair.lowest, pair.highest, pair.highest};
  const std::string source = AsFloat(tensor, graph);
  return {pair.lowest, pair.highest, Reduce("ReduceSum", tensor, source, graph)};
}

std::vector<std::string> Reductions::AddKept(const std::string& tensor, bool with_sum,
                                             onnx::GraphProto* graph) {
  const std::string source = AsFloat(tensor, graph);
  const auto reduce = [&](const std::string& op_type) {
    std::string kept = names_->Make("ptq_" + op_type + "_" + tensor);
    AddNode(graph, op_type, {source}, kept);
    return kept;
  };
  const std::string lowest = reduce("ReduceMin");
  const std::string highest = reduce("ReduceMax");
  return {lowest, highest, with_sum ? AddKeptSum(tensor, source, graph) : highest};
}

std::string Reductions::AddKeptSum(const std::string& tensor, std::string source,
                                   onnx::GraphProto* graph) {
  const onnx::ValueInfoProto* value = view_.ValueInfo(tensor);
  if (value != nullptr && value->type().tensor_type().shape().dim_size() == 4) {
    const int64_t channels = value->type().tensor_type().shape().dim(1).dim_value();
    if (channels >= kManyChannels) {
      const std::string added = names_->Make("ptq_added_" + tensor);
      AddNode(graph, "Conv", {source, Ones(channels)}, added);
      source = added;
    }
  }
  std::string sum = names_->Make("ptq_ReduceSum_" + tensor);
  AddNode(graph, "ReduceSum", {source}, sum);
  return sum;
}

const std::string& Reductions::Ones(int64_t channels) {
  const auto [place, is_new] = ones_.try_emplace(channels);
  if (is_new) {
    place->second = names_->Make("ptq_ones");
    const std::vector<float> ones(static_cast<size_t>(channels), 1.0f);
    const std::vector<int64_t> dims = {1, channels, 1, 1};
    *main_->add_initializer() = FloatTensor(place->second, dims, ones);
  }
  return place->second;
}

std::string Reductions::ReduceOthers(const std::string& op_type, const std::string& tensor,
                                     int64_t axis, int64_t rank, int64_t opset,
                                     onnx::GraphProto* graph) {
  std::vector<int64_t> axes;
  for (int64_t other = 0; other < rank; ++other) {
    if (other != axis) axes.push_back(other);
  }
  const std::string reduced = names_->Make("ptq_" + op_type + "_" + tensor);
  onnx::NodeProto* node = AddNode(graph, op_type, {AsFloat(tensor, graph)}, reduced);
  // ONNX operators: an input since ReduceSum-13 and, of the others, since 18.
  if (opset >= (op_type == "ReduceSum" ? 13 : 18)) {
    node->add_input(AddConstant("ptq_axes", axes, names_, main_));
  } else {
    SetAttribute(node, "axes", axes);
  }
  return reduced;
}

Reductions::Pair Reductions::AddKeptByChannel(const std::string& tensor, int64_t axis, int64_t rank,
                                              int64_t opset, onnx::GraphProto* graph) {
  return {ReduceOthers("ReduceMin", tensor, axis, rank, opset, graph),
          ReduceOthers("ReduceMax", tensor, axis, rank, opset, graph)};
}

std::string Reductions::AddByChannel(const std::string& tensor, int64_t axis, int64_t rank,
                                     const char* third, int64_t opset, onnx::GraphProto* graph,
                                     const Pair& known) {
  const Pair ends =
      known.lowest.empty() ? AddKeptByChannel(tensor, axis, rank, opset, graph) : known;
  const std::string sums = ReduceOthers(third, tensor, axis, rank, opset, graph);
  const std::string column = AddConstant("ptq_column", {-1, 1}, names_, main_);
  std::vector<std::string> columns;
  for (const std::string& reduced : {ends.lowest, ends.highest, sums}) {
    columns.push_back(names_->Make(reduced + "_column"));
    AddNode(graph, "Reshape", {reduced, column}, columns.back());
  }
  const std::string rows = names_->Make("ptq_channels_" + tensor);
  SetAttribute(AddNode(graph, "Concat", columns, rows), "axis", int64_t{1});
  std::string vector = names_->Make(rows + "_1d");
  AddNode(graph, "Reshape", {rows, AddConstant("ptq_flat", {-1}, names_, main_)}, vector);
  return vector;
}

std::string Reductions::AsFloat(const std::string& tensor, onnx::GraphProto* graph) {
  if (view_.ElementType(tensor) == onnx::TensorProto::FLOAT) return tensor;
  std::string source = names_->Make("ptq_float_" + tensor);
  SetAttribute(AddNode(graph, "Cast", {tensor}, source), "to",
               static_cast<int64_t>(onnx::TensorProto::FLOAT));
  return source;
}

std::string Reductions::Reduce(const char* op_type, const std::string& tensor,
                               const std::string& source, onnx::GraphProto* graph) {
  const std::string reduced = names_->Make(std::string("ptq_") + op_type + "_" + tensor);
  SetAttribute(AddNode(graph, op_type, {source}, reduced), "keepdims", int64_t{0});
  return AsVector(reduced, graph);
}

std::string Reductions::AsVector(const std::string& scalar, onnx::GraphProto* graph) {
  std::string vector = names_->Make(scalar + "_1d");
  AddNode(graph, "Reshape", {scalar, shape_}, vector);
  return vector;
}

}  // namespace ptq
