// The computed shape of a Reshape becomes a constant where it copies dimensions of the data.
//
//   before: n = Gather(Shape(x), 0)   t = Concat(Unsqueeze(n), [-1])   y = Reshape(x, t)
//   after:  y = Reshape(x, [0, -1])
//
// 0 in the shape means "as in the data" (allowzero = 0). That is how exporters write
// x.view(x.shape[0], -1) for a batch of any size; shape inference gives up on the long form and
// knows the rank with the short one.
#include <algorithm>
#include <cctype>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "model/attributes.h"
#include "model/domains.h"
#include "model/graph_view.h"
#include "model/node_queries.h"
#include "model/tensor_builder.h"
#include "passes/graph_queries.h"
#include "passes/ir_version.h"
#include "passes/pass_registry.h"

namespace ptq {
namespace {

// One element of a shape: a number, or a dimension known by its name only.
struct Element {
  int64_t value = 0;
  std::string symbol;  // empty: the number counts
};
using Elements = std::optional<std::vector<Element>>;

constexpr int kDeepest = 32;

// Exporters also write "?", which does not say that two dimensions are equal.
bool IsName(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '.';
  });
}

class ShapeReader {
 public:
  explicit ShapeReader(PassContext& context)
      : model_(context.model),
        view_(context.model.graph()),
        shapes_(context.types.Of(context.model)) {}

  // The dimensions of a tensor; nothing where its rank is not known.
  Elements DimsOf(const std::string& tensor) const {
    const onnx::ValueInfoProto* info = shapes_.ValueInfo(tensor);
    if (info == nullptr || !info->type().tensor_type().has_shape()) return std::nullopt;
    std::vector<Element> dims;
    for (const auto& dim : info->type().tensor_type().shape().dim()) {
      if (dim.has_dim_value() && dim.dim_value() >= 0) {
        dims.push_back({dim.dim_value(), ""});
      } else if (IsName(dim.dim_param())) {
        dims.push_back({0, dim.dim_param()});
      } else {
        dims.push_back({0, std::to_string(dims.size()) + " of " + tensor});
      }
    }
    return dims;
  }

  // The elements of an integer tensor (a scalar has one).
  Elements ValuesOf(const std::string& tensor, int depth = 0) {
    if (const onnx::TensorProto* constant = ConstantOf(view_, tensor)) return Numbers(*constant);
    const int producer = view_.Producer(tensor);
    if (producer < 0 || depth > kDeepest) return std::nullopt;
    const auto known = values_.find(tensor);
    if (known != values_.end()) return known->second;
    Elements values = Evaluate(view_.graph().node(producer), depth + 1);
    values_.emplace(tensor, values);
    return values;
  }

 private:
  Elements Numbers(const onnx::TensorProto& tensor) const {
    const bool integer = tensor.data_type() == onnx::TensorProto::INT64 ||
                         tensor.data_type() == onnx::TensorProto::INT32;
    if (!integer || tensor.dims_size() > 1 || ElementCount(tensor) > 64) return std::nullopt;
    std::vector<Element> numbers;
    for (const int64_t value : model_.tensors().ReadInts(tensor)) numbers.push_back({value, ""});
    return numbers;
  }

  std::optional<int64_t> Number(const onnx::NodeProto& node, int input, int64_t absent) {
    if (!HasInput(node, input)) return absent;
    const onnx::TensorProto* constant = ConstantOf(view_, node.input(input));
    const Elements numbers = constant == nullptr ? std::nullopt : Numbers(*constant);
    if (!numbers || numbers->size() != 1) return std::nullopt;
    return numbers->front().value;
  }

