// preprocessImage() of bindings/js/wasm/ptq_core.d.mts: the image part of the Embind module.
#include <emscripten/bind.h>

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "base/error.h"
#include "image/preprocess.h"
#include "throw_error.h"

namespace {

using nlohmann::json;
using ptq::image::PreprocessSpec;

// Spellings of PreprocessSpec in bindings/js/samples/images/preprocess.ts, which has checked them
// already; an unknown one here is a bug.
template <typename Value, size_t kCount>
Value Named(const json& spec, const char* key,
            const std::pair<const char*, Value> (&names)[kCount]) {
  const std::string& name = spec.at(key).get_ref<const std::string&>();
  for (const auto& [spelling, value] : names) {
    if (name == spelling) return value;
  }
  throw ptq::Error(ptq::ErrorCode::kInternal,
                   "preprocess: unknown " + std::string(key) + " '" + name + "'");
}

PreprocessSpec ParseSpec(const std::string& text) {
  using namespace ptq::image;
  PreprocessSpec spec;
  try {
    const json value = json::parse(text);
    spec.fit = Named<Fit>(value, "mode",
                          {{"none", Fit::kNone},
                           {"stretch", Fit::kStretch},
                           {"center", Fit::kCenter},
                           {"letterbox", Fit::kLetterbox}});
    spec.layout =
        Named<Layout>(value, "layout", {{"NCHW", Layout::kNchw}, {"NHWC", Layout::kNhwc}});
    spec.order = Named<ChannelOrder>(value, "order",
                                     {{"RGB", ChannelOrder::kRgb},
                                      {"BGR", ChannelOrder::kBgr},
                                      {"RGBA", ChannelOrder::kRgba},
                                      {"Y", ChannelOrder::kY}});
    spec.interpolation = Named<Interpolation>(value, "interpolation",
                                              {{"nearest", Interpolation::kNearest},
                                               {"box", Interpolation::kBox},
                                               {"bilinear", Interpolation::kBilinear},
                                               {"hamming", Interpolation::kHamming},
                                               {"bicubic", Interpolation::kBicubic},
                                               {"lanczos", Interpolation::kLanczos}});
    value.at("width").get_to(spec.width);
    value.at("height").get_to(spec.height);
    // Three numbers, or four with alpha.
    for (int i = 0; i < std::max(3, spec.channels()); ++i) {
      spec.mean[i] = value.at("mean").at(i).get<float>();
      spec.std[i] = value.at("std").at(i).get<float>();
    }
    spec.resize_shorter = value.value("resizeShorter", 0);
    spec.scale = value.value("scale", 1.0f);
    spec.pad = value.value("pad", spec.pad);
    spec.pad_around = value.value("align", std::string("top-left")) == "center";
  } catch (const json::exception& error) {
    throw ptq::Error(ptq::ErrorCode::kInternal, std::string("preprocess: ") + error.what());
  }
  return spec;
}

// Pointers are offsets into the heap; JavaScript numbers, since a 32-bit pointer may pass 2^31.
void PreprocessImage(double pixels, int width, int height, int channels, const std::string& spec,
                     double out, double count) {
  ptq::binding::OrThrowToJs([&] {
    const ptq::image::ImageView image{
        reinterpret_cast<const uint8_t*>(static_cast<uintptr_t>(pixels)), width, height, channels};
    ptq::image::Preprocess(image, ParseSpec(spec),
                           reinterpret_cast<float*>(static_cast<uintptr_t>(out)),
                           static_cast<size_t>(count));
  });
}

}  // namespace

EMSCRIPTEN_BINDINGS(ptq_image) { emscripten::function("preprocessImage", &PreprocessImage); }
