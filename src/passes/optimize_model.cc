#include "passes/optimize_model.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/near_matches.h"
#include "passes/infer_shapes.h"
#include "passes/pass_registry.h"

namespace ptq {
namespace {

// A pass follows chains to their end by itself, so that a further round is needed only where one
// pass makes work for an earlier one: real models settle in the second or third. The bound is there
// for two passes that undo each other; the model is a right one after each.
constexpr int kMostRounds = 10;

}  // namespace

PrepareResult OptimizeModel(Model& model, Diagnostics& diagnostics,
                            const OptimizeOptions& options) {
  PassContext context{model, diagnostics, options.bodies, options.target_opset};
  const std::span<const Pass> passes = OptimizePasses();
  std::vector<int> changes(passes.size());
  size_t settled = 0;  // passes in a row, up to the last, that found nothing
  for (int round = 1; round <= kMostRounds && settled < passes.size(); ++round) {
    for (size_t i = 0; i < passes.size() && settled < passes.size(); ++i) {
      const Pass& pass = passes[i];
      const bool runs =
          (round == 1 || !pass.once) && !options.disabled_passes.contains(std::string(pass.name));
      const int found = runs ? pass.run(context) : 0;
      settled = found > 0 ? 0 : settled + 1;
      if (found == 0) continue;
      changes[i] += found;
      context.types.Forget();
      if (options.on_change) options.on_change(pass, round, found);
    }
  }
  if (settled < passes.size()) {
    diagnostics.push_back({Severity::kInfo, "PASSES_NOT_SETTLED",
                           Text("The passes still found something to change after ") +
                               std::to_string(kMostRounds) + " rounds and were stopped.",
                           "", "", ""});
  }
  InferShapes(model, &diagnostics);
  PrepareResult result;
  for (size_t i = 0; i < passes.size(); ++i) {
    if (changes[i] > 0) result.changes.emplace_back(passes[i].name, changes[i]);
  }
  result.inlined = std::move(context.inlined);
  return result;
}

void CheckPassNames(const std::unordered_set<std::string>& names) {
  std::vector<std::string> known;
  for (const Pass& pass : OptimizePasses()) known.emplace_back(pass.name);
  // In order, so that the same input names the same fault.
  std::vector<std::string> sorted(names.begin(), names.end());
  std::sort(sorted.begin(), sorted.end());
  for (const std::string& name : sorted) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    Text hint = DidYouMean(NearMatches(name, known));
    if (hint.empty()) {
      std::string all;
      for (const std::string& pass : known) all += (&pass == &known[0] ? "" : ", ") + pass;
      hint = Text("there are: ") + all;
    }
    throw Error(ErrorCode::kInvalidOption,
                Text("disabled_passes: there is no pass \"") + name + "\"")
        .WithHint(hint);
  }
}

}  // namespace ptq
