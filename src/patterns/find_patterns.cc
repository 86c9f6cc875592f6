#include <algorithm>

#include "patterns/matcher.h"
#include "patterns/pattern.h"

namespace ptq {
namespace {

// In one graph, and nobody but the pattern reads what is inside it.
bool IsContained(const GraphView& view, const std::vector<int>& nodes) {
  for (const int index : nodes) {
    if (view.GraphOf(index) != view.GraphOf(nodes.back())) return false;
    if (index == nodes.back()) continue;
    for (const std::string& output : view.node(index).output()) {
      if (view.IsGraphOutput(output)) return false;
      for (const Use& use : view.Uses(output)) {
        if (use.input < 0 || !std::binary_search(nodes.begin(), nodes.end(), use.node)) {
          return false;
        }
      }
    }
  }
  return true;
}

}  // namespace

std::vector<Pattern> FindPatterns(const Model& model, const GraphView& view,
                                  const GraphView& types) {
  const Matcher matcher(model, view, types);
  std::vector<Pattern> patterns;
  for (int i = 0; i < view.node_count(); ++i) {
    for (const auto match :
         {MatchNormalization, MatchGelu, MatchSwish, MatchHardSwish, MatchLpNormalization}) {
      std::optional<Pattern> pattern = match(matcher, i);
      if (!pattern) continue;
      std::vector<int>& nodes = pattern->nodes;
      std::sort(nodes.begin(), nodes.end());
      nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
      if (IsContained(view, nodes)) patterns.push_back(*std::move(pattern));
    }
  }
  std::sort(patterns.begin(), patterns.end(),
            [](const Pattern& a, const Pattern& b) { return a.nodes.back() < b.nodes.back(); });
  std::vector<bool> taken(static_cast<size_t>(view.node_count()), false);
  std::erase_if(patterns, [&](const Pattern& pattern) {
    const auto is_taken = [&](int node) { return taken[static_cast<size_t>(node)]; };
    if (std::any_of(pattern.nodes.begin(), pattern.nodes.end(), is_taken)) return true;
    for (const int node : pattern.nodes) taken[static_cast<size_t>(node)] = true;
    return false;
  });
  return patterns;
}

}  // namespace ptq
