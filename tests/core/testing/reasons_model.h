// A model whose nodes stay float for different reasons: what the tests of those reasons plan.
#pragma once

#include <string>

#include "testing/quantize_text.h"

namespace ptq {

inline constexpr char kReasonsModel[] = R"(
  <ir_version: 8, opset_import: ["" : 13, "acme" : 1]>
  g (float[1,1,4,4] x, int64[2] n) => (float[1,1,4,4] y, float[1,1,4,4] o, int64[2] m)
  <float[1,1,1,1] w = {1}, int64[2] one = {1, 1}> {
    [pool] p = MaxPool <kernel_shape = [1, 1]> (x)
    [conv] c = Conv (p, w)
    [tanh] t = Tanh (c)
    [sum] y = Add (t, c)
    [own] o = acme.Conv (c, w)
    [count] m = Add (n, one)
  })";

inline const TensorRanges& Ranges() {
  static const auto* const kRanges = new TensorRanges{
      {"x", {-1, 1}}, {"p", {-1, 1}}, {"c", {-1, 1}}, {"t", {-1, 1}}, {"y", {-2, 2}}};
  return *kRanges;
}

inline QuantizedText Plan(const std::string& options) {
  return QuantizeText(kReasonsModel, options, Ranges());
}

inline bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace ptq
