// Suggestions for a misspelt name: the same rule for options, op types, nodes and tensors.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ptq {

// At most `max` of the candidates that `name` may have meant, best first: those that differ only in
// case or in '-' against '_', then those few edits away (up to a third of the length), then those
// that contain `name` or are contained in it; equal ones in the order given. Time: candidates ×
// length × allowed edits.
std::vector<std::string> NearMatches(std::string_view name,
                                     const std::vector<std::string>& candidates, size_t max = 3);

// `Did you mean "A", "B"?`, or "" where there is no match.
std::string DidYouMean(const std::vector<std::string>& matches);

}  // namespace ptq
