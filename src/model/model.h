// An ONNX model in memory: the protobuf without its large weights (see TensorStore).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/files.h"
#include "model/tensor_store.h"
#include "onnx/onnx_pb.h"

namespace ptq {

inline constexpr int64_t kMinOpset = 7;
inline constexpr int64_t kMaxIrVersion = 14;
// The newest that onnxruntime-web 1.30 loads: models that it is to run are given to it as this one.
inline constexpr int64_t kRuntimeIrVersion = 13;

class Model {
 public:
  // Reads kModelFile through `files` (kept, not owned) by a scan of the wire format, so that raw
  // data of kInlineLimit bytes and more is never read. Checks what everything later relies on: a
  // graph, an ai.onnx opset in [kMinOpset, the onnx library's newest], IR version <= kMaxIrVersion,
  // every external location present and large enough, unique tensor names. Throws kInvalidModel,
  // kTruncatedModel, kUnsupportedOpset, kFileNotFound.
  static Model Load(Files* files);

  // For models made in memory (tests, text graphs). Data stays where it is in `proto`.
  Model(onnx::ModelProto proto, Files* files);

  onnx::ModelProto& proto() { return proto_; }
  const onnx::ModelProto& proto() const { return proto_; }
  onnx::GraphProto& graph() { return *proto_.mutable_graph(); }
  const onnx::GraphProto& graph() const { return proto_.graph(); }
  TensorStore& tensors() { return tensors_; }
  const TensorStore& tensors() const { return tensors_; }

  // Version of `domain` ("" and "ai.onnx" are the same); 0 where it is not imported.
  int64_t Opset(const std::string& domain = "") const;
  // Adds the import or changes its version; of two spellings of one domain one remains.
  void SetOpset(const std::string& domain, int64_t version);

  // Names of the external data files that the model was loaded with, sorted; small tensors of
  // theirs are inline by now.
  const std::vector<std::string>& data_files() const { return data_files_; }

 private:
  onnx::ModelProto proto_;
  TensorStore tensors_;
  std::vector<std::string> data_files_;
};

}  // namespace ptq
