// onnx's schemas, with limits to what their inference computes and keeps, and with inference for
// those that have none.
//
// Data propagation adds a message of some 65 bytes for every element of every rank-1 tensor that it
// passes: 30 seconds of sound through 8 nodes are 312 MB. What it is for, shapes, is short: longer
// tensors stay unknown to it.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "onnx/defs/schema.h"
#include "onnx/defs/shape_inference.h"

namespace ptq {

// Elements of the longest tensor whose values are propagated.
inline constexpr int64_t kLongestPropagated = 4096;
// Elements of the longest Range whose length is inferred.
inline constexpr int64_t kLongestRange = int64_t{1} << 31;

class BoundedSchemas final : public onnx::ISchemaRegistry {
 public:
  // The schema of onnx::OpSchemaRegistry, or one like it that propagates nothing where an input
  // has rank 1 and is longer than kLongestPropagated, and that leaves the length of a Range
  // unknown where it is more than kLongestRange or its delta is 0. Where onnx has a function body
  // in place of inference, it has inference. Null where there is no schema.
  const onnx::OpSchema* GetSchema(const std::string& key, int max_inclusive_version,
                                  const std::string& domain) const override;

 private:
  mutable std::map<const onnx::OpSchema*, std::unique_ptr<onnx::OpSchema>> bounded_;
};

}  // namespace ptq
