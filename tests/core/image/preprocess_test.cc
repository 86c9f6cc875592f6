#include "image/preprocess.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "base/error.h"
#include "image/fixture_file.h"

namespace ptq::image {
namespace {

// The error's code, or kInternal where nothing was thrown (which no test here expects).
ErrorCode CodeOf(const ImageView& image, const PreprocessSpec& spec) {
  std::vector<float> out(spec.width > 0 && spec.height > 0 ? spec.elements() : 0);
  try {
    Preprocess(image, spec, out.data(), out.size());
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorCode::kInternal;
}

TEST(Preprocess, GivesTheTensorsOfPillowAndNumpy) {
  FixtureFile file("preprocess.bin");
  const std::vector<Image> sources = file.Sources();
  const int cases = file.Int();
  ASSERT_GE(cases, 15);
  for (int i = 0; i < cases; ++i) {
    const Image& source = sources.at(file.Int());
    PreprocessSpec spec;
    spec.fit = static_cast<Fit>(file.Int());
    spec.width = file.Int();
    spec.height = file.Int();
    spec.resize_shorter = file.Int();
    spec.layout = static_cast<Layout>(file.Int());
    spec.order = static_cast<ChannelOrder>(file.Int());
    spec.interpolation = static_cast<Interpolation>(file.Int());
    spec.pad = file.Int();
    spec.pad_around = file.Int() != 0;
    const auto numbers = file.Array<float>(7);
    std::copy_n(numbers.begin(), 3, spec.mean.begin());
    std::copy_n(numbers.begin() + 3, 3, spec.std.begin());
    spec.scale = numbers[6];
    const auto expected = file.Array<float>(spec.elements());

    std::vector<float> out(spec.elements(), std::numeric_limits<float>::quiet_NaN());
    Preprocess(source.View(), spec, out.data(), out.size());
    EXPECT_EQ(std::memcmp(out.data(), expected.data(), out.size() * sizeof(float)), 0)
        << "case " << i << ": " << source.channels << " channels, fit "
        << static_cast<int>(spec.fit);
  }
  EXPECT_TRUE(file.AtEnd());
}

TEST(Preprocess, CentreDefaultIsTheShorterSideAt256For224) {
  FixtureFile file("preprocess.bin");
  const Image source = file.Sources().at(0);
  PreprocessSpec spec;
  std::vector<float> by_default(spec.elements());
  std::vector<float> by_256(spec.elements());
  Preprocess(source.View(), spec, by_default.data(), by_default.size());
  spec.resize_shorter = 256;
  Preprocess(source.View(), spec, by_256.data(), by_256.size());
  EXPECT_EQ(by_default, by_256);
}

TEST(Preprocess, CentreOfATargetThatIsNotSquareCoversIt) {
  std::vector<uint8_t> white(60 * 20, 255);
  PreprocessSpec spec;
  spec.width = 16;
  spec.height = 48;
  spec.order = ChannelOrder::kY;
  std::vector<float> out(spec.elements());
  Preprocess({white.data(), 60, 20, 1}, spec, out.data(), out.size());
  EXPECT_EQ(out, std::vector<float>(spec.elements(), 255.0f));
}

// 4 x 2 pixels, and what Pillow 13.0.0 makes of them (mode RGBA): Image.resize.
const std::vector<uint8_t> kRgbaPixels = {200, 100, 50,  255, 10,  20,  30, 0,  255, 255, 255,
                                          128, 0,   200, 7,   64,  1,   2,  3,  4,   90,  80,
                                          70,  60,  5,   250, 125, 200, 17, 34, 51,  68};

std::vector<float> Rgba(const ImageView& image, int width, int height, Interpolation filter,
                        Layout layout = Layout::kNhwc) {
  PreprocessSpec spec;
  spec.fit = Fit::kStretch;
  spec.order = ChannelOrder::kRgba;
  spec.width = width;
  spec.height = height;
  spec.interpolation = filter;
  spec.layout = layout;
  std::vector<float> out(spec.elements());
  Preprocess(image, spec, out.data(), out.size());
  return out;
}

TEST(Preprocess, RgbaIsResizedWeighedByAlphaAsInPillow) {
  const ImageView image{kRgbaPixels.data(), 4, 2, 4};
  const std::vector<float> bilinear = {207, 121, 79, 128, 171, 236, 174, 82,
                                       45,  163, 95, 56,  14,  188, 103, 123};
  const std::vector<float> bicubic = {195, 88, 39, 98, 97, 233, 168, 97, 57, 184, 104, 98};
  EXPECT_EQ(Rgba(image, 2, 2, Interpolation::kBilinear), bilinear);
  EXPECT_EQ(Rgba(image, 3, 1, Interpolation::kBicubic), bicubic);
  // A size that it has already copies it.
  EXPECT_EQ(Rgba(image, 4, 2, Interpolation::kBilinear),
            std::vector<float>(kRgbaPixels.begin(), kRgbaPixels.end()));
}

TEST(Preprocess, WithoutAlphaAnImageIsOpaque) {
  const std::vector<uint8_t> rgb = {1, 2, 3, 4, 5, 6};
  EXPECT_EQ(Rgba({rgb.data(), 2, 1, 3}, 2, 1, Interpolation::kBilinear, Layout::kNchw),
            std::vector<float>({1, 4, 2, 5, 3, 6, 255, 255}));
  const std::vector<uint8_t> grey = {7, 8};
  EXPECT_EQ(Rgba({grey.data(), 2, 1, 1}, 2, 1, Interpolation::kBilinear),
            std::vector<float>({7, 7, 7, 255, 8, 8, 8, 255}));
}

TEST(Preprocess, TheBorderOfALetterboxIsOpaque) {
  const std::vector<uint8_t> pixel = {10, 20, 30, 40};
  PreprocessSpec spec;
  spec.fit = Fit::kLetterbox;
  spec.order = ChannelOrder::kRgba;
  spec.layout = Layout::kNhwc;
  spec.width = 2;
  spec.height = 1;
  std::vector<float> out(spec.elements());
  Preprocess({pixel.data(), 1, 1, 4}, spec, out.data(), out.size());
  EXPECT_EQ(out, std::vector<float>({10, 20, 30, 40, 114, 114, 114, 255}));
}

TEST(Preprocess, VeryThinImagesNeedNoMoreMemoryThanTheWindow) {
  std::vector<uint8_t> line(20000, 9);
  PreprocessSpec spec;  // the whole resized image would be 256 x 5 120 000
  std::vector<float> out(spec.elements());
  Preprocess({line.data(), 1, 20000, 1}, spec, out.data(), out.size());
  EXPECT_EQ(out, std::vector<float>(spec.elements(), 9.0f));
}

TEST(Preprocess, ModeNoneNamesBothSizes) {
  const std::vector<uint8_t> pixels(6, 0);
  PreprocessSpec spec;
  spec.fit = Fit::kNone;
  std::vector<float> out(spec.elements());
  try {
    Preprocess({pixels.data(), 3, 2, 1}, spec, out.data(), out.size());
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidData);
    EXPECT_NE(error.message().str().find("3x2"), std::string::npos);
    EXPECT_NE(error.message().str().find("224x224"), std::string::npos);
  }
}

TEST(Preprocess, SpecsThatMakeNoSenseAreRefused) {
  const std::vector<uint8_t> pixels(12, 0);
  const ImageView image{pixels.data(), 2, 2, 3};
  PreprocessSpec spec;
  spec.std[1] = 0;
  EXPECT_EQ(CodeOf(image, spec), ErrorCode::kInvalidOption);
  spec = {};
  spec.resize_shorter = 100;
  EXPECT_EQ(CodeOf(image, spec), ErrorCode::kInvalidOption);
  spec = {};
  spec.width = 0;
  EXPECT_EQ(CodeOf(image, spec), ErrorCode::kInvalidOption);
  spec = {};
  spec.pad = 256;
  EXPECT_EQ(CodeOf(image, spec), ErrorCode::kInvalidOption);
  EXPECT_EQ(CodeOf({pixels.data(), 2, 3, 2}, PreprocessSpec{}), ErrorCode::kInvalidData);
}

}  // namespace
}  // namespace ptq::image
