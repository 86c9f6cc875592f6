// The small models under tests/fixtures, which seeds are made of.
#pragma once

#include <string>
#include <vector>

namespace ptq::fuzz {

// Their bytes, sorted by path; those of more than 4 KiB are left out.
std::vector<std::string> FixtureModels();

// A convolution, a MatMul and an Add with constants, then a body: enough for most rules.
// Serialized.
const std::string& SmallModel();

}  // namespace ptq::fuzz
