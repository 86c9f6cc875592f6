// One value of an option, from JSON to what it should be. What is wrong with it is said with the
// value as JavaScript would print it, since that is where it comes from.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace ptq {

// Keeps the keys of objects in the order given: the first fault in it is the one that is named.
template <class Key, class T, class IgnoredLess, class Allocator>
class IndexedMap;  // option_json.h
using OptionValue = nlohmann::basic_json<IndexedMap>;

// JSON.stringify(value): numbers are doubles in their shortest form (0.5, 1e-7, 1e+21).
std::string JsonText(const OptionValue& value);
std::string NumberText(double number);

// A whole number that a double holds exactly (Number.isSafeInteger), or nullopt. 2.0 is one.
std::optional<int64_t> WholeNumber(const OptionValue& value);

// The value of `option`. All throw kInvalidOption: "per_channel: expected true or false but
// received 1".
bool ReadBoolean(std::string_view option, const OptionValue& value);
double ReadNumber(std::string_view option, const OptionValue& value, std::optional<double> least);
int64_t ReadInteger(std::string_view option, const OptionValue& value,
                    std::optional<int64_t> least);
std::unordered_set<std::string> ReadNames(std::string_view option, const OptionValue& value);
std::map<std::string, int64_t> ReadAxes(std::string_view option, const OptionValue& value);
void CheckObject(std::string_view option, const OptionValue& value);
// The index of `value` in `names`.
size_t ReadName(std::string_view option, const OptionValue& value,
                const std::vector<std::string>& names);

// Throws kInvalidOption with near matches where `name` is not among `known`: "unknown option "x"".
void CheckKnown(std::string_view what, const std::string& name,
                const std::vector<std::string>& known);

// "A, B, C".
std::string Joined(const std::vector<std::string>& names, std::string_view separator = ", ");

}  // namespace ptq
