// The loops over weights: quantizing, sums and standard deviations. Plain loops that compilers
// vectorize (SSE/AVX natively, SIMD128 in wasm); -ffp-contract=off keeps their bits the same
// everywhere.
#pragma once

#include <cstdint>
#include <span>

#include "quantization/quant_params.h"

namespace ptq {

// q = clip(round_half_even(x / scale) + zero_point, clip range), in float arithmetic as
// onnxruntime.quantization's quantize_nparray; NaN becomes 0. One element a value, signed types as
// two's complement: uint8_t for types of up to 8 bits, uint16_t for those of 16. `out` has as many
// elements as `values`.
template <typename Element>
void QuantizeValues(std::span<const float> values, float scale, int32_t zero_point,
                    IntegerRange clip, std::span<Element> out);

// As ONNX QuantizeLinear to FLOAT8E4M3FN; `half` rounds the quotient to float16 first, as numpy
// divides float16 data. NaN becomes 0x7F.
void QuantizeFloat8(std::span<const float> values, float scale, bool half, std::span<uint8_t> out);

// The sum with the bits of numpy's add.reduce over contiguous floats: eight running sums over
// blocks of up to 128, halves of larger ranges added up in pairs.
float PairwiseSum(std::span<const float> values);
double PairwiseSum(std::span<const double> values);

// Population standard deviation with the bits of numpy.std: sums in float, pairwise; with `half`
// every step is rounded to float16, unless that overflows. 0 for no values.
float StandardDeviation(std::span<const float> values, bool half);

}  // namespace ptq
