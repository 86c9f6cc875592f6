#include "model/model_writer.h"

#include <algorithm>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "model/external_data.h"
#include "model/subgraphs.h"
#include "model/wire_join.h"

namespace ptq {
namespace {

constexpr uint64_t kWindow = 1 << 20;
constexpr uint64_t kLargestProtobuf = std::numeric_limits<int32_t>::max();

// Collects small pieces, so that the host is called once a window.
class Output {
 public:
  Output(Files* files, std::string name) : files_(files), name_(std::move(name)) {
    buffer_.reserve(kWindow);
  }

  void Append(std::span<const uint8_t> bytes) {
    while (!bytes.empty()) {
      const size_t part = std::min<size_t>(bytes.size(), kWindow - buffer_.size());
      buffer_.insert(buffer_.end(), bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(part));
      bytes = bytes.subspan(part);
      if (buffer_.size() == kWindow) Flush();
    }
  }

  void Append(std::string_view bytes) {
    Append({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
  }

  // `length` bytes of another file, a window at a time.
  void AppendFile(const std::string& location, uint64_t offset, uint64_t length) {
    while (length > 0) {
      const size_t begin = buffer_.size();
      const uint64_t part = std::min<uint64_t>(length, kWindow - begin);
      buffer_.resize(begin + part);
      files_->Read(location, offset, std::span(buffer_).subspan(begin));
      offset += part;
      length -= part;
      if (buffer_.size() == kWindow) Flush();
    }
  }

  void Flush() {
    if (!buffer_.empty()) files_->Append(name_, buffer_);
    buffer_.clear();
  }

 private:
  Files* files_;
  std::string name_;
  std::vector<uint8_t> buffer_;
};

void WritePieces(const std::vector<Piece>& pieces, Files* files, const std::string& name) {
  Output out(files, name);
  for (const Piece& piece : pieces) {
    out.Append(piece.kept);
    out.Append(piece.made);
    if (!piece.location.empty()) out.AppendFile(piece.location, piece.offset, piece.length);
  }
  out.Flush();
}

// The model with its references, as protobuf writes it: ascending field numbers, no maps, so that
// the same model is always the same bytes.
std::string SerializeSkeleton(const Model& model) {
  if (model.proto().ByteSizeLong() > kLargestProtobuf) {
    throw Error(ErrorCode::kUnsupportedModel,
                "The graph without its weights is larger than 2 GiB.");
  }
  return model.proto().SerializeAsString();
}

void Inline(const TensorStore& tensors, onnx::TensorProto* tensor) {
  if (!IsExternal(*tensor)) return;
  std::string bytes(tensors.ByteSize(*tensor), '\0');
  tensors.ReadBytes(*tensor, 0, {reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()});
  ClearTensorData(tensor);
  tensor->set_raw_data(std::move(bytes));
}

}  // namespace

uint64_t WriteModel(const Model& model, const WriteOptions& options) {
  const std::string skeleton = SerializeSkeleton(model);
  if (options.external_file.empty() != options.external_location.empty()) {
    throw Error(ErrorCode::kInternal, "external_file and external_location go together.");
  }
  const ExternalFiles external = {options.external_location, options.threshold,
                                  options.file_per_tensor};
  const JoinResult joined = JoinModel(skeleton, external);
  if (joined.model_size > kLargestProtobuf) {
    throw Error(ErrorCode::kUnsupportedModel, Text("The model would be ") +
                                                  std::to_string(joined.model_size) +
                                                  " bytes long; an ONNX file can hold 2147483647.")
        .WithHint(
            "Keep the weights in a file of their own: use_external_data_format, or "
            "save_as_external_data of preprocess.");
  }
  Files* files = model.tensors().files();
  uint64_t size = joined.model_size;
  for (const ExternalFile& file : joined.external) {
    WritePieces(file.pieces, files, options.external_file + file.suffix);
    size += file.size;
  }
  WritePieces(joined.model, files, options.file);
  return size;
}

uint64_t WriteSkeleton(const Model& model, const std::string& file) {
  Model runnable = model;
  // onnxruntime takes no external data inside subgraphs.
  for (onnx::NodeProto& node : *runnable.graph().mutable_node()) {
    ForEachSubgraph(node, [&](onnx::GraphProto& body) {
      ForEachTensor(&body, [&](onnx::TensorProto& tensor) { Inline(model.tensors(), &tensor); });
    });
  }
  const std::string skeleton = SerializeSkeleton(runnable);
  Output out(model.tensors().files(), file);
  out.Append(skeleton);
  out.Flush();
  return skeleton.size();
}

}  // namespace ptq
