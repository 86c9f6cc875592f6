// Operators from before the standard that files of opset 9 and less still hold and that runtimes
// stop to accept at opset 10: said in standard ones. What they compute: onnxruntime's contrib
// operator documentation.
//
//   before: y = ImageScaler <scale = 2.0, bias = [a, b, c]> (x)
//   after:  m = Mul(x, 2.0)   y = Add(m, [[[a]], [[b]], [[c]]])
#include <limits>

#include "model/attributes.h"
#include "passes/opset/adapter.h"

namespace ptq {
namespace {

// y = step_n(… step_1(x)); the node's own name goes to the last step.
class Steps {
 public:
  Steps(const onnx::NodeProto& node, UpgradeContext& context) : node_(node), context_(context) {
    if (node.input_size() != 1 || node.output_size() != 1) FailUpgrade(node, "is malformed.");
    at_ = node.input(0);
  }

  Steps& Apply(const std::string& op_type) { return Add(op_type, {}); }
  Steps& Apply(const std::string& op_type, const char* suffix, const std::vector<int64_t>& dims,
               const std::vector<float>& operand) {
    return Add(op_type, {AddReal(context_, node_, suffix, dims, operand)});
  }
  Steps& ApplySlice(const std::vector<int64_t>& starts, const std::vector<int64_t>& ends,
                    const std::vector<int64_t>& axes) {
    return Add("Slice",
               {AddInts(context_, node_, "starts", starts), AddInts(context_, node_, "ends", ends),
                AddInts(context_, node_, "axes", axes)});
  }

  void Finish() {
    for (size_t i = 0; i < steps_.size(); ++i) {
      onnx::NodeProto& step = steps_[i];
      const bool last = i + 1 == steps_.size();
      const std::string output =
          last ? node_.output(0) : context_.UniqueName(node_.output(0) + "_" + step.op_type());
      step.set_name(last ? node_.name() : context_.UniqueName(output + "_node"));
      step.set_input(0, at_);
      step.add_output(output);
      at_ = output;
      context_.Emit(std::move(step));
    }
  }

 private:
  Steps& Add(const std::string& op_type, const std::vector<std::string>& operands) {
    onnx::NodeProto step;
    step.set_op_type(op_type);
    step.add_input();
    for (const std::string& operand : operands) step.add_input(operand);
    steps_.push_back(std::move(step));
    return *this;
  }

  const onnx::NodeProto& node_;
  UpgradeContext& context_;
  std::vector<onnx::NodeProto> steps_;
  std::string at_;
};

}  // namespace

// alpha * x + beta
void AdaptAffine(onnx::NodeProto& node, UpgradeContext& context) {
  Steps(node, context)
      .Apply("Mul", "alpha", {}, {FloatAttribute(node, "alpha", 1.0f)})
      .Apply("Add", "beta", {}, {FloatAttribute(node, "beta", 0.0f)})
      .Finish();
}

// border: left, top, right, bottom of an NCHW image; scale, if given: height and width of the
// result.
void AdaptCrop(onnx::NodeProto& node, UpgradeContext& context) {
  const std::vector<int64_t> border = IntsAttribute(node, "border");
  const std::vector<int64_t> size = IntsAttribute(node, "scale");
  if (border.size() != 4 || (!size.empty() && size.size() != 2)) {
    FailUpgrade(node, "has a malformed border or scale.");
  }
  const auto from_end = [](int64_t cut) {
    return cut == 0 ? std::numeric_limits<int64_t>::max() : -cut;
  };
  const std::vector<int64_t> starts = {border[1], border[0]};
  const std::vector<int64_t> ends =
      size.empty() ? std::vector<int64_t>{from_end(border[3]), from_end(border[2])}
                   : std::vector<int64_t>{border[1] + size[0], border[0] + size[1]};
  Steps(node, context).ApplySlice(starts, ends, {2, 3}).Finish();
}

// scale * x + bias[channel]
void AdaptImageScaler(onnx::NodeProto& node, UpgradeContext& context) {
  const onnx::AttributeProto* bias = FindAttribute(node, "bias");
  if (bias == nullptr) FailUpgrade(node, "lacks its bias.");
  const std::vector<float> values(bias->floats().begin(), bias->floats().end());
  Steps(node, context)
      .Apply("Mul", "scale", {}, {FloatAttribute(node, "scale", 1.0f)})
      .Apply("Add", "bias", {static_cast<int64_t>(values.size()), 1, 1}, values)
      .Finish();
}

// alpha * ln(1 + exp(beta * x))
void AdaptParametricSoftplus(onnx::NodeProto& node, UpgradeContext& context) {
  Steps(node, context)
      .Apply("Mul", "beta", {}, {FloatAttribute(node, "beta", 1.0f)})
      .Apply("Softplus")
      .Apply("Mul", "alpha", {}, {FloatAttribute(node, "alpha", 1.0f)})
      .Finish();
}

void AdaptScale(onnx::NodeProto& node, UpgradeContext& context) {
  Steps(node, context).Apply("Mul", "scale", {}, {FloatAttribute(node, "scale", 1.0f)}).Finish();
}

// alpha * tanh(beta * x)
void AdaptScaledTanh(onnx::NodeProto& node, UpgradeContext& context) {
  Steps(node, context)
      .Apply("Mul", "beta", {}, {FloatAttribute(node, "beta", 1.0f)})
      .Apply("Tanh")
      .Apply("Mul", "alpha", {}, {FloatAttribute(node, "alpha", 1.0f)})
      .Finish();
}

}  // namespace ptq
