#include "calibration/channel_means.h"

#include <cmath>

#include "calibration/range_json.h"

namespace ptq {

using nlohmann::json;

void ChannelMeans::Observe(size_t channel, float mean) {
  if (!std::isfinite(mean)) return;
  ++channels_[channel].samples;
  channels_[channel].sum.Add(mean);
}

void ChannelMeans::Add(const ChannelMeans& other) {
  for (size_t c = 0; c < channels_.size(); ++c) {
    channels_[c].samples += other.channels_[c].samples;
    channels_[c].sum.Add(other.channels_[c].sum);
  }
}

double ChannelMeans::Mean(size_t channel) const {
  const Channel& of_channel = channels_[channel];
  if (of_channel.samples == 0) return 0;
  return of_channel.sum.Value() / static_cast<double>(of_channel.samples);
}

// The number of samples and the digits of the sum; zeros at either end are left out, and their
// number at the low end is said.
json ChannelMeans::Save(size_t channel) const {
  const Channel& of_channel = channels_[channel];
  const auto& digits = of_channel.sum.digits();
  size_t first = 0;
  size_t end = digits.size();
  while (first < end && digits[first] == 0) ++first;
  while (end > first && digits[end - 1] == 0) --end;
  json saved = {of_channel.samples, first};
  for (size_t i = first; i < end; ++i) saved.push_back(digits[i]);
  return saved;
}

void ChannelMeans::Restore(size_t channel, const json& state) {
  Channel restored;
  restored.samples = CountFromJson(state.at(0));
  const uint64_t first = CountFromJson(state.at(1));
  std::array<int64_t, ExactSum::kDigits> digits{};
  const size_t count = state.size() - 2;
  // at() throws json's own exception where there are more digits than a sum has.
  if (first > digits.size() || count > digits.size() - first) state.at(state.size());
  for (size_t i = 0; i < count; ++i) {
    digits[first + i] = state.at(i + 2).get_ref<const json::number_integer_t&>();
  }
  restored.sum.set_digits(digits);
  channels_[channel] = restored;
}

}  // namespace ptq
