// Every graph of the conformance kit (tests/conformance/kit.py), quantized in both formats to all
// types: what comes out passes onnx's checker with shape inference. That it is right is for
// tests/js/conformance-kit.test.ts, which runs it.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "onnx/checker.h"
#include "pipeline/quantize_static.h"
#include "testing/memory_files.h"
#include "testing/read_file.h"
#include "testing/test_paths.h"

namespace ptq {
namespace {

using nlohmann::json;

struct Combination {
  const char* format;
  const char* activation;
  const char* weight;
  bool per_channel;
};

std::vector<Combination> Combinations() {
  static constexpr std::pair<const char*, const char*> kTypes[] = {
      {"QUInt8", "QUInt8"},  {"QUInt8", "QInt8"},
      {"QInt8", "QInt8"},    {"QUInt16", "QUInt8"},
      {"QUInt16", "QInt16"}, {"QInt16", "QInt8"},
      {"QUInt8", "QInt4"},   {"QUInt8", "QUInt4"},
      {"QInt8", "QInt4"},    {"QFLOAT8E4M3FN", "QFLOAT8E4M3FN"}};
  std::vector<Combination> all;
  for (const bool per_channel : {false, true}) {
    for (const auto& [activation, weight] : kTypes) {
      all.push_back({"QDQ", activation, weight, per_channel});
      const bool has_integer_form = &weight < &kTypes[3].second;
      if (has_integer_form) all.push_back({"QOperator", activation, weight, per_channel});
    }
  }
  return all;
}

TensorRanges Ranges(const json& graph) {
  TensorRanges ranges;
  for (const auto& [tensor, ends] : graph.at("ranges").items()) {
    TensorRange range{.lowest = ends[0], .highest = ends[1], .deviation = {}};
    range.deviation = (range.highest - range.lowest) / 4 + 0.01F;  // for float8: of the right size
    ranges[tensor] = range;
  }
  return ranges;
}

StaticQuantConfig ConfigOf(const Combination& combination, const json& op_types) {
  const bool float8 = std::string(combination.activation) == "QFLOAT8E4M3FN";
  const json options = {{"quant_format", combination.format},
                        {"calibrate_method", float8 ? "Distribution" : "MinMax"},
                        {"activation_type", combination.activation},
                        {"weight_type", combination.weight},
                        {"per_channel", combination.per_channel},
                        {"op_types_to_quantize", op_types},
                        {"optimize_model", false}};
  return ParseConfig(options.dump());
}

// The checker's complaint, "" where it has none.
std::string Complaint(const std::string& bytes) {
  onnx::ModelProto model;
  if (!model.ParseFromString(bytes)) return "no protobuf";
  try {
    onnx::checker::check_model(model, /*full_check=*/true);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

json OpTypesOf(const std::string& bytes) {
  onnx::ModelProto model;
  model.ParseFromString(bytes);
  std::set<std::string> op_types;
  for (const onnx::NodeProto& node : model.graph().node()) op_types.insert(node.op_type());
  return op_types;
}

struct KitGraph {
  json entry;
  std::string model;
};

// The graphs of every group: <group>.json, and their models in <group>.onnx.
std::vector<KitGraph> ReadKit(const std::filesystem::path& folder) {
  std::vector<KitGraph> graphs;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    std::filesystem::path path = file.path();
    if (path.extension() != ".json") continue;
    json group = json::parse(ReadFile(path));
    const std::string models = ReadFile(path.replace_extension(".onnx"));
    size_t at = 0;
    for (json& entry : group) {
      const size_t size = entry.at("size");
      graphs.push_back({std::move(entry), models.substr(at, size)});
      at += size;
    }
  }
  return graphs;
}

// Each graph goes through a few of the combinations, from one that its seed chooses: all together
// through all.
TEST(ConformanceKit, EveryOutputPassesTheChecker) {
  const std::vector<Combination> combinations = Combinations();
  const std::vector<KitGraph> graphs = ReadKit(KitDir());
  ASSERT_FALSE(graphs.empty());
  for (const auto& [graph, model] : graphs) {
    size_t next = graph.at("sample");
    for (int turn = 0; turn < 3; ++turn) {
      const Combination& combination = combinations[next++ % combinations.size()];
      // No integer kernel takes float16 scales.
      if (graph.at("float16") && std::string(combination.format) == "QOperator") continue;
      SCOPED_TRACE(graph.at("name").get<std::string>() + " " + combination.format + " " +
                   combination.activation + " " + combination.weight +
                   (combination.per_channel ? " per channel" : ""));
      MemoryFiles files(model);
      try {
        StaticQuantizer quantizer(&files);
        quantizer.Configure(ConfigOf(combination, OpTypesOf(model)));
        quantizer.Prepare();
        quantizer.SetRanges(Ranges(graph));
        quantizer.Quantize("");
      } catch (const Error& error) {
        ADD_FAILURE() << error.what();
        continue;
      }
      EXPECT_EQ(Complaint(files.String(kOutputFile)), "");
    }
  }
}

}  // namespace
}  // namespace ptq
