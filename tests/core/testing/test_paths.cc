#include "testing/test_paths.h"

namespace ptq {

std::filesystem::path TestsDir() { return PTQ_TESTS_DIR; }
std::filesystem::path KitDir() { return PTQ_KIT_DIR; }

}  // namespace ptq
