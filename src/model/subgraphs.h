// Walking graphs with the subgraphs (If, Loop, Scan bodies) in their nodes' attributes, and which
// outer tensors those read.
#pragma once

#include <string_view>
#include <type_traits>
#include <unordered_set>
#include <vector>

#include "onnx/onnx_pb.h"

namespace ptq {

// Calls `visit(GraphProto)` with each graph directly inside the node's attributes.
template <typename Node, typename Visit>
void ForEachSubgraph(Node& node, Visit visit) {
  if constexpr (std::is_const_v<Node>) {
    for (const onnx::AttributeProto& attribute : node.attribute()) {
      if (attribute.has_g()) visit(attribute.g());
      for (const onnx::GraphProto& graph : attribute.graphs()) visit(graph);
    }
  } else {
    for (onnx::AttributeProto& attribute : *node.mutable_attribute()) {
      if (attribute.has_g()) visit(*attribute.mutable_g());
      for (onnx::GraphProto& graph : *attribute.mutable_graphs()) visit(graph);
    }
  }
}

// Whether the bodies of the node can be part of a view: it is an If, Loop or Scan of ONNX, of which
// it is known how its bodies are run.
bool HoldsBodies(const onnx::NodeProto& node);

// Names that the graph itself defines: inputs, initializers and node outputs.
std::unordered_set<std::string_view> DefinedNames(const onnx::GraphProto& graph);

// Tensors that the node's subgraphs read from around them, each once, in the order of their first
// read. An output of a subgraph that it does not define counts as a read.
std::vector<std::string_view> CapturedNames(const onnx::NodeProto& node);

// Calls `visit(TensorProto&)` with every tensor of nodes and graph: initializers, sparse ones'
// parts, attributes, and those of subgraphs.
template <typename Visit>
void ForEachTensor(onnx::SparseTensorProto* sparse, const Visit& visit) {
  if (sparse->has_values()) visit(*sparse->mutable_values());
  if (sparse->has_indices()) visit(*sparse->mutable_indices());
}

template <typename Visit>
void ForEachTensor(onnx::GraphProto* graph, const Visit& visit);

template <typename Visit>
void ForEachTensor(onnx::AttributeProto* attribute, const Visit& visit) {
  if (attribute->has_t()) visit(*attribute->mutable_t());
  for (onnx::TensorProto& tensor : *attribute->mutable_tensors()) visit(tensor);
  if (attribute->has_sparse_tensor()) ForEachTensor(attribute->mutable_sparse_tensor(), visit);
  for (onnx::SparseTensorProto& sparse : *attribute->mutable_sparse_tensors()) {
    ForEachTensor(&sparse, visit);
  }
  if (attribute->has_g()) ForEachTensor(attribute->mutable_g(), visit);
  for (onnx::GraphProto& graph : *attribute->mutable_graphs()) ForEachTensor(&graph, visit);
}

template <typename Visit>
void ForEachTensor(onnx::NodeProto* node, const Visit& visit) {
  for (onnx::AttributeProto& attribute : *node->mutable_attribute()) {
    ForEachTensor(&attribute, visit);
  }
}

template <typename Visit>
void ForEachTensor(onnx::GraphProto* graph, const Visit& visit) {
  for (onnx::TensorProto& tensor : *graph->mutable_initializer()) visit(tensor);
  for (onnx::SparseTensorProto& sparse : *graph->mutable_sparse_initializer()) {
    ForEachTensor(&sparse, visit);
  }
  for (onnx::NodeProto& node : *graph->mutable_node()) ForEachTensor(&node, visit);
}

template <typename Visit>
void ForEachTensor(onnx::ModelProto* model, const Visit& visit) {
  if (model->has_graph()) ForEachTensor(model->mutable_graph(), visit);
  for (onnx::FunctionProto& function : *model->mutable_functions()) {
    for (onnx::NodeProto& node : *function.mutable_node()) ForEachTensor(&node, visit);
    for (onnx::AttributeProto& attribute : *function.mutable_attribute_proto()) {
      ForEachTensor(&attribute, visit);
    }
  }
}

}  // namespace ptq
