// Where the tests find their files. Known to one source file only, so that no other object depends
// on where the checkout is, and a compiler cache serves them all.
#pragma once

#include <filesystem>

namespace ptq {

std::filesystem::path TestsDir();  // tests/
std::filesystem::path KitDir();    // the conformance kit, unpacked

}  // namespace ptq
