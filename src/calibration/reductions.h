// The reductions that observe a tensor in the graph itself: its lowest and its highest value, and
// the sum of all.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/graph_view.h"

namespace ptq {

// Adds a one-dimensional constant to the initializers of `graph`; returns its name.
std::string AddConstant(const std::string& wanted, const std::vector<int64_t>& values,
                        UniqueNames* names, onnx::GraphProto* graph);

class Reductions {
 public:
  // `view` is of the model before anything was added to it; `main` gets the constants.
  Reductions(const GraphView& view, UniqueNames* names, onnx::GraphProto* main);

  struct Pair {
    std::string lowest;  // float32 [1]
    std::string highest;
  };
  // Adds the nodes to `graph`, in which `tensor` can be read.
  Pair Add(const std::string& tensor, onnx::GraphProto* graph);
  // Lowest, highest and, `with_sum`, the sum of all, NaN where a value is; float32 [1] each.
  // Without it the highest takes the place of the sum.
  std::vector<std::string> AddAll(const std::string& tensor, bool with_sum,
                                  onnx::GraphProto* graph);

  // By channel, along `axis` of `rank` >= 2: lowest, highest and what `third` (ReduceSum or
  // ReduceMean) gives of each in turn, float32 [3 * channels]. `opset` tells whether axes are an
  // attribute or an input.
  // `known`: the lowest and highest where something else tells them, else empty.
  std::string AddByChannel(const std::string& tensor, int64_t axis, int64_t rank, const char* third,
                           int64_t opset, onnx::GraphProto* graph, const Pair& known = {});

  // Lowest and highest by channel, of the tensor's rank: 1 along all axes but `axis`.
  Pair AddKeptByChannel(const std::string& tensor, int64_t axis, int64_t rank, int64_t opset,
                        onnx::GraphProto* graph);

  // The same of a tensor of known rank >= 1, in [1] or [1, 1, …], of that rank: no node but the
  // reductions themselves.
  std::vector<std::string> AddKept(const std::string& tensor, bool with_sum,
                                   onnx::GraphProto* graph);
  // The sum of AddKept by itself; `source`: `tensor` as float32. It is looked at for NaN only, so
  // the order of additions is free: of images, a Conv of ones adds the channels up. onnxruntime's
  // ReduceSum adds a value at a time in WebAssembly, 1 ns each; its Conv takes 0.2.
  std::string AddKeptSum(const std::string& tensor, std::string source, onnx::GraphProto* graph);

 private:
  // `tensor` as float32: no float16 reductions on CPUs.
  std::string AsFloat(const std::string& tensor, onnx::GraphProto* graph);
  std::string Reduce(const char* op_type, const std::string& tensor, const std::string& source,
                     onnx::GraphProto* graph);
  // Over all axes but `axis`, which are kept.
  std::string ReduceOthers(const std::string& op_type, const std::string& tensor, int64_t axis,
                           int64_t rank, int64_t opset, onnx::GraphProto* graph);
  std::string AsVector(const std::string& scalar, onnx::GraphProto* graph);
  // Float32 [1, channels, 1, 1], one for all tensors of so many channels.
  const std::string& Ones(int64_t channels);

  const GraphView& view_;
  UniqueNames* names_;
  onnx::GraphProto* main_;
  std::string shape_;  // the name of a constant [1]
  std::map<int64_t, std::string> ones_;
};

}  // namespace ptq
