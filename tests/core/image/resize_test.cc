#include "image/resize.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "base/error.h"
#include "image/fixture_file.h"

namespace ptq::image {
namespace {

Image WithChannel(const Image& rgb) {
  Image out{{}, rgb.width, rgb.height, 4};
  for (size_t i = 0; i < rgb.pixels.size(); i += 3) {
    out.pixels.insert(out.pixels.end(), {rgb.pixels[i], rgb.pixels[i + 1], rgb.pixels[i + 2], 7});
  }
  return out;
}

std::vector<uint8_t> WithoutChannel(const Image& rgba) {
  std::vector<uint8_t> out;
  for (size_t i = 0; i < rgba.pixels.size(); ++i) {
    if (i % 4 != 3) out.push_back(rgba.pixels[i]);
  }
  return out;
}

TEST(Resize, GivesThePixelsOfPillow) {
  FixtureFile file("resize.bin");
  const std::vector<Image> sources = file.Sources();
  const int cases = file.Int();
  ASSERT_GE(cases, 6 * 12);
  for (int i = 0; i < cases; ++i) {
    const auto filter = static_cast<Interpolation>(file.Int());
    const Image& source = sources.at(file.Int());
    const int width = file.Int();
    const int height = file.Int();
    const auto expected = file.Array<uint8_t>(size_t{1} * width * height * source.channels);
    SCOPED_TRACE(testing::Message() << "filter " << static_cast<int>(filter) << ", " << source.width
                                    << "x" << source.height << " to " << width << "x" << height);
    if (source.channels == 1) {
      EXPECT_TRUE(Resize(source.View(), width, height, filter).pixels == expected);
    } else {
      const Image wide = WithChannel(source);
      const Image resized = Resize(wide.View(), width, height, filter);
      EXPECT_TRUE(WithoutChannel(resized) == expected);
      EXPECT_EQ(resized.pixels[3], 7) << "a constant channel must stay as it is";
    }
  }
  EXPECT_TRUE(file.AtEnd());
}

TEST(Resize, WindowIsTheSamePartOfTheWholeImage) {
  FixtureFile file("resize.bin");
  const Image source = WithChannel(file.Sources().at(1));
  const Window window{5, 3, 11, 17};
  for (const auto filter : {Interpolation::kNearest, Interpolation::kBilinear,
                            Interpolation::kBicubic, Interpolation::kLanczos}) {
    for (const auto& [width, height] : {std::pair{40, 22}, {31, 60}, {20, 47}, {31, 47}}) {
      const Image whole = Resize(source.View(), width, height, filter);
      const Image part = Resize(source.View(), width, height, filter, window);
      ASSERT_EQ(part.width, window.width);
      ASSERT_EQ(part.height, window.height);
      for (int y = 0; y < window.height; ++y) {
        for (int x = 0; x < window.width * 4; ++x) {
          ASSERT_EQ(part.pixels[y * window.width * 4 + x],
                    whole.pixels[((window.y + y) * width + window.x) * 4 + x])
              << "at " << x << ", " << y;
        }
      }
    }
  }
}

TEST(Resize, WindowOutsideTheImageIsRefused) {
  const std::vector<uint8_t> pixel = {1};
  const ImageView view{pixel.data(), 1, 1, 1};
  EXPECT_THROW(Resize(view, 4, 4, Interpolation::kBilinear, {2, 0, 3, 1}), Error);
  EXPECT_THROW(Resize(view, 4, 4, Interpolation::kNearest, {0, -1, 1, 1}), Error);
  EXPECT_THROW(Resize(view, 0, 4, Interpolation::kBilinear), Error);
}

}  // namespace
}  // namespace ptq::image
