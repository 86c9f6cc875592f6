#include "model/model.h"

namespace ptq {
namespace {

bool SameDomain(const std::string& a, const std::string& b) {
  const auto is_default = [](const std::string& domain) {
    return domain.empty() || domain == "ai.onnx";
  };
  return a == b || (is_default(a) && is_default(b));
}

}  // namespace

Model::Model(onnx::ModelProto proto, Files* files) : proto_(std::move(proto)), tensors_(files) {}

int64_t Model::Opset(const std::string& domain) const {
  for (const onnx::OperatorSetIdProto& import : proto_.opset_import()) {
    if (SameDomain(import.domain(), domain)) return import.version();
  }
  return 0;
}

void Model::SetOpset(const std::string& domain, int64_t version) {
  for (onnx::OperatorSetIdProto& import : *proto_.mutable_opset_import()) {
    if (!SameDomain(import.domain(), domain)) continue;
    import.set_version(version);
    return;
  }
  onnx::OperatorSetIdProto* import = proto_.add_opset_import();
  import->set_domain(domain);
  import->set_version(version);
}

std::string Model::Metadata(const std::string& key) const {
  for (const onnx::StringStringEntryProto& entry : proto_.metadata_props()) {
    if (entry.key() == key) return entry.value();
  }
  return "";
}

void Model::SetMetadata(const std::string& key, const std::string& value) {
  for (onnx::StringStringEntryProto& entry : *proto_.mutable_metadata_props()) {
    if (entry.key() != key) continue;
    entry.set_value(value);
    return;
  }
  onnx::StringStringEntryProto* entry = proto_.add_metadata_props();
  entry->set_key(key);
  entry->set_value(value);
}

}  // namespace ptq
