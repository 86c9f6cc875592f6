// Weights repeated as graph inputs, as files of IR 3 have to list them, are dropped from the
// inputs.
//
//   before: g(data, w, b) => (y) <w = …, b = …>     after: g(data) => (y) <w = …, b = …>
//
// A tensor that callers may replace is no constant: it could be neither folded nor quantized, and
// calibration would ask for it (D21 in docs/differences.md). IR 4 is the first in which
// initializers need not be inputs.
#include <string>

#include "passes/ir_version.h"
#include "passes/pass_registry.h"

namespace ptq {

int DropInitializerInputs(PassContext& context) {
  onnx::ModelProto& proto = context.model.proto();
  const bool obligatory = proto.ir_version() < 4;
  const int dropped = DropRepeatedInputs(proto.mutable_graph());
  if (dropped > 0 && obligatory) {
    RaiseIrVersion(context.model, 4);
  } else if (dropped > 0) {
    context.diagnostics.push_back(
        {Severity::kInfo, "OVERRIDABLE_INITIALIZERS_FIXED",
         Text() + std::to_string(dropped) + " graph inputs with a default value became constants.",
         "", "", "To keep them as inputs, switch optimize_model off."});
  }
  return dropped;
}

}  // namespace ptq
