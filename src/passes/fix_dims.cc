#include "passes/fix_dims.h"

#include <set>
#include <vector>

#include "base/error.h"
#include "base/near_matches.h"

namespace ptq {
namespace {

template <typename Visit>
void ForEachName(const onnx::TypeProto& type, const Visit& visit) {
  if (!type.has_tensor_type()) return;
  for (const auto& dim : type.tensor_type().shape().dim()) {
    if (!dim.has_dim_value() && !dim.dim_param().empty()) visit(dim.dim_param());
  }
}

void FixIn(const std::map<std::string, int64_t>& dims, onnx::ValueInfoProto* value) {
  // Asking for what is not there would make it.
  if (!value->type().has_tensor_type() || !value->type().tensor_type().has_shape()) return;
  auto* const shape = value->mutable_type()->mutable_tensor_type()->mutable_shape();
  for (auto& dim : *shape->mutable_dim()) {
    const auto fixed = dim.has_dim_param() ? dims.find(dim.dim_param()) : dims.end();
    if (fixed != dims.end()) dim.set_dim_value(fixed->second);
  }
}

}  // namespace

void CheckFixDims(const std::map<std::string, int64_t>& dims, const onnx::GraphProto& graph) {
  if (dims.empty()) return;
  std::set<std::string> names;
  for (const onnx::ValueInfoProto& input : graph.input()) {
    ForEachName(input.type(), [&](const std::string& name) { names.insert(name); });
  }
  const std::vector<std::string> known(names.begin(), names.end());
  for (const auto& [name, size] : dims) {
    if (size < 1) {
      throw Error(ErrorCode::kInvalidOption, Text("fix_dim: expected a size of at least 1 for \"") +
                                                 name + "\" but received " + std::to_string(size));
    }
    if (names.contains(name)) continue;
    Text hint = DidYouMean(NearMatches(name, known));
    if (hint.empty()) {
      std::string all;
      for (const std::string& free : known) all += (&free == &known[0] ? "" : ", ") + free;
      hint =
          all.empty() ? Text("its inputs have no dimensions with names") : Text("it has: ") + all;
    }
    throw Error(ErrorCode::kInvalidOption,
                Text("fix_dim: no input of the model has a free dimension \"") + name + "\"")
        .WithHint(hint);
  }
}

void FixDims(const std::map<std::string, int64_t>& dims, onnx::GraphProto* graph) {
  if (dims.empty()) return;
  for (onnx::ValueInfoProto& value : *graph->mutable_input()) FixIn(dims, &value);
  for (onnx::ValueInfoProto& value : *graph->mutable_value_info()) FixIn(dims, &value);
  for (onnx::ValueInfoProto& value : *graph->mutable_output()) FixIn(dims, &value);
}

}  // namespace ptq
