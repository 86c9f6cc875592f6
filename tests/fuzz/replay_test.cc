// The fuzzers' seeds, corpora and regressions (tests/fuzz/corpus), run once each: with any
// compiler, in every test run.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "targets/targets.h"
#include "testing/read_file.h"
#include "testing/test_paths.h"

namespace ptq::fuzz {
namespace {

class FuzzReplay : public testing::TestWithParam<const Target*> {
 protected:
  static void Run(const Target& target, const std::string& input, const std::string& name) {
    SCOPED_TRACE(name);
    EXPECT_NO_THROW(target.run({reinterpret_cast<const uint8_t*>(input.data()), input.size()}));
  }
};

TEST_P(FuzzReplay, SeedsEndWellOrInAnError) {
  const Target& target = *GetParam();
  const Inputs seeds = target.seeds();
  EXPECT_GE(seeds.size(), 10u);
  for (size_t i = 0; i < seeds.size(); ++i) Run(target, seeds[i], "seed " + std::to_string(i));
}

TEST_P(FuzzReplay, CorpusEndsWellOrInAnError) {
  const std::filesystem::path corpus = TestsDir() / "fuzz/corpus";
  size_t count = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(corpus / GetParam()->name)) {
    if (!entry.is_regular_file()) continue;
    Run(*GetParam(), ReadFile(entry.path()), entry.path());
    ++count;
  }
  EXPECT_GT(count, 0u);
}

INSTANTIATE_TEST_SUITE_P(Targets, FuzzReplay, testing::ValuesIn(kTargets),
                         [](const auto& info) { return std::string(info.param->name); });

}  // namespace
}  // namespace ptq::fuzz
