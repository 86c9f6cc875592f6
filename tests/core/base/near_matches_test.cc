#include "base/near_matches.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "testing/test_paths.h"

namespace ptq {
namespace {

using Names = std::vector<std::string>;

TEST(NearMatches, OtherCaseAndDashesComeFirst) {
  EXPECT_EQ(NearMatches("matmul", {"MatMulInteger", "MatMul", "Mul"}),
            (Names{"MatMul", "Mul", "MatMulInteger"}));
  EXPECT_EQ(NearMatches("per-channel", {"per_chanel", "per_channel"}),
            (Names{"per_channel", "per_chanel"}));
}

TEST(NearMatches, FindsInsertionDeletionReplacementAndSwap) {
  EXPECT_EQ(NearMatches("Convv", {"Conv"}), Names{"Conv"});
  EXPECT_EQ(NearMatches("Cnv", {"Conv"}), Names{"Conv"});
  EXPECT_EQ(NearMatches("Comv", {"Conv"}), Names{"Conv"});
  EXPECT_EQ(NearMatches("Covn", {"Conv"}), Names{"Conv"});
}

TEST(NearMatches, CloserOnesComeFirstAndEqualOnesByName) {
  EXPECT_EQ(NearMatches("reduce_range", {"reduce_ranges2", "reduce_rang", "reduce_rangx"}),
            (Names{"reduce_rang", "reduce_rangx", "reduce_ranges2"}));
}

TEST(NearMatches, NamesThatContainEachOtherAreSuggestedLast) {
  EXPECT_EQ(NearMatches("conv1", {"features/conv1/Conv", "conv2"}),
            (Names{"conv2", "features/conv1/Conv"}));
}

TEST(NearMatches, UnrelatedNamesAreNotSuggested) {
  EXPECT_TRUE(NearMatches("Softmax", {"Conv", "Gemm", "Relu"}).empty());
  EXPECT_TRUE(NearMatches("", {"Conv"}).empty());
  EXPECT_TRUE(NearMatches("x", {"y"}).empty());
}

TEST(NearMatches, GivesAtMostMaxAndNoRepetition) {
  EXPECT_EQ(NearMatches("aaaa", {"aaab", "aaab", "aaac", "aaad", "aaae"}),
            (Names{"aaab", "aaac", "aaad"}));
  EXPECT_EQ(NearMatches("aaaa", {"aaab", "aaac"}, 1), Names{"aaab"});
}

// The library's test reads the same cases.
TEST(NearMatches, AgreeWithTheSharedCases) {
  std::ifstream file(TestsDir() / "fixtures/near_matches.json");
  const nlohmann::json cases = nlohmann::json::parse(file).at("cases");
  EXPECT_GE(cases.size(), 28U);
  for (const nlohmann::json& item : cases) {
    EXPECT_EQ(NearMatches(item.at("name").get<std::string>(), item.at("known").get<Names>()),
              item.at("expected").get<Names>())
        << item.dump();
  }
}

TEST(NearMatches, AreFoundAmongManyLongNames) {
  Names names;
  for (int i = 0; i < 20000; ++i) {
    names.push_back("/model/layers." + std::to_string(i) +
                    "/self_attention/output_projection/MatMul");
  }
  EXPECT_EQ(NearMatches("/model/layers.777/self_atention/output_projection/MatMul", names, 1),
            Names{"/model/layers.777/self_attention/output_projection/MatMul"});
}

TEST(DidYouMean, QuotesEveryMatch) {
  EXPECT_EQ(DidYouMean({"A"}), "did you mean \"A\"?");
  EXPECT_EQ(DidYouMean({"A", "B"}), "did you mean \"A\" or \"B\"?");
  EXPECT_EQ(DidYouMean({"A", "B", "C"}), "did you mean \"A\", \"B\" or \"C\"?");
  EXPECT_EQ(DidYouMean({}), "");
}

}  // namespace
}  // namespace ptq
