#include "base/near_matches.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <utility>

namespace ptq {
namespace {

std::string Folded(std::string_view text) {
  std::string folded(text);
  for (char& c : folded) {
    c = c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return folded;
}

// Insertions, deletions, replacements and swaps of neighbours between a and b, or `limit` + 1 where
// it takes more. Only the band of the table within `limit` of the diagonal is filled.
int EditDistance(std::string_view a, std::string_view b, int limit) {
  const int rows = static_cast<int>(a.size()), columns = static_cast<int>(b.size());
  if (std::abs(rows - columns) > limit) return limit + 1;
  const int far = limit + 1;
  const size_t width = b.size() + 1;
  std::vector<int> before(width, far), above(width, far), row(width, far);
  for (int j = 0; j <= std::min(columns, limit); ++j) above[static_cast<size_t>(j)] = j;
  for (int i = 1; i <= rows; ++i) {
    const int begin = std::max(1, i - limit), end = std::min(columns, i + limit);
    std::fill(row.begin(), row.end(), far);
    if (i <= limit) row[0] = i;
    int best = row[0];
    for (int j = begin; j <= end; ++j) {
      const auto at = static_cast<size_t>(j);
      const bool same = a[static_cast<size_t>(i) - 1] == b[at - 1];
      int cost = std::min({above[at - 1] + (same ? 0 : 1), above[at] + 1, row[at - 1] + 1});
      if (i > 1 && j > 1 && a[static_cast<size_t>(i) - 1] == b[at - 2] &&
          a[static_cast<size_t>(i) - 2] == b[at - 1]) {
        cost = std::min(cost, before[at - 2] + 1);
      }
      row[at] = std::min(cost, far);
      best = std::min(best, row[at]);
    }
    if (best > limit) return far;
    before.swap(above);
    above.swap(row);
  }
  return above[static_cast<size_t>(columns)];
}

}  // namespace

std::vector<std::string> NearMatches(std::string_view name,
                                     const std::vector<std::string>& candidates, size_t max) {
  struct Match {
    int rank;
    const std::string* candidate;
  };
  constexpr int kContains = 1000;  // after any edit distance
  const std::string wanted = Folded(name);
  const int limit = std::clamp(static_cast<int>(wanted.size()) / 3, 1, 8);
  std::vector<Match> matches;
  for (const std::string& candidate : candidates) {
    const std::string folded = Folded(candidate);
    const int distance = folded == wanted ? 0 : EditDistance(wanted, folded, limit);
    if (distance <= limit && distance < static_cast<int>(wanted.size())) {
      matches.push_back({distance, &candidate});
    } else if (wanted.size() >= 3 && folded.find(wanted) != std::string::npos) {
      matches.push_back({kContains + static_cast<int>(folded.size() - wanted.size()), &candidate});
    } else if (folded.size() >= 3 && wanted.find(folded) != std::string::npos) {
      matches.push_back({kContains + static_cast<int>(wanted.size() - folded.size()), &candidate});
    }
  }
  std::sort(matches.begin(), matches.end(), [](const Match& a, const Match& b) {
    return a.rank != b.rank ? a.rank < b.rank : *a.candidate < *b.candidate;
  });
  std::vector<std::string> best;
  for (const Match& match : matches) {
    if (best.size() == max) break;
    if (std::find(best.begin(), best.end(), *match.candidate) == best.end()) {
      best.push_back(*match.candidate);
    }
  }
  return best;
}

Text DidYouMean(const std::vector<std::string>& matches) {
  if (matches.empty()) return {};
  Text text("did you mean ");
  for (size_t i = 0; i < matches.size(); ++i) {
    if (i > 0) text += i + 1 < matches.size() ? ", " : " or ";
    text = std::move(text) + '"' + matches[i] + '"';
  }
  return std::move(text) + "?";
}

}  // namespace ptq
