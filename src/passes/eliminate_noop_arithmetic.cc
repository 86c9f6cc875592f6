// Arithmetic with a constant that changes nothing is bypassed: y = x.
//
//   x * 1      x / 1      x - 0      x + -0      x ^ 1      Sum, Mean, Max or Min of x alone
//   x + 0      of integers, or where nobody can tell -0 from 0
//
// x + 0 turns -0 into 0, which shows in 1 / x: it goes only where its readers add up or take a
// function that is the same at both zeros. It stays where broadcasting changes the shape.
#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "model/node_queries.h"
#include "passes/bypass_nodes.h"
#include "passes/graph_queries.h"
#include "passes/known_values.h"
#include "passes/pass_registry.h"

namespace ptq {
namespace {

constexpr uint64_t kMostRead = 64 << 10;  // elements of a constant

class NoopArithmetic {
 public:
  NoopArithmetic(PassContext& context, const GraphView& view)
      : model_(context.model), view_(view), known_(context, view) {}

  // The index of the input that the node passes on; -1 where it does more.
  int Passed(const onnx::NodeProto& node) {
    if (!OutputsUnused(view_, node, 1)) return -1;
    for (const char* op : {"Sum", "Mean", "Max", "Min"}) {
      if (IsOp(node, op)) return node.input_size() == 1 ? 0 : -1;
    }
    if (node.input_size() != 2) return -1;
    const bool adds = IsOp(node, "Add");
    if (adds || IsOp(node, "Mul")) {
      for (const int constant : {1, 0}) {
        if (IsNeutral(node, constant, adds ? 0 : 1)) return 1 - constant;
      }
    } else if (IsOp(node, "Div") || IsOp(node, "Pow")) {
      return IsNeutral(node, 1, 1) ? 0 : -1;
    } else if (IsOp(node, "Sub")) {
      return IsNeutral(node, 1, 0) ? 0 : -1;
    }
    return -1;
  }

 private:
  bool IsNeutral(const onnx::NodeProto& node, int input, int64_t neutral) {
    const onnx::TensorProto* constant = ConstantOf(view_, node.input(input));
    if (constant == nullptr || ElementCount(*constant) == 0 ||
        ElementCount(*constant) > kMostRead) {
      return false;
    }
    const onnx::TensorProto* other = ConstantOf(view_, node.input(1 - input));
    return other == nullptr && HoldsOnly(node, *constant, neutral) &&
           KeepsShape(*constant, node.input(1 - input));
  }

  bool HoldsOnly(const onnx::NodeProto& node, const onnx::TensorProto& constant, int64_t neutral) {
    switch (constant.data_type()) {
      case onnx::TensorProto::FLOAT:
      case onnx::TensorProto::FLOAT16:
      case onnx::TensorProto::BFLOAT16: {
        const std::vector<float> values = model_.tensors().ReadFloats(constant);
        const bool adds = IsOp(node, "Add");
        const bool subtracts = IsOp(node, "Sub");
        bool either_zero = false;
        for (const float value : values) {
          if (value != static_cast<float>(neutral)) return false;
          either_zero |= (adds && !std::signbit(value)) || (subtracts && std::signbit(value));
        }
        return !either_zero || ZerosAreEqual(node.output(0));
      }
      case onnx::TensorProto::INT32:
      case onnx::TensorProto::INT64: {
        const std::vector<int64_t> values = model_.tensors().ReadInts(constant);
        return std::all_of(values.begin(), values.end(),
                           [&](int64_t value) { return value == neutral; });
      }
      default:
        return false;
    }
  }

  // Whether no reader gives another result for -0 than for 0.
  bool ZerosAreEqual(const std::string& tensor) const {
    static constexpr std::array<std::string_view, 16> kBlind = {
        "Abs",     "Conv",           "ConvTranspose",      "Cos",
        "Exp",     "Gemm",           "LayerNormalization", "Log",
        "MatMul",  "QuantizeLinear", "ReduceMean",         "ReduceSum",
        "Sigmoid", "Softmax",        "Softplus",           "LogSoftmax"};
    if (view_.IsGraphOutput(tensor)) return false;
    const std::vector<Use>& uses = view_.Uses(tensor);
    return std::all_of(uses.begin(), uses.end(), [&](const Use& use) {
      const onnx::NodeProto& reader = view_.node(use.node);
      return use.input == 0 && std::any_of(kBlind.begin(), kBlind.end(),
                                           [&](std::string_view op) { return IsOp(reader, op); });
    });
  }

  // Whether broadcasting against the constant leaves x its shape.
  bool KeepsShape(const onnx::TensorProto& constant, const std::string& x) {
    if (constant.dims_size() == 0) return true;
    const auto dims = known_.DimsOf(x);
    if (!dims || static_cast<size_t>(constant.dims_size()) > dims->size()) return false;
    const size_t shift = dims->size() - static_cast<size_t>(constant.dims_size());
    for (int i = 0; i < constant.dims_size(); ++i) {
      const Element& dim = (*dims)[shift + static_cast<size_t>(i)];
      if (constant.dims(i) != 1 && !(dim == Element{constant.dims(i), ""})) return false;
    }
    return true;
  }

  const Model& model_;
  const GraphView& view_;
  KnownValues known_;
};

}  // namespace

int EliminateNoopArithmetic(PassContext& context) {
  onnx::GraphProto& graph = context.model.graph();
  const GraphView view(graph);
  NoopArithmetic noop(context, view);
  return BypassToInputs(
      &graph, [&](const onnx::NodeProto& node, const GraphView&) { return noop.Passed(node); });
}

}  // namespace ptq
