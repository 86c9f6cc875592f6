// ptq_prepare <in.onnx> <out.onnx> [--optimize] [--opset N]
//
// What happens to a float model before quantization, on files, for
// tests/conformance/prepare_check.py. Prints what was changed and every diagnostic.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "base/error.h"
#include "model/model.h"
#include "model/model_writer.h"
#include "passes/optimize_model.h"
#include "passes/upgrade_opset.h"

namespace ptq {
namespace {

// Scratch in memory, everything else on disk beside the model.
class DiskFiles : public Files {
 public:
  DiskFiles(std::string model, std::string output)
      : model_(std::move(model)), output_(std::move(output)) {
    std::ofstream(output_, std::ios::trunc);
  }

  uint64_t Size(const std::string& name) override {
    if (name == kScratchFile) return scratch_.size();
    std::error_code error;
    const uint64_t size = std::filesystem::file_size(Path(name), error);
    if (error) throw Error(ErrorCode::kFileNotFound, "no file " + Path(name));
    return size;
  }

  void Read(const std::string& name, uint64_t offset, std::span<uint8_t> into) override {
    if (name == kScratchFile) {
      std::memcpy(into.data(), scratch_.data() + offset, into.size());
      return;
    }
    std::ifstream& file = open_[name];
    if (!file.is_open()) file.open(Path(name), std::ios::binary);
    file.clear();
    file.seekg(static_cast<std::streamoff>(offset));
    file.read(reinterpret_cast<char*>(into.data()), static_cast<std::streamsize>(into.size()));
    if (!file) throw Error(ErrorCode::kTruncatedModel, "the end of " + Path(name));
  }

  void Append(const std::string& name, std::span<const uint8_t> bytes) override {
    const char* data = reinterpret_cast<const char*>(bytes.data());
    if (name == kScratchFile) {
      scratch_.append(data, bytes.size());
    } else {
      std::ofstream(output_, std::ios::binary | std::ios::app)
          .write(data, static_cast<std::streamsize>(bytes.size()));
    }
  }

 private:
  std::string Path(const std::string& name) const {
    if (name == kModelFile) return model_;
    return (std::filesystem::path(model_).parent_path() / name).string();
  }

  std::string model_, output_, scratch_;
  std::map<std::string, std::ifstream> open_;
};

int Run(int argc, char** argv) {
  bool optimize = false;
  int64_t opset = 0;
  for (int i = 3; i < argc; ++i) {
    if (std::string(argv[i]) == "--optimize") optimize = true;
    if (std::string(argv[i]) == "--opset" && i + 1 < argc) opset = std::atoll(argv[++i]);
  }
  DiskFiles files(argv[1], argv[2]);
  Model model = Model::Load(&files);
  Diagnostics diagnostics;
  if (optimize) {
    for (const auto& [pass, changes] : OptimizeModel(model, diagnostics).changes) {
      std::printf("%s %d\n", pass.c_str(), changes);
    }
  }
  if (opset > 0) UpgradeOpset(model, opset, diagnostics);
  for (const Diagnostic& diagnostic : diagnostics) {
    std::printf("%s: %s\n", diagnostic.code.c_str(), diagnostic.message.str().c_str());
  }
  WriteModel(model, {});
  return 0;
}

}  // namespace
}  // namespace ptq

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "ptq_prepare <in.onnx> <out.onnx> [--optimize] [--opset N]\n");
    return 2;
  }
  try {
    return ptq::Run(argc, argv);
  } catch (const ptq::Error& error) {
    std::fprintf(stderr, "%s: %s\n", std::string(ptq::ErrorCodeName(error.code())).c_str(),
                 error.what());
    return 1;
  }
}
