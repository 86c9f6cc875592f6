#include "calibration/reduction_placer.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "model/attributes.h"
#include "model/node_builder.h"
#include "testing/model_text.h"

namespace ptq {
namespace {

constexpr int kCount = 300;  // more than a Concat of Concats joins

// A chain of `kCount` nodes: t0, t1, …
std::string Chain() {
  std::string nodes = "t0 = Foo (x)";
  for (int i = 1; i < kCount; ++i) {
    nodes += " t" + std::to_string(i) + " = Foo (t" + std::to_string(i - 1) + ")";
  }
  return R"(<ir_version: 8, opset_import: ["" : 13]> g (float[4] x) => (float[4] t299) {)" + nodes +
         "}";
}

class ReductionPlacerTest : public testing::Test {
 protected:
  // Places one node for every tensor, which has the rank of its number.
  void PlaceAll(const std::vector<int64_t>& ranks) {
    const GraphView view(text_.model.graph());
    UniqueNames names(text_.model.graph());
    ReductionPlacer placer(&names, &graph_);
    for (int i = 0; i < kCount; ++i) {
      const std::string tensor = "t" + std::to_string(i);
      AddNode(placer.nodes(), "Bar", {tensor}, "of_" + tensor);
      placer.Place({"of_" + tensor}, ranks[static_cast<size_t>(i) % ranks.size()],
                   view.Producer(tensor));
    }
    vector_ = placer.Join();
  }

  // What a vector is joined of, in order.
  std::string Joined(const std::string& name) const {
    for (const onnx::NodeProto& node : graph_.node()) {
      if (node.output(0) != name) continue;
      if (node.op_type() == "Reshape") return Joined(node.input(0));
      if (node.op_type() != "Concat") return name + " ";
      std::string all;
      for (const std::string& input : node.input()) all += Joined(input);
      return all;
    }
    return "nothing ";
  }

  TextModel text_{Chain()};
  onnx::GraphProto graph_ = text_.model.graph();
  std::string vector_;
};

TEST_F(ReductionPlacerTest, JoinsAllInTheirOrder) {
  std::string all;
  for (int i = 0; i < kCount; ++i) all += "of_t" + std::to_string(i) + " ";
  PlaceAll({1});
  EXPECT_EQ(Joined(vector_), all);
}

TEST_F(ReductionPlacerTest, ReductionsStandBehindTheirTensorAndNodesBehindWhatTheyRead) {
  PlaceAll({1});
  std::set<std::string> made = {"x"};
  for (const onnx::TensorProto& constant : graph_.initializer()) made.insert(constant.name());
  int ahead = 0;  // nodes of the model since the last tensor was reduced
  for (const onnx::NodeProto& node : graph_.node()) {
    for (const std::string& input : node.input()) EXPECT_TRUE(made.contains(input)) << input;
    made.insert(node.output(0));
    if (node.op_type() == "Foo") ++ahead;
    if (node.op_type() == "Bar") --ahead;
    EXPECT_LE(ahead, 1);
  }
  EXPECT_EQ(ahead, 0);
}

TEST_F(ReductionPlacerTest, NoConcatJoinsMany) {
  PlaceAll({1});
  for (const onnx::NodeProto& node : graph_.node()) EXPECT_LE(node.input_size(), 16);
}

TEST_F(ReductionPlacerTest, OnlyTensorsOfOneRankAreJoinedBeforeTheyAreVectors) {
  const std::vector<int64_t> given = {4, 4, 2, 3};
  PlaceAll(given);
  std::map<std::string, int64_t> ranks;
  size_t bars = 0;
  for (const onnx::NodeProto& node : graph_.node()) {
    const std::string& output = node.output(0);
    if (node.op_type() == "Bar") ranks[output] = given[bars++ % given.size()];
    if (node.op_type() == "Reshape") ranks[output] = 1;
    if (node.op_type() != "Concat") continue;
    for (const std::string& input : node.input()) EXPECT_EQ(ranks[input], ranks[node.input(0)]);
    ranks[output] = ranks[node.input(0)];
    EXPECT_EQ(IntAttribute(node, "axis", 1), 0);
  }
  EXPECT_EQ(ranks[vector_], 1);
}

}  // namespace
}  // namespace ptq
