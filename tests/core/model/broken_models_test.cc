// Damaged models: whatever the bytes, loading and writing either work or throw ptq::Error. The same
// as the fuzzers of tests/fuzz do, with a fixed set of damages, under the sanitizers.
#include <gtest/gtest.h>

#include <random>

#include "base/error.h"
#include "model/graph_view.h"
#include "model/model_writer.h"
#include "model/tensor_builder.h"
#include "testing/model_text.h"

namespace ptq {
namespace {

std::string Sound() {
  onnx::ModelProto proto = ParseModelText(R"(
    <ir_version: 8, opset_import: ["" : 13]>
    g (bool c, float[1] x) => (float[1] y) <int64[2] s = {1, 2}> {
      k = Constant<value = float[3] {1.0, 2.0, 3.0}>()
      y = If(c) <then_branch = t () => (float[1] a) { a = Relu(x) },
                 else_branch = e () => (float[1] b) { b = Neg(x) }>
    })");
  AddRawFloats(proto.mutable_graph(), "w", {300}, std::vector<float>(300, 1.0f));
  onnx::TensorProto* external = proto.mutable_graph()->add_initializer();
  *external = EmptyTensor("e", onnx::TensorProto::FLOAT, std::vector<int64_t>{300});
  external->set_data_location(onnx::TensorProto::EXTERNAL);
  onnx::StringStringEntryProto* entry = external->add_external_data();
  entry->set_key("location");
  entry->set_value("e.bin");
  return Serialize(proto);
}

// 1: loaded and written; 0: refused.
int Outcome(const std::string& bytes) {
  MemoryFiles files(bytes);
  files.Put("e.bin", std::vector<uint8_t>(1200));
  try {
    const Model model = Model::Load(&files);
    const GraphView view(model.graph());
    WriteModel(model, {});
    WriteModel(model, {"out", "out.data", "out.data"});
    return 1;
  } catch (const Error& error) {
    EXPECT_NE(error.code(), ErrorCode::kInternal) << error.message();
    EXPECT_FALSE(error.message().empty());
    return 0;
  }
}

TEST(BrokenModels, TheSoundModelLoads) { EXPECT_EQ(Outcome(Sound()), 1); }

TEST(BrokenModels, AnyChangeOfOneByteIsSurvived) {
  const std::string sound = Sound();
  std::mt19937 random(1);
  int refused = 0, tried = 0;
  for (size_t i = 0; i < sound.size(); ++i) {
    if (i > 700 && i % 16 != 0) continue;  // mostly the middle of weights
    for (const char value : {'\0', '\x7F', '\xFF', static_cast<char>(random())}) {
      std::string bytes = sound;
      bytes[i] = value;
      refused += 1 - Outcome(bytes);
      ++tried;
    }
  }
  EXPECT_GT(refused, tried / 10);
}

TEST(BrokenModels, RandomDamageAndCutsAreSurvived) {
  const std::string sound = Sound();
  std::mt19937 random(2);
  int refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = sound;
    for (unsigned i = 0; i < 1 + random() % 8; ++i) {
      const size_t at = random() % bytes.size();
      switch (random() % 3) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes.erase(at, random() % 20);
          break;
        default:
          bytes.insert(at, bytes.substr(random() % bytes.size(), random() % 40));
      }
    }
    refused += 1 - Outcome(bytes);
  }
  EXPECT_GT(refused, 1000);
}

TEST(BrokenModels, RandomBytesAreRefused) {
  std::mt19937 random(3);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(1 + random() % 300, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    EXPECT_EQ(Outcome(bytes), 0);
  }
}

}  // namespace
}  // namespace ptq
