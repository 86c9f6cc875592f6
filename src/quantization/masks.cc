#include "quantization/masks.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "base/extremes_kernels.h"
#include "model/attributes.h"
#include "model/domains.h"

namespace ptq {
namespace {

constexpr float kFar = 1000;  // magnitude from which a constant stands for infinity
constexpr float kRatio = 16;  // how many times farther than all others it must be

template <size_t N>
bool IsOneOf(const onnx::NodeProto& node, const std::array<std::string_view, N>& op_types) {
  return IsOnnxDomain(node.domain()) &&
         std::find(op_types.begin(), op_types.end(), node.op_type()) != op_types.end();
}

// Takes the far end of its input as "nothing", or as the least of all.
bool ReadsMasks(const onnx::NodeProto& node) {
  static constexpr std::array<std::string_view, 9> kOpTypes = {
      "ArgMax",    "Exp",     "LogSoftmax", "MaxPool", "ReduceLogSumExp",
      "ReduceMax", "Sigmoid", "Softmax",    "TopK"};
  return IsOneOf(node, kOpTypes);
}

// Output 0 holds values of input 0 only, or 0.
bool MovesMask(const onnx::NodeProto& node) {
  static constexpr std::array<std::string_view, 14> kOpTypes = {
      "Cast",  "Expand", "Flatten", "Gather", "Identity",  "Neg",   "Reshape",
      "Slice", "Split",  "Squeeze", "Tile",   "Transpose", "Trilu", "Unsqueeze"};
  return IsOneOf(node, kOpTypes);
}

// Output 0 holds values of its inputs.
bool JoinsMasks(const onnx::NodeProto& node) {
  static constexpr std::array<std::string_view, 6> kOpTypes = {
      "Concat", "Max", "Min", "Pad", "ScatterElements", "ScatterND"};
  return IsOneOf(node, kOpTypes);
}

bool Adds(const onnx::NodeProto& node) {
  static constexpr std::array<std::string_view, 2> kOpTypes = {"Add", "Sub"};
  return IsOneOf(node, kOpTypes);
}

bool Is(const onnx::NodeProto& node, std::string_view op_type) {
  return node.op_type() == op_type && IsOnnxDomain(node.domain());
}

// What is known of the values of a tensor.
struct Contents {
  float far = 0;       // largest magnitude that stands for infinity; 0: there is none
  float rest = 0;      // largest magnitude of the other values, as far as it is known
  bool mixed = false;  // has both
  bool flags = false;  // only -1, 0 and 1

  bool is_far() const { return far > 0; }
};

// `far` counts only beside others that are much smaller.
Contents Settled(Contents contents) {
  if (contents.far < kRatio * contents.rest) {
    return {.far = 0, .rest = std::max(contents.far, contents.rest)};
  }
  return contents;
}

class MaskFinder {
 public:
  MaskFinder(const Model& model, const GraphView& view, const TensorRanges& ranges)
      : model_(model), view_(view), ranges_(ranges) {}

  std::unordered_map<std::string, FloatReason> Run() {
    FindReaders();
    for (int i = 0; i < view_.node_count(); ++i) {
      const onnx::NodeProto& node = view_.node(i);
      for (const std::string& output : node.output()) {
        if (read_.contains(output)) contents_.emplace(output, After(node, output));
      }
      if (!Combines(node)) continue;
      for (const std::string& input : node.input()) {
        if (view_.Initializer(input) != nullptr) ContentsOf(input);
      }
    }
    std::unordered_map<std::string, FloatReason> found;
    for (const auto& [tensor, contents] : contents_) {
      if (contents.is_far() && read_.contains(tensor)) {
        found[tensor] = {
            FloatReasonCode::kRangeOfMask,
            Text("its tensor '") + tensor + "' holds a mask, a constant that stands for infinity"};
      }
    }
    for (const auto& [tensor, range] : ranges_) {
      if (range.is_empty() || (!std::isinf(range.lowest) && !std::isinf(range.highest))) continue;
      found.try_emplace(tensor,
                        FloatReason{FloatReasonCode::kRangeNotFinite,
                                    Text("its tensor '") + tensor + "' was infinite in a sample"});
    }
    for (const auto& [tensor, contents] : constants_) {
      if (std::isinf(contents.far)) found.try_emplace(tensor, HoldsInfinity(tensor));
    }
    for (int i = 0; i < view_.node_count(); ++i) FindInfiniteWeights(view_.node(i), &found);
    return found;
  }

