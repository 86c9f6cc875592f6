#include "model/attributes.h"

namespace ptq {
namespace {

onnx::AttributeProto* Renew(onnx::NodeProto* node, const std::string& name,
                            onnx::AttributeProto::AttributeType type) {
  onnx::AttributeProto* attribute = nullptr;
  for (onnx::AttributeProto& candidate : *node->mutable_attribute()) {
    if (candidate.name() == name) attribute = &candidate;
  }
  if (attribute == nullptr) attribute = node->add_attribute();
  attribute->Clear();
  attribute->set_name(name);
  attribute->set_type(type);
  return attribute;
}

}  // namespace

const onnx::AttributeProto* FindAttribute(const onnx::NodeProto& node, std::string_view name) {
  for (const onnx::AttributeProto& attribute : node.attribute()) {
    if (attribute.name() == name) return &attribute;
  }
  return nullptr;
}

int64_t IntAttribute(const onnx::NodeProto& node, std::string_view name, int64_t otherwise) {
  const onnx::AttributeProto* attribute = FindAttribute(node, name);
  return attribute != nullptr && attribute->has_i() ? attribute->i() : otherwise;
}

float FloatAttribute(const onnx::NodeProto& node, std::string_view name, float otherwise) {
  const onnx::AttributeProto* attribute = FindAttribute(node, name);
  return attribute != nullptr && attribute->has_f() ? attribute->f() : otherwise;
}

std::string StringAttribute(const onnx::NodeProto& node, std::string_view name,
                            const std::string& otherwise) {
  const onnx::AttributeProto* attribute = FindAttribute(node, name);
  return attribute != nullptr && attribute->has_s() ? attribute->s() : otherwise;
}

std::vector<int64_t> IntsAttribute(const onnx::NodeProto& node, std::string_view name) {
  const onnx::AttributeProto* attribute = FindAttribute(node, name);
  if (attribute == nullptr) return {};
  return {attribute->ints().begin(), attribute->ints().end()};
}

void SetAttribute(onnx::NodeProto* node, const std::string& name, int64_t value) {
  Renew(node, name, onnx::AttributeProto::INT)->set_i(value);
}

void SetAttribute(onnx::NodeProto* node, const std::string& name, float value) {
  Renew(node, name, onnx::AttributeProto::FLOAT)->set_f(value);
}

void SetAttribute(onnx::NodeProto* node, const std::string& name, const std::string& value) {
  Renew(node, name, onnx::AttributeProto::STRING)->set_s(value);
}

void SetAttribute(onnx::NodeProto* node, const std::string& name,
                  const std::vector<int64_t>& values) {
  onnx::AttributeProto* attribute = Renew(node, name, onnx::AttributeProto::INTS);
  attribute->mutable_ints()->Add(values.begin(), values.end());
}

bool RemoveAttribute(onnx::NodeProto* node, std::string_view name) {
  for (int i = 0; i < node->attribute_size(); ++i) {
    if (node->attribute(i).name() != name) continue;
    node->mutable_attribute()->DeleteSubrange(i, 1);
    return true;
  }
  return false;
}

}  // namespace ptq
