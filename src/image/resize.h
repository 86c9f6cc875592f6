// Resizing of 8-bit images with the same bits as Python's Pillow. Browsers, sharp and OpenCV all
// give other pixels (measured: up to 56 of 255 apart), and a calibration range is only comparable
// with the reference's if the tensor is the same; so the resampler is part of the core.
#pragma once

#include <cstdint>
#include <vector>

namespace ptq::image {

// Pillow's Image.Resampling. All but kNearest are antialiased: the filter widens when shrinking.
enum class Interpolation { kNearest, kBox, kBilinear, kHamming, kBicubic, kLanczos };

// Interleaved 8-bit pixels, rows without padding. Does not own them.
struct ImageView {
  const uint8_t* pixels = nullptr;
  int width = 0;
  int height = 0;
  int channels = 0;
};

struct Image {
  std::vector<uint8_t> pixels;
  int width = 0;
  int height = 0;
  int channels = 0;

  ImageView View() const { return {pixels.data(), width, height, channels}; }
};

// A part of the resized image, in its pixels.
struct Window {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
};

// Pillow's image.resize((width, height), interpolation).crop(window), of which only the pixels
// inside the window are computed. `source` has 1 or 4 channels, each resized by itself (alpha is
// not premultiplied: Pillow's convert("RGB") drops it). The window must lie inside width x height.
Image Resize(const ImageView& source, int width, int height, Interpolation interpolation,
             const Window& window);

// The same without a window: the whole resized image.
Image Resize(const ImageView& source, int width, int height, Interpolation interpolation);

}  // namespace ptq::image