 private:
  static FloatReason HoldsInfinity(const std::string& tensor) {
    return {FloatReasonCode::kRangeNotFinite,
            Text("its constant '") + tensor + "' holds infinity, or nothing but NaN"};
  }

  // Constant operands that no scale fits. A third input is a bias, which has its own rules, or is
  // not quantized; bounds of a Clip may be infinite.
  void FindInfiniteWeights(const onnx::NodeProto& node,
                           std::unordered_map<std::string, FloatReason>* found) {
    if (Is(node, "Clip")) return;
    for (int i = 0; i < std::min(2, node.input_size()); ++i) {
      const onnx::TensorProto* initializer = view_.Initializer(node.input(i));
      if (initializer == nullptr || !IsFloatTensor(*initializer)) continue;
      if (ElementCount(*initializer) == 0 || !weights_.insert(node.input(i)).second) continue;
      Extremes extremes;
      model_.tensors().VisitFloats(*initializer, [&](uint64_t, std::span<const float> window) {
        extremes.Widen(FindExtremes(window, Values::kSigned));
      });
      if (!extremes.is_finite()) found->try_emplace(node.input(i), HoldsInfinity(node.input(i)));
    }
  }

  static bool Combines(const onnx::NodeProto& node) {
    return JoinsMasks(node) || Adds(node) || Is(node, "Where") || Is(node, "Mul");
  }

  // What output `output` of `node` holds.
  Contents After(const onnx::NodeProto& node, const std::string& output) {
    const auto input = [&](int i) {
      return ContentsOf(i < node.input_size() ? node.input(i) : "");
    };
    if (Is(node, "Constant") || Is(node, "ConstantOfShape")) {
      const onnx::AttributeProto* value = FindAttribute(node, "value");
      if (value != nullptr) return OfConstant(value->t());
      return {.flags = true};  // ConstantOfShape of 0; other forms of Constant hold no floats
    }
    if (Is(node, "Where")) return Joined(input(1), input(2));
    if (Adds(node)) return Sum(input(0), input(1), output);
    if (Is(node, "Mul")) return Product(input(0), input(1), output);
    if (MovesMask(node)) {
      Contents moved = input(0);
      // Flags that were no floats before; ranges of integers are not known.
      if (Is(node, "Cast") && !IsFloat(node.input(0))) moved.flags = !IsOther(output);
      if (Is(node, "Trilu")) moved.mixed = moved.is_far();
      return moved;
    }
    if (JoinsMasks(node)) {
      Contents joined = input(0);
      for (int i = 1; i < node.input_size(); ++i) {
        if (!node.input(i).empty() && IsFloat(node.input(i))) joined = Joined(joined, input(i));
      }
      return joined;
    }
    return OfRange(output);
  }

  static Contents Joined(const Contents& a, const Contents& b) {
    return Settled({.far = std::max(a.far, b.far),
                    .rest = std::max(a.rest, b.rest),
                    .mixed = a.is_far() || b.is_far(),
                    .flags = a.flags && b.flags});
  }

  // A constant that is added everywhere is no mask: one side must hold others, too.
  Contents Sum(const Contents& a, const Contents& b, const std::string& output) {
    if (a.mixed || b.mixed) {
      return Settled({.far = std::max(a.far, b.far), .rest = a.rest + b.rest, .mixed = true});
    }
    Contents sum = OfRange(output);
    sum.flags |= a.flags && b.flags && !IsOther(output);  // 1 - mask
    return sum;
  }

