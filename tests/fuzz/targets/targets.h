// What is fuzzed: each target takes arbitrary bytes and may only return. The same functions run
// under libFuzzer (fuzz_main.cc) and, over seeds and regressions, in the core's tests
// (replay_test.cc), with any compiler.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace ptq::fuzz {

using Input = std::span<const uint8_t>;
using Inputs = std::vector<std::string>;

// What escapes a target is a bug: any exception, or what a sanitizer stops. A target that ends well
// has also checked what must hold of its results: what was written can be read again.
struct Target {
  const char* name;  // of its folder in tests/fuzz/corpus too
  void (*run)(Input input);
  Inputs (*seeds)();  // well-formed inputs to start from
};

extern const Target kLoadModel;
extern const Target kPipeline;
extern const Target kCalibrationState;
extern const Target kOptions;
extern const Target kPreprocessImage;
extern const Target kTensorRanges;

inline const Target* const kTargets[] = {&kLoadModel, &kPipeline,        &kCalibrationState,
                                         &kOptions,   &kPreprocessImage, &kTensorRanges};

}  // namespace ptq::fuzz
