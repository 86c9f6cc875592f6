// Suggestions for a misspelt name: the same rule for options, op types, nodes and tensors, and in
// the library.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace ptq {

// At most `max` of the candidates that `name` may have meant, best first, equal ones by name.
// Compared without case, '-' as '_', in this order:
// 1. those few edits away: insertions, deletions, replacements and swaps of neighbours, at most a
//    third of the length of `name`, but 1 to 8, and fewer than its length;
// 2. those that contain `name` (of 3 bytes or more) or are contained in it (likewise), those of the
//    nearest length first.
// bindings/js/base/near-matches.ts has the same rule; tests/fixtures/near_matches.json holds both
// to it.
// Time: candidates × length × allowed edits.
std::vector<std::string> NearMatches(std::string_view name,
                                     const std::vector<std::string>& candidates, size_t max = 3);

// `did you mean "A", "B" or "C"?`, or "" where there is no match.
Text DidYouMean(const std::vector<std::string>& matches);

}  // namespace ptq