  Contents Product(const Contents& a, const Contents& b, const std::string& output) {
    for (const auto& [one, other] : {std::pair(a, b), std::pair(b, a)}) {
      if (one.is_far() && (other.flags || (one.mixed && !other.is_far()))) {
        return {.far = one.far, .rest = one.rest * std::max(other.rest, 1.0f), .mixed = true};
      }
    }
    Contents product = OfRange(output);
    product.flags |= a.flags && b.flags;
    return product;
  }

  Contents ContentsOf(const std::string& tensor) {
    if (tensor.empty()) return {};
    const auto known = contents_.find(tensor);
    if (known != contents_.end()) return known->second;
    const auto constant = constants_.find(tensor);
    if (constant != constants_.end()) return constant->second;
    const onnx::TensorProto* initializer = view_.Initializer(tensor);
    if (initializer == nullptr) return OfRange(tensor);
    return constants_.emplace(tensor, OfConstant(*initializer)).first->second;
  }

  Contents OfConstant(const onnx::TensorProto& tensor) const {
    if (!IsFloatTensor(tensor)) return {};
    Contents contents{.flags = true};
    bool others = false;
    model_.tensors().VisitFloats(tensor, [&](uint64_t, std::span<const float> window) {
      for (const float value : window) {
        const float magnitude = std::abs(value);
        contents.flags &= magnitude == 0 || magnitude == 1;
        if (magnitude >= kFar) {
          contents.far = std::max(contents.far, magnitude);
        } else {
          contents.rest = std::max(contents.rest, magnitude);
          others = true;
        }
      }
    });
    contents.mixed = contents.is_far() && others;
    return Settled(contents);
  }

  // Nothing is far in what calibration alone knows.
  Contents OfRange(const std::string& tensor) const {
    const auto known = ranges_.find(tensor);
    if (known == ranges_.end() || known->second.is_empty()) return {};
    const auto& [lowest, highest] = std::pair(known->second.lowest, known->second.highest);
    const auto is_flag = [](float value) { return value == -1 || value == 0 || value == 1; };
    return {.rest = std::max(std::abs(lowest), std::abs(highest)),
            .flags = is_flag(lowest) && is_flag(highest)};
  }

  // Whether its range is known, and is not that of flags.
  bool IsOther(const std::string& tensor) const {
    const auto known = ranges_.find(tensor);
    return known != ranges_.end() && !known->second.is_empty() && !OfRange(tensor).flags;
  }

  static bool IsFloatTensor(const onnx::TensorProto& tensor) {
    return tensor.data_type() == onnx::TensorProto::FLOAT ||
           tensor.data_type() == onnx::TensorProto::FLOAT16;
  }

  bool IsFloat(const std::string& tensor) const {
    const int32_t type = view_.ElementType(tensor);
    return type == onnx::TensorProto::FLOAT || type == onnx::TensorProto::FLOAT16;
  }

  // The tensors from which a mask reaches an operator that reads masks.
  void FindReaders() {
    for (int i = view_.node_count() - 1; i >= 0; --i) {
      const onnx::NodeProto& node = view_.node(i);
      if (ReadsMasks(node)) read_.insert(node.input(0));
      const bool read = std::any_of(node.output().begin(), node.output().end(),
                                    [this](const std::string& o) { return read_.contains(o); });
      if (!read || (!MovesMask(node) && !Combines(node))) continue;
      for (const std::string& input : node.input()) {
        if (!input.empty()) read_.insert(input);
      }
    }
  }

  const Model& model_;
  const GraphView& view_;
  const TensorRanges& ranges_;
  std::unordered_map<std::string, Contents> contents_;   // of what nodes make
  std::unordered_map<std::string, Contents> constants_;  // of initializers
  std::unordered_set<std::string> read_;
  std::unordered_set<std::string> weights_;  // looked at by FindInfiniteWeights
};

}  // namespace

std::unordered_map<std::string, FloatReason> TensorsOfMasks(const Model& model,
                                                            const GraphView& view,
                                                            const TensorRanges& ranges) {
  return MaskFinder(model, view, ranges).Run();
}

}  // namespace ptq
