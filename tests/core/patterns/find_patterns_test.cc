// What is recognized as an operator in pieces, and what only looks like one.
#include <gtest/gtest.h>

#include "model/attributes.h"
#include "passes/infer_shapes.h"
#include "patterns/pattern.h"
#include "testing/model_text.h"

namespace ptq {
namespace {

struct PatternCase {
  const char* name;
  const char* found;  // "LayerNormalization(x,gamma,beta) 9": as one node, and of how many; or ""
  const char* nodes;  // from x to y
  int opset = 17;
};

constexpr char kConstants[] = R"(<
    float eps = {0.00001}, float one = {1}, float two = {2}, float three = {3}, float six = {6}, float zero = {0},
    float half = {0.5}, float root2 = {1.4142135}, float inv2 = {0.70710677}, float minus_half = {-0.5},
    float tiny = {0.000000000001}, int64[3] dims = {2, 3, 4},
    float cubic = {0.044715}, float pi2 = {0.79788456}, float sixth = {0.16666667}, float alpha = {1.702},
    float[1] one1 = {1}, float[1,1,1,1] one4 = {1}, int64[1] last = {-1}, int64[1] second = {1},
    float[4] gamma = {1, 2, 3, 4}, float[4] beta = {4, 3, 2, 1}, float[3,1] rows = {1, 2, 3}>)";

std::string Found(const PatternCase& c, const std::string& input = "float[2,3,4] x") {
  const std::string head = "<ir_version: 8, opset_import: [\"\" : " + std::to_string(c.opset) +
                           "]>\n g (" + input + ") => (float[2,3,4] y) " + kConstants + " { " +
                           c.nodes + " }";
  TextModel text(head);
  InferShapes(text.model);
  const GraphView view(text.model.graph());
  std::string all;
  for (const Pattern& pattern : FindPatterns(text.model, view, view)) {
    if (!all.empty()) all += "; ";
    all += std::string(pattern.op_type);
    if (pattern.node) {
      std::string inputs;
      for (const std::string& input_name : pattern.node->input()) {
        inputs += (inputs.empty() ? "" : ",") + input_name;
      }
      all += "(" + inputs + ")";
      EXPECT_EQ(pattern.node->output(0), view.node(pattern.nodes.back()).output(0));
    }
    all += " " + std::to_string(pattern.nodes.size());
  }
  return all;
}

constexpr char kAffine[] = "m = Mul (n, gamma) y = Add (m, beta)";
constexpr char kMoments[] =
    "u = ReduceMean <axes = [-1]> (x) d = Sub (x, u) q = Mul (d, d) v = ReduceMean <axes = [-1]> "
    "(q) e = Add (v, eps)";

const PatternCase kCases[] = {
    // LayerNormalization
    {"as PyTorch exports it", "LayerNormalization(x,gamma,beta) 9",
     "u = ReduceMean <axes = [-1]> (x) d = Sub (x, u) q = Pow (d, two) v = ReduceMean <axes = "
     "[-1]> (q) e = Add (v, eps) s = Sqrt (e) n = Div (d, s) m = Mul (n, gamma) y = Add (m, beta)"},
    {"d computed twice, a positive axis, constants first", "LayerNormalization(x,gamma,beta) 10",
     "u = ReduceMean <axes = [2]> (x) d = Sub (x, u) d2 = Sub (x, u) q = Mul (d2, d2) v = "
     "ReduceMean <axes = [2]> (q) e = Add (eps, v) s = Sqrt (e) n = Div (d, s) m = Mul (gamma, n) "
     "y = Add (beta, m)"},
    {"axes as inputs", "LayerNormalization(x,gamma,beta) 9",
     "u = ReduceMean (x, last) d = Sub (x, u) q = Pow (d, two) v = ReduceMean (q, last) e = Add "
     "(v, eps) s = Sqrt (e) n = Div (d, s) m = Mul (n, gamma) y = Add (m, beta)",
     18},
    {"no bias", "LayerNormalization(x,gamma) 8",
     "u = ReduceMean <axes = [-1]> (x) d = Sub (x, u) q = Mul (d, d) v = ReduceMean <axes = [-1]> "
     "(q) e = Add (v, eps) s = Sqrt (e) n = Div (d, s) y = Mul (n, gamma)"},
    {"no scale: a pattern without a node", "LayerNormalization 7",
     "u = ReduceMean <axes = [-1]> (x) d = Sub (x, u) q = Mul (d, d) v = ReduceMean <axes = [-1]> "
     "(q) e = Add (v, eps) s = Sqrt (e) y = Div (d, s)"},
    {"another axis: a pattern without a node", "LayerNormalization 8",
     "u = ReduceMean <axes = [1]> (x) d = Sub (x, u) q = Mul (d, d) v = ReduceMean <axes = [1]> "
     "(q) e = Add (v, eps) s = Sqrt (e) n = Div (d, s) y = Mul (n, rows)"},
    {"the mean of another axis than the variance", "",
     "u = ReduceMean <axes = [1]> (x) d = Sub (x, u) q = Mul (d, d) v = ReduceMean <axes = [-1]> "
     "(q) e = Add (v, eps) s = Sqrt (e) n = Div (x, s) y = Mul (n, gamma)"},
    {"a sum of squares is none", "",
     "u = ReduceMean <axes = [-1]> (x) d = Sub (x, u) q = Mul (d, d) v = ReduceSum (q, last) e = "
     "Add (v, eps) s = Sqrt (e) y = Div (d, s)"},
    {"the cube of d", "",
     "u = ReduceMean <axes = [-1]> (x) d = Sub (x, u) q = Pow (d, three) v = ReduceMean <axes = "
     "[-1]> (q) e = Add (v, eps) s = Sqrt (e) y = Div (d, s)"},
    {"the standard deviation is read outside", "",
     "u = ReduceMean <axes = [-1]> (x) d = Sub (x, u) q = Mul (d, d) v = ReduceMean <axes = [-1]> "
     "(q) e = Add (v, eps) s = Sqrt (e) n = Div (d, s) y = Mul (n, s)"},
    // RMSNormalization
    {"root mean square", "RMSNormalization(x,gamma) 6",
     "q = Mul (x, x) v = ReduceMean <axes = [-1]> (q) e = Add (v, eps) s = Sqrt (e) n = Div (x, s) "
     "y = Mul (n, gamma)"},
    {"times one over the root", "RMSNormalization(x,gamma) 7",
     "q = Pow (x, two) v = ReduceMean <axes = [-1]> (q) e = Add (v, eps) s = Sqrt (e) r = Div "
     "(one, s) n = Mul (x, r) y = Mul (gamma, n)"},
    {"times the reciprocal, on the left", "RMSNormalization(x,gamma) 7",
     "q = Pow (x, two) v = ReduceMean <axes = [-1]> (q) e = Add (v, eps) s = Sqrt (e) r = "
     "Reciprocal (s) n = Mul (r, x) y = Mul (n, gamma)"},
    {"to the power of -0.5, and a bias that is not its own", "RMSNormalization(x,gamma) 6",
     "q = Pow (x, two) v = ReduceMean <axes = [-1]> (q) e = Add (v, eps) r = Pow (e, minus_half) n "
     "= Mul (x, r) m = Mul (n, gamma) y = Add (m, beta)"},
    {"another tensor is divided", "",
     "t = Relu (x) q = Mul (t, t) v = ReduceMean <axes = [-1]> (q) e = Add (v, eps) s = Sqrt (e) n "
     "= Div (x, s) y = Mul (n, gamma)"},
    // Gelu
    {"erf, half last", "Gelu(x) 5",
     "a = Div (x, root2) b = Erf (a) c = Add (b, one) d = Mul (x, c) y = Mul (d, half)"},
    {"erf, half first", "Gelu(x) 5",
     "h = Mul (x, half) a = Mul (inv2, x) b = Erf (a) c = Add (one, b) y = Mul (h, c)"},
    {"erf, half in the middle", "Gelu(x) 5",
     "a = Div (x, root2) b = Erf (a) c = Add (b, one) d = Mul (c, half) y = Mul (d, x)"},
    {"erf, divided by two", "Gelu(x) 5",
     "a = Div (x, root2) b = Erf (a) c = Add (b, one) d = Mul (x, c) y = Div (d, two)"},
    {"tanh", "Gelu(x) 8",
     "p = Pow (x, three) a = Mul (p, cubic) b = Add (x, a) c = Mul (b, pi2) t = Tanh (c) o = Add "
     "(t, one) h = Mul (x, half) y = Mul (h, o)"},
    {"tanh, the cube by products", "Gelu(x) 9",
     "q = Mul (x, x) p = Mul (x, q) a = Mul (p, cubic) b = Add (x, a) c = Mul (pi2, b) t = Tanh "
     "(c) o = Add (t, one) h = Mul (x, half) y = Mul (h, o)"},
    {"tanh, x before the sum", "Gelu(x) 9",
     "i = Mul (x, pi2) q = Mul (x, x) a = Mul (q, cubic) b = Add (a, one) c = Mul (i, b) t = Tanh "
     "(c) o = Add (t, one) h = Mul (x, half) y = Mul (h, o)"},
    {"tanh, x beside the sum", "Gelu(x) 9",
     "q = Mul (x, x) a = Mul (q, cubic) b = Add (a, one) g = Mul (x, b) c = Mul (g, pi2) t = Tanh "
     "(c) o = Add (t, one) d = Mul (x, o) y = Mul (d, half)"},
    {"of a product: x is where it begins", "Gelu(x2) 5",
     "x2 = Mul (x, half) a = Div (x2, root2) b = Erf (a) c = Add (b, one) d = Mul (x2, c) y = Mul "
     "(d, half)"},
    {"erf of another tensor", "",
     "z = Relu (x) a = Div (z, root2) b = Erf (a) c = Add (b, one) d = Mul (x, c) y = Mul (d, "
     "half)"},
    {"another divisor", "",
     "a = Div (x, two) b = Erf (a) c = Add (b, one) d = Mul (x, c) y = Mul (d, half)"},
    {"without the half: a pattern without a node", "Gelu 4",
     "a = Div (x, root2) b = Erf (a) c = Add (b, one) y = Mul (x, c)"},
    {"the error function is read outside", "",
     "a = Div (x, root2) b = Erf (a) c = Add (b, one) d = Mul (x, c) f = Mul (d, half) y = Add (f, "
     "b)"},
    // Swish
    {"SiLU", "Swish(x) 2", "s = Sigmoid (x) y = Mul (x, s)"},
    {"quick Gelu", "Swish(x) 3", "a = Mul (x, alpha) s = Sigmoid (a) y = Mul (x, s)"},
    {"a gate is none", "", "a = Relu (x) s = Sigmoid (a) y = Mul (x, s)"},
    {"a square of Sigmoid is none", "", "s = Sigmoid (x) y = Mul (s, s)"},
    // HardSwish
    {"Clip, divided last", "HardSwish(x) 4",
     "a = Add (x, three) c = Clip (a, zero, six) m = Mul (x, c) y = Div (m, six)"},
    {"Clip, divided first", "HardSwish(x) 4",
     "a = Add (three, x) c = Clip (a, zero, six) m = Mul (c, sixth) y = Mul (m, x)"},
    {"HardSigmoid", "HardSwish(x) 2",
     "s = HardSigmoid <alpha = 0.16666667, beta = 0.5> (x) y = Mul (s, x)"},
    {"HardSigmoid of another slope", "",
     "s = HardSigmoid <alpha = 0.2, beta = 0.5> (x) y = Mul (s, x)"},
    {"without the division: a pattern without a node", "HardSwish 3",
     "a = Add (x, three) c = Clip (a, zero, six) y = Mul (x, c)"},
    {"clipped elsewhere", "",
     "a = Add (x, three) c = Clip (a, zero, three) m = Mul (x, c) y = Div (m, six)"},
    // LpNormalization
    {"normalize, as PyTorch exports it", "LpNormalization(x) 4",
     "l = ReduceL2 <axes = [-1]> (x) c = Clip (l, tiny) s = Shape (x) e = Expand (c, s) y = Div "
     "(x, e)"},
    {"normalize, its shape known", "LpNormalization(x) 4",
     "l = ReduceL2 (x, second) c = Clip (l, tiny) e = Expand (c, dims) y = Div (x, e)", 18},
    {"normalize by Max", "LpNormalization(x) 3",
     "l = ReduceL2 <axes = [1]> (x) c = Max (tiny, l) y = Div (x, c)"},
    {"a norm that may be 0", "", "l = ReduceL2 <axes = [-1]> (x) y = Div (x, l)"},
    {"an epsilon that shows", "",
     "l = ReduceL2 <axes = [-1]> (x) c = Clip (l, eps) y = Div (x, c)"},
    {"an upper bound", "", "l = ReduceL2 <axes = [-1]> (x) c = Clip (l, tiny, six) y = Div (x, c)"},
    {"the norm of two axes", "",
     "l = ReduceL2 <axes = [1, 2]> (x) c = Clip (l, tiny) y = Div (x, c)"},
    {"the norm of another tensor", "",
     "r = Relu (x) l = ReduceL2 <axes = [-1]> (r) c = Clip (l, tiny) y = Div (x, c)"},
    {"the norm is read outside", "",
     "l = ReduceL2 <axes = [-1]> (x) c = Clip (l, tiny) d = Div (x, c) y = Mul (d, l)"},
    // Shapes
    {"a number of rank 1", "Gelu(x) 5",
     "a = Div (x, root2) b = Erf (a) c = Add (b, one1) d = Mul (x, c) y = Mul (d, half)"},
};

class FindPatternsIn : public testing::TestWithParam<PatternCase> {};

TEST_P(FindPatternsIn, Graph) { EXPECT_EQ(Found(GetParam()), GetParam().found); }

INSTANTIATE_TEST_SUITE_P(Patterns, FindPatternsIn, testing::ValuesIn(kCases),
                         [](const testing::TestParamInfo<PatternCase>& info) {
                           std::string name = info.param.name;
                           for (char& c : name) {
                             if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
                           }
                           return name + "_" + std::to_string(info.index);
                         });

TEST(FindPatterns, AConstantThatRaisesTheRankIsNoNumber) {
  const PatternCase raised = {
      "", "", "a = Div (x, root2) b = Erf (a) c = Add (b, one4) d = Mul (x, c) y = Mul (d, half)"};
  EXPECT_EQ(Found(raised), "");
}

TEST(FindPatterns, WithoutAShapeANormalizationHasNoNode) {
  const std::string nodes = std::string(kMoments) + " s = Sqrt (e) n = Div (d, s) " + kAffine;
  const PatternCase unknown = {"", "", nodes.c_str()};
  EXPECT_EQ(Found(unknown, "float x"), "LayerNormalization 9");
  EXPECT_EQ(Found(unknown, "float[2,3,n] x"), "LayerNormalization 9");
  EXPECT_EQ(Found(unknown, "float[n,m,4] x"), "LayerNormalization(x,gamma,beta) 9");
}

TEST(FindPatterns, WhatIsAGraphOutputEndsAPattern) {
  TextModel text(R"(<ir_version: 8, opset_import: ["" : 13]>
    g (float[4] x) => (float[4] y, float[4] s) { s = Sigmoid (x) y = Mul (x, s) })");
  const GraphView view(text.model.graph());
  EXPECT_TRUE(FindPatterns(text.model, view, view).empty());
}

TEST(FindPatterns, AConstantThatCallersMayReplaceIsNone) {
  const PatternCase replaced = {
      "", "", "a = Div (x, root2) b = Erf (a) c = Add (b, one) d = Mul (x, c) y = Mul (d, half)"};
  EXPECT_EQ(Found(replaced, "float[2,3,4] x, float root2"), "");
}

TEST(FindPatterns, ThoseOfBodiesAreFoundWhereTheViewHasThem) {
  TextModel text(R"(<ir_version: 8, opset_import: ["" : 13]>
    g (float[4] x, bool c) => (float[4] y) {
      y = If (c) <then_branch = t () => (float[4] a) { s = Sigmoid (x) a = Mul (x, s) },
                  else_branch = e () => (float[4] b) { b = Identity (x) }>
    })");
  const GraphView outside(text.model.graph());
  EXPECT_TRUE(FindPatterns(text.model, outside, outside).empty());
  const GraphView inside(text.model.graph(), Bodies::kInside);
  EXPECT_EQ(FindPatterns(text.model, inside, inside).size(), 1u);
}

}  // namespace
}  // namespace ptq
