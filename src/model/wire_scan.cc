#include "model/wire_scan.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "base/error.h"
#include "model/byte_window.h"
#include "model/external_data.h"
#include "model/file_kind.h"
#include "model/tensor_store.h"
#include "model/wire_format.h"

namespace ptq {
namespace {

using wire::Message;

constexpr uint64_t kTypedLiftLimit = 1 << 20;
constexpr uint64_t kLargestMessage = uint64_t{1}
                                     << 40;  // a longer one is no length but other bytes

class Scanner {
 public:
  explicit Scanner(Files* files) : in_(files) {}

  std::string Scan() {
    if (in_.size() == 0) throw Error(ErrorCode::kTruncatedModel, "The model file is empty.");
    std::string out;
    ScanMessage(Message::kModel, in_.size(), &out);
    return out;
  }

 private:
  [[noreturn]] void Fail(const std::string& what) const {
    std::string where = " at byte " + std::to_string(in_.position());
    for (size_t i = 0; i < path_.size(); ++i) where += (i == 0 ? ", inside " : ".") + path_[i];
    throw Error(ErrorCode::kInvalidModel, Text("Not a valid ONNX model: ") + what + where + ".")
        .WithHint("Check that it is a complete ONNX file in the binary format (.onnx).");
  }

  [[noreturn]] void FailTruncated(uint64_t missing) const {
    std::string where;
    for (const std::string& name : path_) where += (where.empty() ? "" : ".") + name;
    throw Error(ErrorCode::kTruncatedModel,
                Text("The model file ends inside ") + (where.empty() ? "the model" : where) +
                    ": at least " + std::to_string(missing) + " bytes are missing.")
        .WithHint("The file was cut short, as by a download that broke off: fetch it again.");
  }

  // A varint that ends before `end`.
  uint64_t Varint(uint64_t end) {
    uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      if (in_.position() >= end) {
        if (end == in_.size()) FailTruncated(1);
        Fail("a number runs past the end of its message");
      }
      const uint8_t byte = in_.Next();
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    Fail("a number is longer than 10 bytes");
  }

  // Checks that `count` bytes are left before `end`. Only messages of the top level can reach past
  // the file's end: the others were checked against their parent.
  void Require(uint64_t count, uint64_t end, const char* name) {
    if (count <= end - in_.position()) return;
    if (*name == '\0' || count > kLargestMessage)
      Fail("a length reaches past the end of its message");
    path_.push_back(name);
    FailTruncated(count - (end - in_.position()));
  }

  // Copies one field that is kept as it is; `tag` has been read.
  void CopyField(uint64_t tag, uint64_t end, int depth, const char* name, std::string* out) {
    wire::AppendVarint(out, tag);
    switch (tag & 7) {
      case wire::kVarint:
        wire::AppendVarint(out, Varint(end));
        break;
      case wire::kFixed64:
      case wire::kFixed32: {
        const uint64_t size = (tag & 7) == wire::kFixed64 ? 8 : 4;
        Require(size, end, name);
        in_.Copy(size, out);
        break;
      }
      case wire::kBytes: {
        const uint64_t length = Varint(end);
        Require(length, end, name);
        wire::AppendVarint(out, length);
        in_.Copy(length, out);
        break;
      }
      case wire::kStartGroup:
        if (depth >= wire::kMaxDepth) Fail("messages are nested too deeply");
        for (;;) {
          const uint64_t inner = Tag(end);
          if ((inner & 7) != wire::kEndGroup) {
            CopyField(inner, end, depth + 1, "", out);
            continue;
          }
          if (inner >> 3 != tag >> 3) Fail("a group ends that did not begin");
          wire::AppendVarint(out, inner);
          break;
        }
        break;
      default:
        Fail("an unknown kind of field");
    }
    if (out->size() > std::numeric_limits<int32_t>::max()) FailTooLarge();
  }

  [[noreturn]] static void FailTooLarge() {
    throw Error(ErrorCode::kUnsupportedModel,
                "The graph without its weights is larger than 2 GiB.");
  }

  uint64_t Tag(uint64_t end) {
    const uint64_t tag = Varint(end);
    if (tag >> 3 == 0 || tag >> 32 != 0) Fail("a field number is out of range");
    return tag;
  }

  void ScanMessage(Message message, uint64_t end, std::string* out) {
    while (in_.position() < end) {
      const uint64_t tag = Tag(end);
      const uint32_t field = static_cast<uint32_t>(tag >> 3);
      const wire::Child child = wire::ChildOf(message, field);
      const bool top = message == Message::kModel;
      if (top) CheckTopLevel(tag);
      if (child.message == Message::kOther || (tag & 7) != wire::kBytes) {
        CopyField(tag, end, static_cast<int>(path_.size()), top ? "the model's header" : "", out);
        continue;
      }
      const uint64_t length = Varint(end);
      Require(length, end, top ? child.name : "");
      if (path_.size() >= wire::kMaxDepth) Fail("messages are nested too deeply");
      path_.push_back(child.name);
      std::string body;
      if (child.message == Message::kTensor) {
        ScanTensor(in_.position() + length, &body);
      } else {
        ScanMessage(child.message, in_.position() + length, &body);
      }
      path_.pop_back();
      wire::AppendBytesHeader(out, field, body.size());
      *out += body;
      if (out->size() > std::numeric_limits<int32_t>::max()) FailTooLarge();
    }
  }

  // Other files' bytes often happen to be valid protobuf for a while; a ModelProto's fields are
  // known, so the first that is none ends it. Fields above 26 may come with a newer ONNX.
  void CheckTopLevel(uint64_t tag) {
    const uint64_t field = tag >> 3;
    const bool number = field == 1 || field == 5;
    const bool bytes = field == 2 || field == 3 || field == 4 || field == 6 || field == 7 ||
                       field == 8 || field == 14 || field == 20 || field == 25 || field == 26;
    if ((number && (tag & 7) == wire::kVarint) || (bytes && (tag & 7) == wire::kBytes)) return;
    if (number || bytes || field < 20) Fail("a field that no model has");
  }

