// Formulas and evaluation order are those of Pillow's Resample.c (precompute_coeffs and
// normalize_coeffs_8bpc): everything in double, then rounded half away from zero.
#include "image/resample_filter.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace ptq::image {
namespace {

struct Kernel {
  double (*weight)(double x);
  double support;  // the filter is zero from here on, in input pixels when enlarging
};

double Box(double x) { return x > -0.5 && x <= 0.5 ? 1.0 : 0.0; }

double Triangle(double x) {
  x = std::fabs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

double Hamming(double x) {
  x = std::fabs(x);
  if (x == 0.0) return 1.0;
  if (x >= 1.0) return 0.0;
  x *= std::numbers::pi;
  return std::sin(x) / x * (0.54f + 0.46f * std::cos(x));  // single-precision constants, as there
}

double Cubic(double x) {
  constexpr double a = -0.5;
  x = std::fabs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

double Sinc(double x) {
  if (x == 0.0) return 1.0;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

double Lanczos(double x) { return -3.0 <= x && x < 3.0 ? Sinc(x) * Sinc(x / 3) : 0.0; }

Kernel KernelOf(Interpolation filter) {
  switch (filter) {
    case Interpolation::kBox:
      return {Box, 0.5};
    case Interpolation::kHamming:
      return {Hamming, 1.0};
    case Interpolation::kBicubic:
      return {Cubic, 2.0};
    case Interpolation::kLanczos:
      return {Lanczos, 3.0};
    case Interpolation::kBilinear:
    case Interpolation::kNearest:
      break;
  }
  return {Triangle, 1.0};
}

}  // namespace

AxisFilter MakeAxisFilter(int in_size, int out_size, int begin, int end, Interpolation filter) {
  const Kernel kernel = KernelOf(filter);
  const double scale = static_cast<double>(in_size) / out_size;
  const double filter_scale = std::max(scale, 1.0);
  const double support = kernel.support * filter_scale;
  const double inverse = 1.0 / filter_scale;

  AxisFilter axis;
  // Never more taps than the input has pixels, whatever the support.
  axis.stride = std::min(static_cast<int>(std::ceil(support)) * 2 + 1, in_size);
  const int outputs = end - begin;
  axis.first.resize(outputs);
  axis.count.resize(outputs);
  axis.weights.resize(static_cast<size_t>(outputs) * axis.stride);

  std::vector<double> weights(axis.stride);
  for (int i = 0; i < outputs; ++i) {
    const double center = 0.0 + (begin + i + 0.5) * scale;
    const int first = std::max(static_cast<int>(center - support + 0.5), 0);
    const int count = std::min(static_cast<int>(center + support + 0.5), in_size) - first;
    double sum = 0.0;
    for (int k = 0; k < count; ++k) {
      weights[k] = kernel.weight((k + first - center + 0.5) * inverse);
      sum += weights[k];
    }
    int32_t* fixed = &axis.weights[static_cast<size_t>(i) * axis.stride];
    for (int k = 0; k < count; ++k) {
      const double weight = sum != 0.0 ? weights[k] / sum : weights[k];
      fixed[k] = static_cast<int32_t>((weight < 0 ? -0.5 : 0.5) + weight * (1 << kPrecisionBits));
    }
    axis.first[i] = first;
    axis.count[i] = count;
  }
  return axis;
}

}  // namespace ptq::image
