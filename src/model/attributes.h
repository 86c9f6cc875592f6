// Attributes by name, with defaults.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "onnx/onnx_pb.h"

namespace ptq {

const onnx::AttributeProto* FindAttribute(const onnx::NodeProto& node, std::string_view name);
int64_t IntAttribute(const onnx::NodeProto& node, std::string_view name, int64_t otherwise);
float FloatAttribute(const onnx::NodeProto& node, std::string_view name, float otherwise);
std::string StringAttribute(const onnx::NodeProto& node, std::string_view name,
                            const std::string& otherwise);
std::vector<int64_t> IntsAttribute(const onnx::NodeProto& node, std::string_view name);

// Adds or replaces.
void SetAttribute(onnx::NodeProto* node, const std::string& name, int64_t value);
void SetAttribute(onnx::NodeProto* node, const std::string& name, float value);
void SetAttribute(onnx::NodeProto* node, const std::string& name, const std::string& value);
void SetAttribute(onnx::NodeProto* node, const std::string& name,
                  const std::vector<int64_t>& values);
bool RemoveAttribute(onnx::NodeProto* node, std::string_view name);

}  // namespace ptq
