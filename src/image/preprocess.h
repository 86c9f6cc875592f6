// From a decoded image to a model's input tensor: fit, reorder, normalize. One function for Node,
// the browser and the native tests, so that the same image is the same tensor everywhere.
#pragma once

#include <array>
#include <cstddef>

#include "image/resize.h"

namespace ptq::image {

// How an image of any size becomes width x height.
enum class Fit {
  kNone,       // it must have that size already
  kStretch,    // resize, whatever happens to the aspect ratio
  kCenter,     // resize the shorter side to `resize_shorter`, then cut out the centre
  kLetterbox,  // resize to fit inside, then pad
};
enum class Layout { kNchw, kNhwc };
enum class ChannelOrder {
  kRgb,
  kBgr,
  kY,     // one channel, the luma of Pillow's convert("L") (ITU-R 601-2), taken after resizing
  kRgba,  // four channels; an image without alpha is opaque
};

struct PreprocessSpec {
  Fit fit = Fit::kCenter;
  int width = 224;
  int height = 224;
  // kCenter: shorter side before the crop, at least min(width, height); 0 for 256/224 of that, the
  // usual evaluation of ImageNet classifiers (256 for 224).
  int resize_shorter = 0;
  Layout layout = Layout::kNchw;
  ChannelOrder order = ChannelOrder::kRgb;
  // (pixel * scale - mean) / std, in float32, by output channel (so in the order of `order`).
  std::array<float, 4> mean = {0, 0, 0, 0};
  std::array<float, 4> std = {1, 1, 1, 1};
  float scale = 1;
  Interpolation interpolation = Interpolation::kBilinear;
  int pad = 114;            // kLetterbox: the pixel value around the image, 0..255
  bool pad_around = false;  // kLetterbox: image centred; else top left (YOLOX)

  int channels() const {
    return order == ChannelOrder::kY ? 1 : order == ChannelOrder::kRgba ? 4 : 3;
  }
  size_t elements() const { return static_cast<size_t>(width) * height * channels(); }
};

// Writes spec.elements() floats, [channels, height, width] or [height, width, channels]. `image`
// has 1 (grey), 3 (RGB) or 4 channels (RGBA: alpha is dropped, not composited, as Pillow's
// convert("RGB"), but for kRgba, where colours are resized weighed by it, as Pillow does). The
// border of a letterbox is opaque. Throws kInvalidOption for a spec that makes no sense,
// kInvalidData for an image that does not have the size that kNone wants.
void Preprocess(const ImageView& image, const PreprocessSpec& spec, float* out, size_t count);

}  // namespace ptq::image
