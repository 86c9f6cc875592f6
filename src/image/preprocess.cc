#include "image/preprocess.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace ptq::image {
namespace {

// Tensors above this are a mistake in the options, not an image model.
constexpr int kMaxSide = 16384;
constexpr size_t kMaxElements = size_t{1} << 28;
constexpr int kOpaque = 255;

// Where the image goes: resized to width x height, of which `window` lands at (x, y) of the output.
struct Placement {
  int width;
  int height;
  Window window;
  int x = 0;
  int y = 0;
};

std::string SizeName(int width, int height) {
  return std::to_string(width) + "x" + std::to_string(height);
}

// Python's round(): halves to the even neighbour.
int RoundHalfEven(double value) { return static_cast<int>(std::nearbyint(value)); }

// Torchvision's Resize(shorter) and CenterCrop: the longer side is cut to an integer, the offset is
// rounded half to even. For a target that is not square, "shorter" is read as: the image covers the
// target enlarged by resize_shorter / min(width, height).
Placement PlaceCenter(const ImageView& image, const PreprocessSpec& spec) {
  const int side = std::min(spec.width, spec.height);
  const int shorter =
      spec.resize_shorter > 0 ? spec.resize_shorter : RoundHalfEven(side * 256.0 / 224.0);
  const int cover_width = RoundHalfEven(static_cast<double>(spec.width) * shorter / side);
  const int cover_height = RoundHalfEven(static_cast<double>(spec.height) * shorter / side);
  int64_t width = cover_width;
  int64_t height = cover_height;
  if (static_cast<int64_t>(image.width) * cover_height <=
      static_cast<int64_t>(image.height) * cover_width) {
    height = static_cast<int64_t>(cover_width) * image.height / image.width;
  } else {
    width = static_cast<int64_t>(cover_height) * image.width / image.height;
  }
  if (std::max(width, height) > INT32_MAX / 4) {
    throw Error(
        ErrorCode::kInvalidData,
        Text("the image is ") + SizeName(image.width, image.height) + ": too narrow to be cropped");
  }
  const Window window{RoundHalfEven((width - spec.width) / 2.0),
                      RoundHalfEven((height - spec.height) / 2.0), spec.width, spec.height};
  return {static_cast<int>(width), static_cast<int>(height), window};
}

// Top left: YOLOX's preproc(), sizes cut to integers. Around: Ultralytics' LetterBox, rounded. Both
// compute the ratio in double first, which decides the size where it is close to an integer.
Placement PlaceLetterbox(const ImageView& image, const PreprocessSpec& spec) {
  const double ratio = std::min(static_cast<double>(spec.height) / image.height,
                                static_cast<double>(spec.width) / image.width);
  const auto size = [&](int side, int limit) {
    const double scaled = side * ratio;
    return std::clamp(spec.pad_around ? RoundHalfEven(scaled) : static_cast<int>(scaled), 1, limit);
  };
  const int width = size(image.width, spec.width);
  const int height = size(image.height, spec.height);
  Placement place{width, height, {0, 0, width, height}};
  if (spec.pad_around) {
    place.x = RoundHalfEven((spec.width - width) / 2.0 - 0.1);
    place.y = RoundHalfEven((spec.height - height) / 2.0 - 0.1);
  }
  return place;
}

Placement Place(const ImageView& image, const PreprocessSpec& spec) {
  const Window all{0, 0, spec.width, spec.height};
  switch (spec.fit) {
    case Fit::kNone:
      if (image.width != spec.width || image.height != spec.height) {
        throw Error(ErrorCode::kInvalidData,
                    Text("the image is ") + SizeName(image.width, image.height) +
                        ", but mode none takes only " + SizeName(spec.width, spec.height))
            .WithHint("choose mode stretch, center or letterbox");
      }
      break;
    case Fit::kStretch:
      break;
    case Fit::kCenter:
      return PlaceCenter(image, spec);
    case Fit::kLetterbox:
      return PlaceLetterbox(image, spec);
  }
  return {spec.width, spec.height, all};
}

void CheckSpec(const PreprocessSpec& spec) {
  const auto refuse = [](const std::string& message) {
    throw Error(ErrorCode::kInvalidOption, Text("preprocess: ") + message);
  };
  if (spec.width < 1 || spec.height < 1 || spec.width > kMaxSide || spec.height > kMaxSide ||
      spec.elements() > kMaxElements) {
    refuse("size " + SizeName(spec.width, spec.height) + " is out of range");
  }
  if (spec.fit == Fit::kCenter && spec.resize_shorter != 0 &&
      (spec.resize_shorter < std::min(spec.width, spec.height) || spec.resize_shorter > kMaxSide)) {
    refuse("resizeShorter must be at least the smaller side of " +
           SizeName(spec.width, spec.height));
  }
  if (spec.pad < 0 || spec.pad > 255) refuse("pad must be 0 to 255");
  for (float value : spec.std) {
    if (!(std::fabs(value) > 0)) refuse("std must not be 0");
  }
}

// One or three channels become four, the width that the resampler works on: opaque RGBA.
std::vector<uint8_t> AddChannels(const ImageView& image) {
  const size_t pixels = static_cast<size_t>(image.width) * image.height;
  const size_t step = static_cast<size_t>(image.channels);
  std::vector<uint8_t> out(pixels * 4);
  for (size_t i = 0; i < pixels; ++i) {
    const uint8_t* from = image.pixels + i * step;
    for (size_t c = 0; c < 3; ++c) out[i * 4 + c] = from[step == 1 ? 0 : c];
    out[i * 4 + 3] = kOpaque;
  }
  return out;
}

// Colours times alpha, so that what is transparent does not bleed into its neighbours when both are
// averaged: Pillow resizes RGBA so (its Convert.c, rgba2rgbA).
std::vector<uint8_t> Weighed(const ImageView& image) {
  std::vector<uint8_t> out(image.pixels,
                           image.pixels + static_cast<size_t>(image.width) * image.height * 4);
  for (size_t i = 0; i < out.size(); i += 4) {
    for (size_t c = 0; c < 3; ++c) {
      const int product = out[i + c] * out[i + 3] + 128;
      out[i + c] = static_cast<uint8_t>((product + (product >> 8)) >> 8);
    }
  }
  return out;
}

// The way back (rgbA2rgba).
void Unweigh(Image* image) {
  for (size_t i = 0; i < image->pixels.size(); i += 4) {
    const int alpha = image->pixels[i + 3];
    if (alpha == 0 || alpha == kOpaque) continue;
    for (size_t c = 0; c < 3; ++c) {
      const int colour = 255 * image->pixels[i + c] / alpha;
      image->pixels[i + c] = static_cast<uint8_t>(std::min(colour, 255));
    }
  }
}

// ITU-R 601-2 luma in 16-bit fixed point, as Pillow's convert("L").
uint8_t Luma(const uint8_t* rgb) {
  return static_cast<uint8_t>((rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16);
}

// All 256 results of the normalization of one channel: a division a pixel value, not a pixel.
std::array<float, 256> NormalizationTable(const PreprocessSpec& spec, int channel) {
  std::array<float, 256> table;
  for (int i = 0; i < 256; ++i) {
    table[i] = (static_cast<float>(i) * spec.scale - spec.mean[channel]) / spec.std[channel];
  }
  return table;
}

}  // namespace

void Preprocess(const ImageView& image, const PreprocessSpec& spec, float* out, size_t count) {
  CheckSpec(spec);
  if (image.width < 1 || image.height < 1) {
    throw Error(ErrorCode::kInvalidData, "the image is empty");
  }
  if (image.channels != 1 && image.channels != 3 && image.channels != 4) {
    throw Error(ErrorCode::kInvalidData, Text("the image has ") + std::to_string(image.channels) +
                                             " channels: expected 1, 3 or 4");
  }
  if (count != spec.elements()) {
    throw Error(ErrorCode::kInternal, Text("preprocess: the output has ") + std::to_string(count) +
                                          " elements, not " + std::to_string(spec.elements()));
  }
  const Placement place = Place(image, spec);

  ImageView source = image;
  std::vector<uint8_t> widened;
  const bool alpha = spec.order == ChannelOrder::kRgba;
  if (image.channels == 3 || (image.channels == 1 && alpha)) {
    widened = AddChannels(image);
    source = {widened.data(), image.width, image.height, 4};
  }
  // Opaque pixels stay what they are; Pillow copies an image that has its size already.
  const bool weigh = alpha && image.channels == 4 &&
                     spec.interpolation != Interpolation::kNearest &&
                     (image.width != place.width || image.height != place.height);
  if (weigh) {
    widened = Weighed(image);
    source = {widened.data(), image.width, image.height, 4};
  }
  Image resized = Resize(source, place.width, place.height, spec.interpolation, place.window);
  if (weigh) Unweigh(&resized);

  const int channels = spec.channels();
  const size_t plane = static_cast<size_t>(spec.width) * spec.height;
  // Distance of neighbouring pixels, and of the channels of one pixel, in the output.
  const size_t pixel_step = spec.layout == Layout::kNchw ? 1 : channels;
  const size_t channel_step = spec.layout == Layout::kNchw ? plane : 1;

  for (int c = 0; c < channels; ++c) {
    const std::array<float, 256> table = NormalizationTable(spec, c);
    float* to = out + c * channel_step;
    if (resized.width != spec.width || resized.height != spec.height) {
      const float border = table[alpha && c == 3 ? kOpaque : spec.pad];
      for (size_t i = 0; i < plane; ++i) to[i * pixel_step] = border;
    }
    const int from_channel = spec.order == ChannelOrder::kBgr ? 2 - c : c;
    for (int y = 0; y < resized.height; ++y) {
      const uint8_t* row =
          resized.pixels.data() + static_cast<size_t>(y) * resized.width * resized.channels;
      float* to_row = to + (static_cast<size_t>(place.y + y) * spec.width + place.x) * pixel_step;
      if (resized.channels == 1) {
        for (int x = 0; x < resized.width; ++x) to_row[x * pixel_step] = table[row[x]];
      } else if (spec.order == ChannelOrder::kY) {
        for (int x = 0; x < resized.width; ++x) to_row[x * pixel_step] = table[Luma(row + x * 4)];
      } else {
        row += from_channel;
        for (int x = 0; x < resized.width; ++x) to_row[x * pixel_step] = table[row[x * 4]];
      }
    }
  }
}

}  // namespace ptq::image
