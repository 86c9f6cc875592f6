// The loops over weights: lowest and highest value, and quantizing. Plain loops that compilers
// vectorize (SSE/AVX natively, SIMD128 in wasm); -ffp-contract=off keeps their bits the same
// everywhere.
#pragma once

#include <cstdint>
#include <span>

#include "quantization/quant_params.h"

namespace ptq {

// Widens `range` by the values; NaN is passed over. `range` starts as {+inf, -inf}.
void WidenRange(std::span<const float> values, TensorRange* range);

// q = clip(round_half_even(x / scale) + zero_point, clip range), in float arithmetic as
// onnxruntime.quantization's quantize_nparray; NaN becomes 0. One byte a value; signed types as
// two's complement. `out` has as many elements as `values`.
void QuantizeValues(std::span<const float> values, float scale, int32_t zero_point,
                    IntegerRange clip, std::span<uint8_t> out);

}  // namespace ptq
