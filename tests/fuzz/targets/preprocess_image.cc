// An image of any size with any preprocessing. The specification's JSON is the binding's own
// (image_bindings.cc, which is WebAssembly only), so that it is made of numbers here.
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "byte_reader.h"
#include "image/preprocess.h"
#include "outcome.h"
#include "targets.h"

namespace ptq::fuzz {
namespace {

using image::PreprocessSpec;

// What takes too long to be tried a thousand times a second.
constexpr size_t kMostElements = size_t{1} << 16;

PreprocessSpec TakeSpec(ByteReader* reader) {
  PreprocessSpec spec;
  spec.fit = static_cast<image::Fit>(reader->Take<uint8_t>() % 4);
  spec.layout = static_cast<image::Layout>(reader->Take<uint8_t>() % 2);
  spec.order = static_cast<image::ChannelOrder>(reader->Take<uint8_t>() % 3);
  spec.interpolation = static_cast<image::Interpolation>(reader->Take<uint8_t>() % 6);
  spec.width = reader->Take<int16_t>();
  spec.height = reader->Take<int16_t>();
  spec.resize_shorter = reader->Take<int16_t>();
  spec.pad = reader->Take<int16_t>();
  spec.pad_around = reader->Take<uint8_t>() % 2 == 1;
  spec.scale = reader->Take<float>();
  for (float& mean : spec.mean) mean = reader->Take<float>();
  for (float& deviation : spec.std) deviation = reader->Take<float>();
  return spec;
}

void RunPreprocessImage(Input input) {
  ByteReader reader(input);
  const PreprocessSpec spec = TakeSpec(&reader);
  const int width = reader.Take<uint16_t>();
  const int height = reader.Take<uint16_t>();
  const int channels = reader.Take<uint8_t>() % 5;
  const size_t bytes = static_cast<size_t>(width) * height * channels;
  const bool is_sound = spec.width > 0 && spec.height > 0;
  if (bytes > kMostElements || (is_sound && spec.elements() > kMostElements)) return;
  const Input rest = reader.Rest();
  std::vector<uint8_t> pixels(bytes);
  for (size_t i = 0; i < bytes && !rest.empty(); ++i) pixels[i] = rest[i % rest.size()];
  std::vector<float> out(is_sound ? spec.elements() : 0);
  EndsWell([&] {
    image::Preprocess({pixels.data(), width, height, channels}, spec, out.data(), out.size());
  });
}

template <typename Number>
void Append(std::string* bytes, Number value) {
  bytes->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

// Every fit, order and filter, of a small image and of narrow ones.
Inputs PreprocessImageSeeds() {
  constexpr uint16_t kSizes[][2] = {{5, 4}, {1, 300}, {64, 48}};
  Inputs seeds;
  for (uint8_t i = 0; i < 24; ++i) {
    const auto& [width, height] = kSizes[i % 3];
    std::string seed = {static_cast<char>(i % 4), static_cast<char>(i % 2),
                        static_cast<char>(i % 3), static_cast<char>(i % 6)};
    const bool is_as_it_is = i % 4 == 0;
    Append<int16_t>(&seed, is_as_it_is ? width : 8);
    Append<int16_t>(&seed, is_as_it_is ? height : 6);
    Append<int16_t>(&seed, i % 8 == 2 ? 0 : 9);
    Append<int16_t>(&seed, 114);
    seed += static_cast<char>(i / 12);
    for (const float value : {1.0f, 123.7f, 116.3f, 103.5f, 58.4f, 57.1f, 57.4f}) {
      Append(&seed, value);
    }
    Append(&seed, width);
    Append(&seed, height);
    seed += "\1\3\4"[i % 3];
    seeds.push_back(seed + "pixels of any kind");
  }
  return seeds;
}

}  // namespace

const Target kPreprocessImage = {"preprocess_image", &RunPreprocessImage, &PreprocessImageSeeds};

}  // namespace ptq::fuzz
