// Adding to the biases of linear layers, wherever these are: the third input of Conv and Gemm, the
// constant of an Add behind a MatMul.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "model/graph_view.h"
#include "model/model.h"
#include "repair/linear_layers.h"

namespace ptq {

class LayerBiases {
 public:
  // `view` is of `model`; both are kept. The model changes with Apply() only.
  LayerBiases(const GraphView& view, Model* model);

  // Whether the layer has a bias that can be added to, or can be given one.
  bool CanAdd(const LinearLayer& layer) const;

  // Each output of the layer times `scale` (1 where it is empty) plus `added`. Returns whether it
  // could be done: CanAdd(), and all values stay finite. Once a layer.
  bool Change(const LinearLayer& layer, std::span<const float> scale,
              std::span<const double> added);

  // Carries out what was asked for. The view holds no longer.
  void Apply();

 private:
  struct Bias {
    int node = -1;                              // that reads it
    int input = 2;                              // which of its inputs it is
    const onnx::TensorProto* values = nullptr;  // null: there is none yet
    double factor = 1;                          // the output moves by so much times the bias
  };
  struct Edit {
    Bias bias;
    onnx::TensorProto values;
  };

  std::optional<Bias> Find(const LinearLayer& layer) const;

  const GraphView& view_;
  Model& model_;
  UniqueNames names_;
  std::vector<Edit> edits_;
};

}  // namespace ptq
