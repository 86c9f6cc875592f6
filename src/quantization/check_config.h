// Which options go together. What only one format or some methods heed is data in option_table.cc;
// here is what takes more than one option to be wrong.
#pragma once

#include "quantization/config.h"
#include "quantization/option_table.h"

namespace ptq {

// All throw kUnsupportedOption (kInvalidOption where a number is out of its range). In this order,
// so that the same input names the same fault: types before extra_options are read, each extra
// option as it is read, the rest at the end.
void CheckTypes(const StaticQuantConfig& config);
void CheckHeeded(const OptionRow& extra_option, const StaticQuantConfig& config);
void CheckCombination(const StaticQuantConfig& config);

}  // namespace ptq
