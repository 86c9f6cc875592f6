// Model::Load: scan, parse, put every tensor's data where TensorStore expects it, check.
#include <algorithm>
#include <limits>
#include <map>
#include <vector>

#include "base/error.h"
#include "model/check_model.h"
#include "model/external_data.h"
#include "model/model.h"
#include "model/subgraphs.h"
#include "model/tensor_builder.h"
#include "model/wire_scan.h"

namespace ptq {
namespace {

using onnx::TensorProto;

constexpr uint64_t kTypedScratchLimit = 1 << 20;
constexpr uint64_t kCopyWindow = 1 << 20;

onnx::ModelProto Parse(Files* files) {
  const std::string skeleton = ScanModelFile(files);
  onnx::ModelProto proto;
  if (!proto.ParseFromArray(skeleton.data(), static_cast<int>(skeleton.size()))) {
    throw Error(ErrorCode::kInvalidModel, "Not a valid ONNX model: its protobuf cannot be parsed.")
        .WithHint("Check that it is a complete ONNX file in the binary format (.onnx).");
  }
  return proto;
}

// A location may name a file beside the model or in a folder below, and nothing else.
void CheckLocation(const TensorProto& tensor, const std::string& location) {
  const bool absolute = location.front() == '/' || location.front() == '\\' ||
                        (location.size() > 1 && location[1] == ':');
  bool climbs = false;
  for (size_t begin = 0; begin <= location.size();) {
    const size_t end = std::min(location.find_first_of("/\\", begin), location.size());
    climbs |= location.compare(begin, end - begin, "..") == 0;
    begin = end + 1;
  }
  const bool odd = location.find('\0') != std::string::npos;
  const bool reserved = location == kScratchFile || location == kOutputFile;
  if (!absolute && !climbs && !odd && !reserved) return;
  throw Error(ErrorCode::kInvalidModel, Text("Tensor \"") + tensor.name() + "\" is stored in \"" +
                                            location +
                                            "\", which is not a file below the model's folder.")
      .WithTensor(tensor.name());
}

class DataChecker {
 public:
  explicit DataChecker(TensorStore* store) : store_(store) {}

  // Names of the data files that were asked for, sorted.
  std::vector<std::string> DataFiles() const {
    std::vector<std::string> names;
    for (const auto& [name, size] : sizes_) {
      if (name != kModelFile) names.push_back(name);
    }
    return names;
  }

  void Check(TensorProto* tensor) {
    const int32_t type = tensor->data_type();
    const bool known = type != TensorProto::UNDEFINED && TensorProto::DataType_IsValid(type);
    if (type == TensorProto::STRING && !IsExternal(*tensor)) return;
    if (IsExternal(*tensor)) {
      CheckExternal(tensor, known && type != TensorProto::STRING);
    } else if (known && type != TensorProto::FLOAT6E2M3 && type != TensorProto::FLOAT6E3M2) {
      store_->CheckStored(*tensor);
      MoveLargeTyped(tensor);
    }
  }

 private:
  void CheckExternal(TensorProto* tensor, bool known) {
    if (!known) {
      throw Error(ErrorCode::kUnsupportedModel,
                  Text("Tensor \"") + tensor->name() + "\" is stored externally but has type " +
                      std::to_string(tensor->data_type()) + ", whose size is not known.")
          .WithTensor(tensor->name());
    }
    store_->CheckStored(*tensor);
    const ExternalRange range = ExternalRangeOf(*tensor);
    CheckLocation(*tensor, range.location);
    const uint64_t length = store_->ByteSize(*tensor);
    const uint64_t size = FileSize(*tensor, range.location);
    if (range.offset > size || length > size - range.offset) {
      const uint64_t missing = range.offset > std::numeric_limits<uint64_t>::max() - length
                                   ? range.offset - size
                                   : range.offset + length - size;
      throw Error(ErrorCode::kTruncatedModel,
                  Text("The file \"") + range.location + "\" ends " + std::to_string(missing) +
                      " bytes before the end of tensor \"" + tensor->name() + "\".")
          .WithTensor(tensor->name())
          .WithHint("The data file belongs to another model or was cut short: fetch both again.");
    }
    if (length < kInlineLimit ||
        (length <= kShapeInlineLimit && IsShapeLike(tensor->data_type(), tensor->dims_size()))) {
      std::string bytes(length, '\0');
      store_->ReadBytes(*tensor, 0, {reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()});
      ClearTensorData(tensor);
      tensor->set_raw_data(std::move(bytes));
    } else if (!range.length.has_value() || tensor->external_data_size() != 3) {
      SetExternal(tensor, range.location, range.offset, length);
    }
  }

  uint64_t FileSize(const TensorProto& tensor, const std::string& location) {
    const auto found = sizes_.find(location);
    if (found != sizes_.end()) return found->second;
    try {
      return sizes_[location] = store_->files()->Size(location);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kFileNotFound) throw;
      throw Error(ErrorCode::kFileNotFound, Text("The model keeps weights in the file \"") +
                                                location + "\", which was not given.")
          .WithTensor(tensor.name())
          .WithHint("Give it together with the model, under the same name.");
    }
  }

  // Integers stored as varints cannot be read in place: large ones go to scratch once.
  void MoveLargeTyped(TensorProto* tensor) {
    const uint64_t size = store_->ByteSize(*tensor);
    if (tensor->has_raw_data() || size < kTypedScratchLimit) return;
    const std::vector<int64_t> dims(tensor->dims().begin(), tensor->dims().end());
    TensorProto typed = EmptyTensor(tensor->name(), tensor->data_type(), dims);
    typed.mutable_float_data()->Swap(tensor->mutable_float_data());
    typed.mutable_int32_data()->Swap(tensor->mutable_int32_data());
    typed.mutable_int64_data()->Swap(tensor->mutable_int64_data());
    typed.mutable_double_data()->Swap(tensor->mutable_double_data());
    typed.mutable_uint64_data()->Swap(tensor->mutable_uint64_data());
    TensorStore::Writer out = store_->Begin(tensor, size);
    std::vector<uint8_t> window(kCopyWindow);
    for (uint64_t offset = 0; offset < size; offset += window.size()) {
      window.resize(std::min(kCopyWindow, size - offset));
      store_->ReadBytes(typed, offset, window);
      out.Append(window);
    }
  }

  TensorStore* store_;
  std::map<std::string, uint64_t> sizes_;  // of the data files, and of the model where it is one
};

// A domain may be imported twice, ai.onnx also under its two spellings. The last one counts, as in
// onnxruntime.
void MergeImports(Model* model) {
  const std::vector<onnx::OperatorSetIdProto> imports(model->proto().opset_import().begin(),
                                                      model->proto().opset_import().end());
  for (const onnx::OperatorSetIdProto& import : imports) {
    model->SetOpset(import.domain(), import.version());
  }
}

}  // namespace

Model Model::Load(Files* files) {
  Model model(Parse(files), files);
  MergeImports(&model);
  CheckModel(model);
  DataChecker checker(&model.tensors());
  ForEachTensor(&model.proto(), [&](TensorProto& tensor) { checker.Check(&tensor); });
  model.data_files_ = checker.DataFiles();
  return model;
}

}  // namespace ptq
