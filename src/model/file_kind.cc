#include "model/file_kind.h"

#include <algorithm>
#include <string_view>

namespace ptq {
namespace {

using std::string_view_literals::operator""sv;

struct Magic {
  size_t offset;
  std::string_view bytes;
  const char* name;
  const char* hint;
};

constexpr char kConvert[] = "Export the model to ONNX first.";
constexpr char kUnpack[] = "Unpack it and give the .onnx file inside.";

constexpr Magic kMagics[] = {
    {0, "version https://git-lfs"sv, "a Git LFS pointer, not the file itself",
     "Fetch the real file with \"git lfs pull\", or download it."},
    {0, "\xFF\xD8\xFF"sv, "a JPEG image", "Give images as calibration data, not as the model."},
    {0, "\x89PNG\r\n"sv, "a PNG image", "Give images as calibration data, not as the model."},
    {0, "PK\x03\x04"sv, "a zip archive (a PyTorch checkpoint, .npz or .zip)",
     "Unpack it where it holds a .onnx file; a PyTorch model has to be exported to ONNX."},
    {0, "\x1F\x8B"sv, "a gzip archive", kUnpack},
    {0, "BZh"sv, "a bzip2 archive", kUnpack},
    {0, "7z\xBC\xAF"sv, "a 7-Zip archive", kUnpack},
    {0, "\x93NUMPY"sv, "a NumPy array", "Give arrays as calibration data, not as the model."},
    {0, "\x89HDF"sv, "an HDF5 file (a Keras model)", kConvert},
    {0, "\x80\x02"sv, "a Python pickle (a PyTorch checkpoint)", kConvert},
    {0, "GGUF"sv, "a GGUF model", kConvert},
    {0, "\0asm"sv, "a WebAssembly module", ""},
    {0,
     "\x7F"
     "ELF"sv,
     "a program", ""},
    {0, "%PDF"sv, "a PDF document", ""},
    {4, "TFL3"sv, "a TensorFlow Lite model", kConvert},
    {4, "ORTM"sv, "a model in onnxruntime's own format (.ort)",
     "Give the .onnx file that it was made from."},
};

bool IsText(std::span<const uint8_t> head) {
  return std::all_of(head.begin(), head.end(), [](uint8_t byte) {
    return byte == '\t' || byte == '\n' || byte == '\r' || (byte >= 0x20 && byte != 0x7F);
  });
}

}  // namespace

FileKind GuessFileKind(std::span<const uint8_t> head) {
  const std::string_view text(reinterpret_cast<const char*>(head.data()), head.size());
  for (const Magic& magic : kMagics) {
    if (text.size() > magic.offset && text.substr(magic.offset).starts_with(magic.bytes)) {
      return {magic.name, magic.hint};
    }
  }
  if (head.size() < 4 || !IsText(head)) return {};
  const size_t begin = std::min(text.find_first_not_of(" \t\r\n"), text.size());
  const std::string_view start = text.substr(begin);
  if (start.starts_with("<!") || start.starts_with("<html")) {
    return {"a web page", "The download probably failed: download the model file itself."};
  }
  if (start.starts_with("{") || start.starts_with("[")) return {"a JSON or text file", ""};
  if (start.starts_with("<"))
    return {"a text file (XML or ONNX text)", "Give a binary .onnx file."};
  return {"a text file", "Give a binary .onnx file."};
}

}  // namespace ptq