  Elements Evaluate(const onnx::NodeProto& node, int depth) {
    if (!IsOnnxDomain(node.domain()) || !HasInput(node, 0)) return std::nullopt;
    const std::string& op = node.op_type();
    if (op == "Shape") {
      const bool whole =
          FindAttribute(node, "start") == nullptr && FindAttribute(node, "end") == nullptr;
      return whole ? DimsOf(node.input(0)) : std::nullopt;
    }
    if (op == "Concat") {
      std::vector<Element> all;
      for (const std::string& input : node.input()) {
        const Elements part = ValuesOf(input, depth);
        if (!part) return std::nullopt;
        all.insert(all.end(), part->begin(), part->end());
      }
      return all;
    }
    Elements data = ValuesOf(node.input(0), depth);
    if (!data || op == "Unsqueeze" || op == "Squeeze") return data;
    if (op == "Cast") {
      const int64_t to = IntAttribute(node, "to", 0);
      const bool integer = to == onnx::TensorProto::INT64 || to == onnx::TensorProto::INT32;
      return integer ? data : std::nullopt;
    }
    const auto size = static_cast<int64_t>(data->size());
    if (op == "Gather") {
      const std::optional<int64_t> index = Number(node, 1, 0);
      if (!index || *index < -size || *index >= size) return std::nullopt;
      return std::vector<Element>{
          (*data)[static_cast<size_t>(*index < 0 ? *index + size : *index)]};
    }
    if (op == "Slice" && node.input_size() >= 3) {
      const auto start = Number(node, 1, 0);
      const auto end = Number(node, 2, 0);
      if (!start || !end || Number(node, 4, 1) != 1) return std::nullopt;
      const auto clamp = [&](int64_t at) {
        return std::clamp<int64_t>(at < 0 ? at + size : at, 0, size);
      };
      const int64_t first = clamp(*start);
      return std::vector<Element>(data->begin() + first,
                                  data->begin() + std::max(first, clamp(*end)));
    }
    return std::nullopt;
  }

  const Model& model_;
  const GraphView view_;
  const GraphView& shapes_;
  std::unordered_map<std::string, Elements> values_;
};

// The shape as numbers; nothing where an element is neither a number nor the data's own dimension
// at its place.
std::optional<std::vector<int64_t>> AsConstant(const std::vector<Element>& shape,
                                               const std::vector<Element>& data) {
  std::vector<int64_t> numbers;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i].symbol.empty()) {
      numbers.push_back(shape[i].value);
    } else if (i < data.size() && data[i].symbol == shape[i].symbol) {
      numbers.push_back(0);
    } else {
      return std::nullopt;
    }
  }
  return numbers;
}

bool MayFold(const GraphView& view, const onnx::NodeProto& node) {
  return IsOp(node, "Reshape") && HasInput(node, 1) && IntAttribute(node, "allowzero", 0) == 0 &&
         view.Producer(node.input(1)) >= 0;
}

}  // namespace

int FoldReshapeShapes(PassContext& context) {
  Model& model = context.model;
  onnx::GraphProto& graph = model.graph();
  std::vector<std::pair<int, std::vector<int64_t>>> edits;
  {
    const GraphView view(graph);
    std::optional<ShapeReader> reader;  // inference runs only if there is something to fold
    for (int i = 0; i < graph.node_size(); ++i) {
      const onnx::NodeProto& node = graph.node(i);
      if (!MayFold(view, node)) continue;
      if (!reader) reader.emplace(context);
      const Elements shape = reader->ValuesOf(node.input(1));
      const Elements data = reader->DimsOf(node.input(0));
      if (!shape || !data) continue;
      if (auto numbers = AsConstant(*shape, *data)) edits.emplace_back(i, std::move(*numbers));
    }
  }
  UniqueNames names(graph);
  for (const auto& [node, numbers] : edits) {
    const std::string name = names.Make(graph.node(node).output(0) + "_shape");
    const std::vector<int64_t> dims = {static_cast<int64_t>(numbers.size())};
    *graph.add_initializer() = IntTensor(name, onnx::TensorProto::INT64, dims, numbers);
    graph.mutable_node(node)->set_input(1, name);
  }
  if (!edits.empty()) RaiseIrVersion(model, 4);
  return static_cast<int>(edits.size());
}

}  // namespace ptq
