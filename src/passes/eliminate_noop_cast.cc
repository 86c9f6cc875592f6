// Cast to the type that a tensor has already is bypassed; a Cast of a Cast that lost nothing reads
// what went into that.
//
//   before: a = Cast<to = FLOAT>(x)   y = Relu(a)   (x is float)     after: y = Relu(x)
//   before: a = Cast<to = INT64>(x)   b = Cast<to = INT32>(a)   y = Add(b, b)   (x is int32)
//   after:  y = Add(x, x)
//
// Mixed precision exports leave them where the precision was float anyway. Types are inferred anew:
// a file's own value_info may be wrong.
#include <map>

#include "model/attributes.h"
#include "model/node_queries.h"
#include "passes/bypass_nodes.h"
#include "passes/known_values.h"
#include "passes/pass_registry.h"

namespace ptq {
namespace {

using onnx::TensorProto;

// A type as the range of integers that it holds exactly, and the bits of its exponent.
struct Range {
  int low = 0;   // integers from -2^low …
  int high = 0;  // … to 2^high
  int exponent = 0;
};

Range RangeOf(int64_t type) {
  switch (type) {
    case TensorProto::BOOL:
      return {0, 1, 0};
    case TensorProto::INT8:
      return {7, 7, 0};
    case TensorProto::UINT8:
      return {0, 8, 0};
    case TensorProto::INT16:
      return {15, 15, 0};
    case TensorProto::UINT16:
      return {0, 16, 0};
    case TensorProto::INT32:
      return {31, 31, 0};
    case TensorProto::UINT32:
      return {0, 32, 0};
    case TensorProto::INT64:
      return {63, 63, 0};
    case TensorProto::UINT64:
      return {0, 64, 0};
    case TensorProto::FLOAT16:
      return {11, 11, 5};
    case TensorProto::BFLOAT16:
      return {8, 8, 8};
    case TensorProto::FLOAT:
      return {24, 24, 8};
    case TensorProto::DOUBLE:
      return {53, 53, 11};
    default:
      return {};
  }
}

// Whether every value of `from` is one of `to`.
bool Holds(int64_t to, int64_t from) {
  const Range inner = RangeOf(from);
  const Range outer = RangeOf(to);
  return inner.high > 0 && inner.low <= outer.low && inner.high <= outer.high &&
         inner.exponent <= outer.exponent;
}

// Whether Cast<to>(Cast<through>(x)) is Cast<to>(x) for every x of `from`, another type.
bool MaySkip(int64_t from, int64_t through, int64_t to) {
  if (from == through || !Holds(through, from) || RangeOf(to).high == 0) return false;
  // Integers wrap, a float beyond an integer's range becomes anything.
  const bool by_float = RangeOf(through).exponent > 0 && RangeOf(from).exponent == 0;
  return !by_float || RangeOf(to).exponent > 0 || Holds(to, from);
}

int SkipCasts(onnx::GraphProto* graph, const GraphView& view, KnownValues* known) {
  std::map<int, std::string> edits;  // node -> what it is to read
  for (int i = 0; i < graph->node_size(); ++i) {
    const onnx::NodeProto& node = graph->node(i);
    if (!IsOp(node, "Cast") || !HasInput(node, 0)) continue;
    const int producer = view.Producer(node.input(0));
    if (producer < 0) continue;
    const onnx::NodeProto& inner = graph->node(producer);
    if (!IsOp(inner, "Cast") || !HasInput(inner, 0)) continue;
    const auto edited = edits.find(producer);
    const std::string& source = edited == edits.end() ? inner.input(0) : edited->second;
    const int64_t through = IntAttribute(inner, "to", 0);
    if (MaySkip(known->TypeOf(source), through, IntAttribute(node, "to", 0))) {
      edits.emplace(i, source);
    }
  }
  for (const auto& [node, source] : edits) graph->mutable_node(node)->set_input(0, source);
  return static_cast<int>(edits.size());
}

}  // namespace

int EliminateNoopCast(PassContext& context) {
  onnx::GraphProto& graph = context.model.graph();
  const GraphView view(graph);
  KnownValues known(context, view);  // of types, which stay
  const int skipped = SkipCasts(&graph, view, &known);
  return skipped + BypassNodes(&graph, [&](const onnx::NodeProto& node, const GraphView&) {
           if (!IsOp(node, "Cast") || !HasInput(node, 0)) return false;
           const int32_t type = known.TypeOf(node.input(0));
           return type != 0 && type == IntAttribute(node, "to", 0);
         });
}

}  // namespace ptq