  void ScanTensor(uint64_t end, std::string* out) {
    struct Range {
      uint64_t offset = 0;
      uint64_t length = 0;
    };
    int32_t data_type = 0;
    int rank = 0;
    bool external = false, has_raw = false, raw_lifted = false, typed_lifted = false;
    Range raw, typed;
    std::string raw_bytes;         // raw_data that is or may be kept
    std::string external_entries;  // external_data and data_location as they are
    const int depth = static_cast<int>(path_.size());

    while (in_.position() < end) {
      const uint64_t tag = Tag(end);
      const bool is_bytes = (tag & 7) == wire::kBytes;
      switch (tag >> 3) {
        case wire::kDims:
          rank += is_bytes ? CopyPackedDims(tag, end, out) : 1;
          if (!is_bytes) CopyField(tag, end, depth, "", out);
          break;
        case wire::kDataType:
          if ((tag & 7) != wire::kVarint) {
            CopyField(tag, end, depth, "", out);
            break;
          }
          data_type = static_cast<int32_t>(Varint(end));
          wire::AppendVarint(out, tag);
          wire::AppendVarint(out, static_cast<uint64_t>(static_cast<int64_t>(data_type)));
          break;
        case wire::kDataLocation:
          if ((tag & 7) == wire::kVarint) {
            const uint64_t value = Varint(end);
            external = value == 1;
            wire::AppendVarint(&external_entries, tag);
            wire::AppendVarint(&external_entries, value);
            break;
          }
          [[fallthrough]];
        case wire::kExternalData:
          CopyField(tag, end, depth, "", &external_entries);
          break;
        case wire::kRawData: {
          if (!is_bytes) {
            CopyField(tag, end, depth, "", out);
            break;
          }
          raw.length = Varint(end);
          Require(raw.length, end, "");
          raw.offset = in_.position();
          has_raw = true;
          // Protobuf: the last of a repeated singular field counts.
          raw_bytes.clear();
          const bool maybe_shape =
              raw.length <= kShapeInlineLimit && (data_type == 0 || IsShapeLike(data_type, rank));
          raw_lifted = raw.length >= kInlineLimit && !maybe_shape;
          if (raw_lifted) {
            in_.Skip(raw.length);
          } else {
            in_.Copy(raw.length, &raw_bytes);
          }
          break;
        }
        case wire::kFloatData:
        case wire::kDoubleData: {
          const int32_t type =
              tag >> 3 == wire::kFloatData ? onnx::TensorProto::FLOAT : onnx::TensorProto::DOUBLE;
          if (!is_bytes || data_type != type) {
            CopyField(tag, end, depth, "", out);
            break;
          }
          const uint64_t length = Varint(end);
          Require(length, end, "");
          if (typed_lifted) Fail("a large tensor's data is split over several fields");
          if (length >= kTypedLiftLimit) {
            typed = {in_.position(), length};
            typed_lifted = true;
            in_.Skip(length);
          } else {
            wire::AppendVarint(out, tag);
            wire::AppendVarint(out, length);
            in_.Copy(length, out);
          }
          break;
        }
        default:
          CopyField(tag, end, depth, "", out);
      }
    }

    if (external) {  // inline data beside it does not count (onnx.external_data_helper)
      *out += external_entries;
      return;
    }
    if (has_raw) {
      // Where the type came after the data, it is known only now.
      if (raw_lifted || (raw.length >= kInlineLimit && !IsShapeLike(data_type, rank))) {
        wire::AppendExternal(out, kModelFile, raw.offset, raw.length);
      } else {
        wire::AppendBytes(out, wire::kRawData, raw_bytes);
      }
      return;
    }
    if (typed_lifted) {
      wire::AppendExternal(out, kModelFile, typed.offset, typed.length);
    }
  }

  // Packed dims: the rank is the number of varints.
  int CopyPackedDims(uint64_t tag, uint64_t end, std::string* out) {
    const uint64_t length = Varint(end);
    Require(length, end, "");
    const size_t begin = out->size();
    std::string bytes;
    in_.Copy(length, &bytes);
    wire::AppendVarint(out, tag);
    wire::AppendVarint(out, length);
    out->append(bytes);
    if (out->size() - begin > std::numeric_limits<int32_t>::max()) FailTooLarge();
    return static_cast<int>(std::count_if(bytes.begin(), bytes.end(), [](char byte) {
      return (static_cast<uint8_t>(byte) & 0x80) == 0;
    }));
  }

  ByteWindow in_;
  std::vector<std::string> path_;
};

FileKind KindOfModelFile(Files* files) {
  uint8_t head[64];
  const auto size = static_cast<size_t>(std::min<uint64_t>(files->Size(kModelFile), sizeof(head)));
  const std::span<uint8_t> start(head, size);
  files->Read(kModelFile, 0, start);
  return GuessFileKind(start);
}

}  // namespace

std::string ScanModelFile(Files* files) {
  try {
    return Scanner(files).Scan();
  } catch (const Error& error) {
    const bool bytes_are_wrong =
        error.code() == ErrorCode::kInvalidModel || error.code() == ErrorCode::kTruncatedModel;
    if (!bytes_are_wrong || files->Size(kModelFile) == 0) throw;
    const FileKind kind = KindOfModelFile(files);
    if (kind.name.empty()) throw;
    throw Error(ErrorCode::kInvalidModel,
                Text("The file is not an ONNX model but ") + kind.name + ".")
        .WithHint(kind.hint);
  }
}

}  // namespace ptq
