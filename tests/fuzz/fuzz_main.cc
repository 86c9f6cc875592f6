// One target (PTQ_FUZZ_TARGET, from CMakeLists.txt) under libFuzzer.
#include <cstddef>
#include <cstdint>

#include "targets/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ptq::fuzz::PTQ_FUZZ_TARGET.run({data, size});
  return 0;
}
