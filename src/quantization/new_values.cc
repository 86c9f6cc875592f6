#include "quantization/new_values.h"

#include "model/attributes.h"

namespace ptq {

std::string_view NewValuesOf(const onnx::NodeProto& node) {
  if (node.op_type() != "Resize") return "";
  if (StringAttribute(node, "mode", "nearest") == "cubic") {
    return "it interpolates by cubic curves, which leave the range of its input";
  }
  // Whatever the value is: integer kernels write it as it stands, not quantized.
  if (StringAttribute(node, "coordinate_transformation_mode", "half_pixel") ==
      "tf_crop_and_resize") {
    return "it writes its extrapolation value, which its integer form does not quantize";
  }
  return "";
}

}  // namespace ptq
