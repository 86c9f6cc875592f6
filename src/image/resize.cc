// Separable: along the rows and along the columns, each pass rounded to 8 bits (as Pillow does, so
// that the bits agree). Both inner loops work on 4 or 16 bytes at a time through the
// compilers' vector extension, which becomes wasm SIMD as well as SSE/NEON.
#include "image/resize.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "image/resample_filter.h"

namespace ptq::image {
namespace {

using U8x4 = uint8_t __attribute__((vector_size(4)));
using I32x4 = int32_t __attribute__((vector_size(16)));
using U8x16 = uint8_t __attribute__((vector_size(16)));
using I32x16 = int32_t __attribute__((vector_size(64)));

constexpr int32_t kHalf = 1 << (kPrecisionBits - 1);

uint8_t ToByte(int32_t sum) {
  return static_cast<uint8_t>(std::clamp(sum >> kPrecisionBits, 0, 255));
}

template <typename Bytes, typename Ints>
Bytes ToBytes(const Ints& accumulated) {
  Ints sum = accumulated;
  sum >>= kPrecisionBits;
  sum &= ~(sum >> 31);                        // negative: 0
  sum |= -(sum > 255 ? Ints{} + 1 : Ints{});  // above 255: all bits set, so the low byte is 255
  return __builtin_convertvector(sum, Bytes);
}

// One row of 4-channel pixels, the first of which is number `origin` of the axis.
void FilterRow4(const uint8_t* row, const AxisFilter& axis, int origin, uint8_t* out) {
  const int outputs = static_cast<int>(axis.first.size());
  for (int i = 0; i < outputs; ++i) {
    const uint8_t* in = row + static_cast<size_t>(axis.first[i] - origin) * 4;
    const int32_t* weights = &axis.weights[static_cast<size_t>(i) * axis.stride];
    I32x4 sum = I32x4{} + kHalf;
    for (int k = 0; k < axis.count[i]; ++k) {
      U8x4 pixel;
      std::memcpy(&pixel, in + k * 4, 4);
      sum += __builtin_convertvector(pixel, I32x4) * weights[k];
    }
    const U8x4 bytes = ToBytes<U8x4>(sum);
    std::memcpy(out + static_cast<size_t>(i) * 4, &bytes, 4);
  }
}

void FilterRow1(const uint8_t* row, const AxisFilter& axis, int origin, uint8_t* out) {
  const int outputs = static_cast<int>(axis.first.size());
  for (int i = 0; i < outputs; ++i) {
    const uint8_t* in = row + axis.first[i] - origin;
    const int32_t* weights = &axis.weights[static_cast<size_t>(i) * axis.stride];
    int32_t sum = kHalf;
    for (int k = 0; k < axis.count[i]; ++k) sum += in[k] * weights[k];
    out[i] = ToByte(sum);
  }
}

// One output row of `bytes` bytes from `count` input rows, `stride` bytes apart.
void FilterColumns(const uint8_t* rows, size_t stride, size_t bytes, int count,
                   const int32_t* weights, uint8_t* out) {
  size_t x = 0;
  for (; x + 16 <= bytes; x += 16) {
    I32x16 sum = I32x16{} + kHalf;
    for (int k = 0; k < count; ++k) {
      U8x16 pixels;
      std::memcpy(&pixels, rows + k * stride + x, 16);
      sum += __builtin_convertvector(pixels, I32x16) * weights[k];
    }
    const U8x16 result = ToBytes<U8x16>(sum);
    std::memcpy(out + x, &result, 16);
  }
  for (; x < bytes; ++x) {
    int32_t sum = kHalf;
    for (int k = 0; k < count; ++k) sum += rows[k * stride + x] * weights[k];
    out[x] = ToByte(sum);
  }
}

Image MakeImage(int width, int height, int channels) {
  Image image{{}, width, height, channels};
  image.pixels.resize(static_cast<size_t>(width) * height * channels);
  return image;
}

// One axis of the window: which input pixels it needs, and how they are weighted where the size
// changes (Pillow leaves an axis of the same size alone).
struct Axis {
  bool resized;
  int begin;
  int size;
  AxisFilter filter;
};

Axis MakeAxis(int in_size, int out_size, int begin, int count, Interpolation interpolation) {
  if (in_size == out_size) return {false, begin, count, {}};
  AxisFilter filter = MakeAxisFilter(in_size, out_size, begin, begin + count, interpolation);
  const int first = filter.first.front();
  const int last = filter.first.back() + filter.count.back();
  return {true, first, last - first, std::move(filter)};
}

// The rows [y, y + height) of `in`, each resized to `width`. Column 0 of `in` is the input pixel
// `origin` of the axis.
Image RowPass(const ImageView& in, const Axis& axis, int origin, int width, int y, int height) {
  Image out = MakeImage(width, height, in.channels);
  const size_t in_stride = static_cast<size_t>(in.width) * in.channels;
  const size_t out_stride = static_cast<size_t>(width) * in.channels;
  const auto filter_row = in.channels == 4 ? FilterRow4 : FilterRow1;
  const uint8_t* from = in.pixels + y * in_stride;
  uint8_t* to = out.pixels.data();
  for (int i = 0; i < height; ++i, from += in_stride, to += out_stride) {
    if (axis.resized) {
      filter_row(from, axis.filter, origin, to);
    } else {
      std::memcpy(to, from + static_cast<size_t>(axis.begin - origin) * in.channels, out_stride);
    }
  }
  return out;
}

// The columns [x, x + width) of `in`, resized to `height`. Row 0 of `in` is the input pixel
// `origin` of the axis.
Image ColumnPass(const ImageView& in, const Axis& axis, int origin, int height, int x, int width) {
  Image out = MakeImage(width, height, in.channels);
  const size_t in_stride = static_cast<size_t>(in.width) * in.channels;
  const size_t out_stride = static_cast<size_t>(width) * in.channels;
  const uint8_t* corner = in.pixels + static_cast<size_t>(x) * in.channels;
  uint8_t* to = out.pixels.data();
  for (int i = 0; i < height; ++i, to += out_stride) {
    if (axis.resized) {
      FilterColumns(corner + (axis.filter.first[i] - origin) * in_stride, in_stride, out_stride,
                    axis.filter.count[i],
                    &axis.filter.weights[static_cast<size_t>(i) * axis.filter.stride], to);
    } else {
      std::memcpy(to, corner + (axis.begin - origin + i) * in_stride, out_stride);
    }
  }
  return out;
}

// Input index of each output in [begin, end); -1 where it falls outside. The position is summed up
// step by step, as in Pillow's ImagingScaleAffine: a product would round differently.
std::vector<int> NearestIndices(int in_size, int out_size, int begin, int end) {
  const double step = static_cast<double>(in_size) / out_size;
  std::vector<int> indices;
  indices.reserve(end - begin);
  double position = step * 0.5;
  for (int i = 0; i < end; ++i, position += step) {
    if (i < begin) continue;
    const int index = static_cast<int>(position);
    indices.push_back(index < in_size ? index : -1);
  }
  return indices;
}

Image ResizeNearest(const ImageView& source, int width, int height, const Window& window) {
  const int channels = source.channels;
  const std::vector<int> xs =
      NearestIndices(source.width, width, window.x, window.x + window.width);
  const std::vector<int> ys =
      NearestIndices(source.height, height, window.y, window.y + window.height);
  Image out = MakeImage(window.width, window.height, channels);
  uint8_t* to = out.pixels.data();
  for (int y : ys) {
    const uint8_t* row =
        source.pixels + static_cast<size_t>(std::max(y, 0)) * source.width * channels;
    for (int x : xs) {
      if (x >= 0 && y >= 0) std::memcpy(to, row + static_cast<size_t>(x) * channels, channels);
      to += channels;
    }
  }
  return out;
}

}  // namespace

Image Resize(const ImageView& source, int width, int height, Interpolation interpolation,
             const Window& window) {
  if (source.width < 1 || source.height < 1 || (source.channels != 1 && source.channels != 4) ||
      window.x < 0 || window.y < 0 || window.width < 1 || window.height < 1 ||
      window.width > width - window.x || window.height > height - window.y) {
    throw Error(ErrorCode::kInternal, "resize: sizes out of range");
  }
  if (interpolation == Interpolation::kNearest) {
    return ResizeNearest(source, width, height, window);
  }
  const Axis x = MakeAxis(source.width, width, window.x, window.width, interpolation);
  const Axis y = MakeAxis(source.height, height, window.y, window.height, interpolation);
  // The order of the passes shows in the last bit. This is Pillow 13's rule; up to 12 the rows
  // always came first, which differs only where an image is squeezed or enlarged unevenly.
  const bool columns_first =
      height < source.height && source.height - height > (int64_t{source.width} - width) * 2;
  if (columns_first) {
    const Image low = ColumnPass(source, y, 0, window.height, x.begin, x.size);
    return RowPass(low.View(), x, x.begin, window.width, 0, window.height);
  }
  const Image narrow = RowPass(source, x, 0, window.width, y.begin, y.size);
  return ColumnPass(narrow.View(), y, y.begin, window.height, 0, window.width);
}

Image Resize(const ImageView& source, int width, int height, Interpolation interpolation) {
  return Resize(source, width, height, interpolation, {0, 0, width, height});
}

}  // namespace ptq::image
