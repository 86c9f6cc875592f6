#include "pipeline/pass_dump.h"

#include <gtest/gtest.h>

#include "pipeline/quantize_static.h"
#include "testing/memory_files.h"
#include "testing/model_text.h"

namespace ptq {
namespace pass_dump_test {

constexpr char kModel[] = R"(<ir_version: 7, opset_import: ["" : 13]>
  g (float[2] x) => (float[2] y) {
    [id] i = Identity(x)
    [relu] y = Relu(i)
  })";

TEST(PassDump, HasTheModelAfterEachStepAndWhatWentAndCame) {
  MemoryFiles files(ParseModelText(kModel).SerializeAsString());
  StaticQuantizer quantizer(&files);
  quantizer.Configure({});
  quantizer.Prepare(/*min_opset=*/14, &files);
  const std::string original = files.String("~passes/00_original.txt");
  EXPECT_NE(original.find("Identity"), std::string::npos);
  const std::string first = files.String("~passes/01_eliminate_identity.txt");
  EXPECT_EQ(first.find("Identity"), std::string::npos);
  EXPECT_NE(first.find("Relu"), std::string::npos);
  EXPECT_NE(files.String("~passes/02_upgrade_opset.txt").find(R"("" : 14)"), std::string::npos);
  EXPECT_EQ(files.String("~passes/summary.txt"),
            "eliminate_identity, round 1: 1 change, 2 -> 1 nodes\n"
            "  - Identity 'id' (x) -> i\n"
            "  - Relu 'relu' (i) -> y\n"
            "  + Relu 'relu' (x) -> y\n"
            "upgrade_opset, round 1: 1 change, 1 -> 1 nodes\n");
}

TEST(PassDump, IsLeftOutUnlessAskedFor) {
  MemoryFiles files(ParseModelText(kModel).SerializeAsString());
  StaticQuantizer quantizer(&files);
  quantizer.Configure({});
  quantizer.Prepare();
  EXPECT_FALSE(files.Has("~passes/summary.txt"));
}

}  // namespace pass_dump_test
}  // namespace ptq
