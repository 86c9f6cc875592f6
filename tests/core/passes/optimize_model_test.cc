#include "passes/optimize_model.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "passes/shape_text.h"
#include "testing/model_text.h"

namespace ptq {
namespace {

TEST(OptimizeModel, PassesWorkOnEachOthersResults) {
  // Weights in Constant nodes, an Identity between Conv and BatchNormalization, a dead branch.
  TextModel text(
      R"(<ir_version: 7, opset_import: ["" : 13]> g (float[1,1,4,4] x) => (float[1,1,4,4] y) {
    w = Constant <value = float[1,1,1,1] {2.0}> ()
    one = Constant <value = float[1] {1.0}> ()
    c = Conv(x, w)
    i = Identity(c)
    n = BatchNormalization<epsilon = 0.0>(i, one, one, one, one)
    s = Shape(n)
    y = Relu(n)
  })");
  Diagnostics diagnostics;
  const PrepareResult result = OptimizeModel(text.model, diagnostics);
  EXPECT_EQ(OpTypes(text.model.graph()), "Conv Relu");
  EXPECT_EQ(text.model.graph().initializer_size(), 2);
  EXPECT_EQ(ShapeOf(text.model, "n"), "1,1,4,4");
  const std::vector<std::pair<std::string, int>> expected = {{"extract_constants", 2},
                                                             {"eliminate_identity", 1},
                                                             {"fold_constants", 1},
                                                             {"fold_batch_norm", 1},
                                                             {"eliminate_unused", 3}};
  EXPECT_EQ(result.changes, expected);
  Diagnostics again;
  EXPECT_TRUE(OptimizeModel(text.model, again).changes.empty());
}

TEST(OptimizeModel, EarlierPassesSeeWhatLaterOnesLeave) {
  // That the Dropout is in inference form is known once fold_constants has run.
  TextModel text(R"(<ir_version: 7, opset_import: ["" : 13]> g (float[2] x) => (float[2] y) {
    zero = Constant <value = int64 {0}> ()
    ratio = Constant <value = float {0.5}> ()
    training = Cast<to = 9>(zero)
    d = Dropout(x, ratio, training)
    y = Relu(d)
  })");
  Diagnostics diagnostics;
  std::vector<std::string> runs;
  OptimizeOptions options;
  options.on_change = [&](const Pass& pass, int round, int changes) {
    EXPECT_GT(changes, 0);
    runs.push_back(std::string(pass.name) + " " + std::to_string(round));
  };
  const PrepareResult result = OptimizeModel(text.model, diagnostics, options);
  EXPECT_EQ(OpTypes(text.model.graph()), "Relu");
  EXPECT_EQ(text.model.graph().initializer_size(), 0);
  const std::vector<std::string> expected = {"extract_constants 1", "fold_constants 1",
                                             "eliminate_unused 1", "eliminate_dropout 2",
                                             "eliminate_unused 2"};
  EXPECT_EQ(runs, expected);
  // By pass, of both rounds.
  EXPECT_EQ(result.changes.back().first, "eliminate_unused");
  EXPECT_EQ(result.changes.size(), 4u);
  EXPECT_TRUE(diagnostics.empty());
}

TEST(OptimizeModel, ADisabledPassDoesNotRun) {
  TextModel text(R"(<ir_version: 7, opset_import: ["" : 13]> g (float[2] x) => (float[2] y) {
    i = Identity(x)
    y = Relu(i)
    s = Shape(x)
  })");
  Diagnostics diagnostics;
  OptimizeOptions options;
  options.disabled_passes = {"eliminate_identity"};
  OptimizeModel(text.model, diagnostics, options);
  EXPECT_EQ(OpTypes(text.model.graph()), "Identity Relu");
}

TEST(CheckPassNames, AnUnknownOneHasNearMatches) {
  EXPECT_NO_THROW(CheckPassNames({"fold_constants", "eliminate_unused"}));
  const auto hint_of = [](const std::string& name) {
    try {
      CheckPassNames({name});
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidOption);
      return error.hint().str();
    }
    return std::string("accepted");
  };
  EXPECT_EQ(hint_of("fold_constant"), "did you mean \"fold_constants\"?");
  EXPECT_NE(hint_of("qqq").find("there are: inline_functions, "), std::string::npos);
}

}  // namespace
}  // namespace ptq
