#include "calibration/reductions.h"

#include <gtest/gtest.h>

#include "model/attributes.h"
#include "testing/model_text.h"

namespace ptq {
namespace {

struct Reduced {
  explicit Reduced(const std::string& type)
      : text("<ir_version: 8, opset_import: [\"\" : 13]> g (" + type +
             " x) => (float[2] y) { y = Foo(x) }"),
        view(text.model.graph()),
        names(text.model.graph()),
        graph(text.model.graph()),
        reductions(view, &names, &graph) {}

  // The op types of what was added.
  std::string Added() const {
    onnx::GraphProto added = graph;
    added.mutable_node()->DeleteSubrange(0, 1);
    return OpTypes(added);
  }

  TextModel text;
  GraphView view;
  UniqueNames names;
  onnx::GraphProto graph;
  Reductions reductions;
};

TEST(ReductionsTest, EndsAndSumLeaveAsVectorsOfOneElement) {
  Reduced reduced("float[1,2]");
  const std::vector<std::string> all = reduced.reductions.AddAll("x", true, &reduced.graph);
  EXPECT_EQ(all.size(), 3u);
  EXPECT_EQ(reduced.Added(), "ReduceMin Reshape ReduceMax Reshape ReduceSum Reshape");
  EXPECT_EQ(reduced.graph.node(2).output(0), all[0]);
  EXPECT_EQ(IntAttribute(reduced.graph.node(1), "keepdims", 1), 0);
  EXPECT_EQ(InitializerOf(reduced.graph, reduced.graph.node(2).input(1)).int64_data(0), 1);
}

TEST(ReductionsTest, WhereTheRankIsKeptThereIsNoReshape) {
  Reduced reduced("float[1,2]");
  reduced.reductions.AddKept("x", true, &reduced.graph);
  EXPECT_EQ(reduced.Added(), "ReduceMin ReduceMax ReduceSum");
  EXPECT_EQ(FindAttribute(reduced.graph.node(1), "keepdims"), nullptr);
}

TEST(ReductionsTest, ChannelsOfPicturesAreAddedUpByAConvOfOnes) {
  Reduced reduced("float[1,8,2,2]");
  reduced.reductions.AddKept("x", true, &reduced.graph);
  reduced.reductions.AddKept("x", true, &reduced.graph);
  EXPECT_EQ(reduced.Added(),
            "ReduceMin ReduceMax Conv ReduceSum ReduceMin ReduceMax Conv ReduceSum");
  const auto ones = [&](int conv) {
    return InitializerOf(reduced.graph, reduced.graph.node(conv).input(1));
  };
  EXPECT_EQ(ones(3).name(), ones(7).name());
  EXPECT_EQ(ones(3).dims_size(), 4);
  EXPECT_EQ(reduced.text.model.tensors().ReadFloats(ones(3)), std::vector<float>(8, 1.0f));
  // A Cast for all of them, not another for the sum.
  Reduced half("float16[1,8,2,2]");
  half.reductions.AddKept("x", true, &half.graph);
  EXPECT_EQ(half.Added(), "Cast ReduceMin ReduceMax Conv ReduceSum");
  // Few channels, or so many as the input has: no Conv.
  for (const char* type : {"float[1,3,2,2]", "float[1,n,2,2]", "float[8,8]", "float[1,8,4]"}) {
    Reduced other(type);
    other.reductions.AddKept("x", true, &other.graph);
    EXPECT_EQ(other.Added(), "ReduceMin ReduceMax ReduceSum") << type;
  }
}

TEST(ReductionsTest, TheHighestTakesThePlaceOfASumThatIsLeftOut) {
  Reduced reduced("float[1,2]");
  const std::vector<std::string> kept = reduced.reductions.AddKept("x", false, &reduced.graph);
  EXPECT_EQ(reduced.Added(), "ReduceMin ReduceMax");
  ASSERT_EQ(kept.size(), 3u);
  EXPECT_EQ(kept[2], kept[1]);
  Reduced other("float[1,2]");
  const std::vector<std::string> all = other.reductions.AddAll("x", false, &other.graph);
  EXPECT_EQ(other.Added(), "ReduceMin Reshape ReduceMax Reshape");
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[2], all[1]);
}

TEST(ReductionsTest, Float16IsReducedAsFloat32) {
  Reduced reduced("float16[1,2]");
  reduced.reductions.Add("x", &reduced.graph);
  EXPECT_EQ(reduced.Added(), "Cast ReduceMin Reshape ReduceMax Reshape");
  EXPECT_EQ(IntAttribute(reduced.graph.node(1), "to", 0), onnx::TensorProto::FLOAT);
  EXPECT_EQ(reduced.graph.node(2).input(0), reduced.graph.node(1).output(0));
}

TEST(ReductionsTest, ByChannelAllOtherAxesAreReduced) {
  // ONNX operators: axes are an input since ReduceSum-13, ReduceMin-18 and ReduceMax-18.
  const auto inputs = [](int64_t opset) {
    Reduced reduced("float[1,3,2,2]");
    reduced.reductions.AddByChannel("x", 1, 4, "ReduceSum", opset, &reduced.graph);
    std::string counts;
    for (const onnx::NodeProto& node : reduced.graph.node()) {
      if (node.op_type().rfind("Reduce", 0) != 0) continue;
      const bool as_input = node.input_size() == 2;
      counts += as_input ? "i" : "a";
      const std::vector<int64_t> axes =
          as_input
              ? reduced.text.model.tensors().ReadInts(InitializerOf(reduced.graph, node.input(1)))
              : IntsAttribute(node, "axes");
      EXPECT_EQ(axes, (std::vector<int64_t>{0, 2, 3}));
    }
    return counts;
  };
  EXPECT_EQ(inputs(12), "aaa");
  EXPECT_EQ(inputs(13), "aai");
  EXPECT_EQ(inputs(18), "iii");
}

}  // namespace
}  // namespace ptq
