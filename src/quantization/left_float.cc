#include "quantization/left_float.h"

#include <algorithm>
#include <vector>

#include "model/node_queries.h"
#include "quantization/layer_io.h"

namespace ptq {
namespace {

class LeftFloatFinder {
 public:
  LeftFloatFinder(const GraphView& view, bool all_readers)
      : view_(view), all_readers_(all_readers) {}

  LeftFloat Find(const std::unordered_set<std::string>& labels) {
    std::vector<int> chosen;
    for (int i = 0; i < view_.node_count(); ++i) {
      if (!labels.contains(NodeLabel(view_.node(i)))) continue;
      chosen.push_back(i);
      found_.nodes.insert(&view_.node(i));
    }
    // Before layers are added that only read what these write.
    std::erase_if(chosen, [this](int i) { return !IsLayer(view_.node(i)) || ReadsFloat(i); });
    for (const int i : chosen) KeepOutputFloat(view_.node(i).output(0));
    return std::move(found_);
  }

 private:
  // Whether nobody but chosen nodes makes or reads its input, so that nobody quantizes it.
  bool ReadsFloat(int node) const {
    const std::string& input = view_.node(node).input(0);
    const int producer = view_.Producer(input);
    if (producer >= 0 && !found_.nodes.contains(&view_.node(producer))) return false;
    const std::vector<Use>& uses = view_.Uses(input);
    return std::all_of(uses.begin(), uses.end(), [this](const Use& use) {
      return found_.nodes.contains(&view_.node(use.node));
    });
  }

  // Through the Relu or Clip that onnxruntime fuses with its layer.
  void KeepOutputFloat(const std::string& tensor) {
    found_.tensors.insert(tensor);
    const std::vector<Use>& uses = view_.Uses(tensor);
    for (const Use& use : uses) {
      const onnx::NodeProto& reader = view_.node(use.node);
      if (use.input == 0 && uses.size() == 1 && (IsOp(reader, "Relu") || IsOp(reader, "Clip"))) {
        found_.nodes.insert(&reader);
        KeepOutputFloat(reader.output(0));
      } else if (all_readers_ || (use.input == 0 && IsLayer(reader))) {
        found_.nodes.insert(&reader);
      }
    }
  }

  bool IsLayer(const onnx::NodeProto& node) const { return IsLinear(view_, node); }

  const GraphView& view_;
  bool all_readers_;
  LeftFloat found_;
};

}  // namespace

std::string NodeLabel(const onnx::NodeProto& node) {
  if (!node.name().empty() || node.output_size() == 0) return node.name();
  return node.output(0);
}

LeftFloat FindLeftFloat(const GraphView& view, const std::unordered_set<std::string>& labels,
                        bool all_readers) {
  if (labels.empty()) return {};
  return LeftFloatFinder(view, all_readers).Find(labels);
}

}  // namespace ptq
