#include "passes/bounded_schemas.h"

#include "base/error.h"
#include "model/domains.h"
#include "model/tensor_store.h"

namespace ptq {
namespace {

bool IsLong(const onnx::TypeProto* type) {
  if (type == nullptr || !type->has_tensor_type() || !type->tensor_type().has_shape()) return false;
  const onnx::TensorShapeProto& shape = type->tensor_type().shape();
  return shape.dim_size() == 1 && shape.dim(0).has_dim_value() &&
         shape.dim(0).dim_value() > kLongestPropagated;
}

onnx::DataPropagationFunction Bounded(const onnx::DataPropagationFunction& propagate) {
  return [propagate](onnx::DataPropagationContext& context) {
    for (size_t i = 0; i < context.getNumInputs(); ++i) {
      if (IsLong(context.getInputType(i))) return;
    }
    propagate(context);
  };
}

bool IsZero(const onnx::TensorProto* scalar) {
  if (scalar == nullptr || ElementCount(*scalar) != 1) return false;
  const TensorStore store(nullptr);  // a scalar is inline
  const bool real = scalar->data_type() == onnx::TensorProto::FLOAT ||
                    scalar->data_type() == onnx::TensorProto::DOUBLE;
  return real ? store.ReadFloats(*scalar)[0] == 0 : store.ReadInts(*scalar)[0] == 0;
}

// The length is (limit - start) / delta.
void InferRange(const onnx::InferenceFunction& infer, onnx::InferenceContext& context) {
  bool endless = false;
  try {
    endless = context.getNumInputs() == 3 && IsZero(context.getInputData(2));
  } catch (const Error&) {
    endless = false;  // of a type that has no length, which `infer` knows better
  }
  if (!endless) infer(context);
  onnx::TypeProto* type = context.getOutputType(0);
  if (endless) {
    onnx::propagateElemTypeFromInputToOutput(context, 0, 0);
    type->mutable_tensor_type()->mutable_shape()->add_dim();
  }
  for (auto& dim : *type->mutable_tensor_type()->mutable_shape()->mutable_dim()) {
    if (dim.has_dim_value() && (dim.dim_value() < 0 || dim.dim_value() > kLongestRange)) {
      dim.clear_dim_value();
    }
  }
}

void InferComparison(onnx::InferenceContext& context) {
  onnx::updateOutputElemType(context, 0, onnx::TensorProto::BOOL);
  if (!onnx::hasNInputShapes(context, 2)) return;
  onnx::bidirectionalBroadcastShapeInference(
      context.getInputType(0)->tensor_type().shape(),
      context.getInputType(1)->tensor_type().shape(),
      *context.getOutputType(0)->mutable_tensor_type()->mutable_shape());
}

// Of operators that onnx gives a body only, which this build is without (lean_schemas.h): all of
// its 659 schemas that have one and no inference.
onnx::InferenceFunction InferenceOf(const std::string& op_type) {
  if (op_type == "GreaterOrEqual" || op_type == "LessOrEqual") return InferComparison;
  if (op_type == "GroupNormalization" || op_type == "MeanVarianceNormalization") {
    return onnx::propagateShapeAndTypeFromFirstInput;
  }
  return nullptr;
}

}  // namespace

const onnx::OpSchema* BoundedSchemas::GetSchema(const std::string& key, int max_inclusive_version,
                                                const std::string& domain) const {
  const onnx::OpSchema* schema = onnx::OpSchemaRegistry::Schema(key, max_inclusive_version, domain);
  if (schema == nullptr) return nullptr;
  const bool range = key == "Range" && IsOnnxDomain(domain);
  const onnx::InferenceFunction added =
      IsOnnxDomain(domain) && !schema->has_type_and_shape_inference_function() ? InferenceOf(key)
                                                                               : nullptr;
  if (!range && !added && !schema->has_data_propagation_function()) return schema;
  std::unique_ptr<onnx::OpSchema>& bounded = bounded_[schema];
  if (bounded == nullptr) {
    bounded = std::make_unique<onnx::OpSchema>(*schema);
    if (schema->has_data_propagation_function()) {
      bounded->PartialDataPropagationFunction(Bounded(schema->GetDataPropagationFunction()));
    }
    if (added) bounded->TypeAndShapeInferenceFunction(added);
    if (range) {
      bounded->TypeAndShapeInferenceFunction(
          [infer = schema->GetTypeAndShapeInferenceFunction()](onnx::InferenceContext& context) {
            InferRange(infer, context);
          });
    }
  }
  return bounded.get();
}

}  // namespace ptq
