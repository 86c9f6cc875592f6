// What preparing did, step by step, as files for people: the model after each pass that changed it
// in ONNX text, whose large weights are references, and a summary of the nodes that went and came.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/files.h"
#include "model/model.h"

namespace ptq {

// Before the names of the dump's files, which begin with a number.
inline constexpr char kPassDumpFolder[] = "~passes/";

class PassDump {
 public:
  // Writes the model as it was, as number 0. `model` and `files` must outlive this.
  PassDump(const Model& model, Files* files);

  // The model as it is now, after one run of the pass.
  void Write(std::string_view pass, int round, int changes);

 private:
  void WriteModel(std::string_view step);

  const Model& model_;
  Files* files_;
  int steps_ = 0;
  std::vector<std::string> nodes_;  // as they were after the step before, sorted
};

}  // namespace ptq
