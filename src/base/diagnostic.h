// Notes that a run gives beside its result: odd ranges, lossy steps, settings without effect.
// Collected in order, never printed by the core.
#pragma once

#include <string>
#include <vector>

#include "base/text.h"

namespace ptq {

enum class Severity { kInfo, kWarning };

struct Diagnostic {
  Severity severity = Severity::kInfo;
  std::string code;    // stable, UPPER_SNAKE, documented in docs/errors.md
  Text message;        // one sentence for a person
  std::string node;    // node name, may be empty
  std::string tensor;  // tensor name, may be empty
  Text hint;           // what to do, may be empty
};

using Diagnostics = std::vector<Diagnostic>;

}  // namespace ptq
