// The tensors that a quantized model holds as integers, found by its graph alone: what a diagnosis
// compares with the float model, whoever quantized it.
//
//   QDQ:        x -> QuantizeLinear -> DequantizeLinear -> Conv <- DequantizeLinear <- w_quantized
//   QOperator:  x -> QuantizeLinear -> QLinearConv (x_quantized, …, w_quantized, …) -> y_quantized
#pragma once

#include <string>
#include <vector>

#include "model/graph_view.h"

namespace ptq {

struct QuantizedTensor {
  std::string name;       // of the float tensor, without what quantizers append
  std::string before;     // the float tensor that QuantizeLinear reads; "" where there is none
  std::string quantized;  // the integers
  std::string after;      // what DequantizeLinear makes of them; "" where they are read as they are
  std::string scale;      // initializers or constants
  std::string zero_point;  // "": zero
  int64_t axis = 1;        // of the scales, where there are several
  bool is_constant = false;
  int quantize = -1;    // the nodes in the view; -1 where there is none
  int dequantize = -1;  // the first of several
};

// In the order of the nodes that make or read them first; each tensor of integers once.
std::vector<QuantizedTensor> FindQuantizedTensors(const GraphView& view);

}  // namespace ptq
