#include "model/model.h"

#include <utility>

#include "model/domains.h"

namespace ptq {
namespace {

bool SameDomain(const std::string& a, const std::string& b) {
  return a == b || (IsOnnxDomain(a) && IsOnnxDomain(b));
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
  google::protobuf::RepeatedPtrField<onnx::OperatorSetIdProto> kept;
  bool found = false;
  for (onnx::OperatorSetIdProto& import : *proto_.mutable_opset_import()) {
    if (SameDomain(import.domain(), domain)) {
      if (std::exchange(found, true)) continue;
      import.set_version(version);
    }
    kept.Add()->Swap(&import);
  }
  proto_.mutable_opset_import()->Swap(&kept);
  if (found) return;
  onnx::OperatorSetIdProto* import = proto_.add_opset_import();
  import->set_domain(domain);
  import->set_version(version);
}

}  // namespace ptq
