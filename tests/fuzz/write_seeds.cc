// write_seeds FOLDER: the seeds of every target as files FOLDER/<target>/<number>, for libFuzzer to
// start from.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "targets/targets.h"

int main(int count, char** arguments) {
  if (count != 2) {
    std::fputs("usage: write_seeds FOLDER\n", stderr);
    return 2;
  }
  for (const ptq::fuzz::Target* target : ptq::fuzz::kTargets) {
    const std::filesystem::path folder = std::filesystem::path(arguments[1]) / target->name;
    std::filesystem::create_directories(folder);
    size_t number = 0;
    for (const std::string& seed : target->seeds()) {
      std::ofstream file(folder / std::to_string(number++), std::ios::binary);
      file.write(seed.data(), static_cast<std::streamsize>(seed.size()));
      if (!file.flush()) {
        std::perror(folder.c_str());
        return 1;
      }
    }
  }
  return 0;
}
