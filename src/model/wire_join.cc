#include "model/wire_join.h"

#include <optional>
#include <utility>

#include "base/error.h"
#include "model/external_data.h"
#include "model/wire_format.h"

namespace ptq {
namespace {

using wire::Message;

// Large tensors start at a page, so that they can be memory-mapped (onnx-ml.proto, external_data);
// small ones only at a multiple of 16, which suits every element type and wastes nothing.
constexpr uint64_t kPage = 4096;
constexpr uint64_t kPageFrom = 64 * 1024;
constexpr uint64_t kElementAlignment = 16;

struct Field {
  uint32_t number = 0;
  wire::WireType type = wire::kVarint;
  std::string_view whole;  // tag included
  std::string_view body;   // of kBytes
};

// Fields of a message that protobuf wrote, one by one.
class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes) : bytes_(bytes) {}

  std::optional<Field> Next() {
    if (at_ == bytes_.size()) return std::nullopt;
    const size_t begin = at_;
    const uint64_t tag = Varint();
    Field field;
    field.number = static_cast<uint32_t>(tag >> 3);
    field.type = static_cast<wire::WireType>(tag & 7);
    SkipValue(tag, &field.body);
    field.whole = bytes_.substr(begin, at_ - begin);
    return field;
  }

 private:
  uint64_t Varint() {
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<uint8_t>(bytes_[Advance(1)]);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if ((byte & 0x80) == 0) return value;
    }
  }

  void SkipValue(uint64_t tag, std::string_view* body) {
    switch (tag & 7) {
      case wire::kVarint:
        Varint();
        break;
      case wire::kFixed64:
        Advance(8);
        break;
      case wire::kFixed32:
        Advance(4);
        break;
      case wire::kBytes: {
        const uint64_t length = Varint();
        *body = bytes_.substr(Advance(length), length);
        break;
      }
      case wire::kStartGroup:
        for (uint64_t inner = Varint(); (inner & 7) != wire::kEndGroup; inner = Varint()) {
          SkipValue(inner, body);
        }
        break;
      default:
        throw Error(ErrorCode::kInternal, "The serialized model is malformed.");
    }
  }

  // Steps over `count` bytes and returns where they begin.
  size_t Advance(uint64_t count) {
    if (count > bytes_.size() - at_) {
      throw Error(ErrorCode::kInternal, "The serialized model is malformed.");
    }
    return std::exchange(at_, at_ + count);
  }

  std::string_view bytes_;
  size_t at_ = 0;
};

class Joiner {
 public:
  explicit Joiner(const ExternalFiles& external) : external_(external) {}

  JoinResult Join(std::string_view model) {
    result_.model_size = JoinMessage(Message::kModel, model);
    return std::move(result_);
  }

 private:
  // Appends the message's pieces and returns their length.
  uint64_t JoinMessage(Message message, std::string_view bytes) {
    uint64_t length = 0;
    FieldReader fields(bytes);
    while (const std::optional<Field> field = fields.Next()) {
      const wire::Child child = wire::ChildOf(message, field->number);
      if (child.message == Message::kOther || field->type != wire::kBytes) {
        length += Keep(field->whole);
        continue;
      }
      // The header comes first but is known last: leave a place for it.
      const size_t header = result_.model.size();
      result_.model.emplace_back();
      const uint64_t body = child.message == Message::kTensor
                                ? JoinTensor(field->body)
                                : JoinMessage(child.message, field->body);
      if (IsUntouched(header, body, field->body.size())) {
        result_.model.resize(header);
        length += Keep(field->whole);
        continue;
      }
      Piece& piece = result_.model[header];
      wire::AppendBytesHeader(&piece.made, field->number, body);
      piece.length = piece.made.size();
      length += piece.length + body;
    }
    return length;
  }

  // Whether what follows the header is nothing but the message as it was: then it needs no pieces
  // of its own, and a graph of many small nodes stays one piece.
  bool IsUntouched(size_t header, uint64_t length, uint64_t before) const {
    if (length != before) return false;
    const size_t pieces = result_.model.size() - header - 1;
    return pieces == 0 || (pieces == 1 && result_.model.back().kept.size() == length);
  }

  uint64_t JoinTensor(std::string_view bytes) {
    onnx::TensorProto reference;  // of external_data and data_location only
    std::string_view raw;
    FieldReader first(bytes);
    while (const std::optional<Field> field = first.Next()) {
      const bool wanted =
          field->number == wire::kExternalData || field->number == wire::kDataLocation;
      if (field->number == wire::kRawData) raw = field->body;
      if (!wanted) continue;
      onnx::TensorProto part;
      part.ParseFromArray(field->whole.data(), static_cast<int>(field->whole.size()));
      reference.MergeFrom(part);
    }
    const bool referred = IsExternal(reference);
    if (!referred && !GoesOut(raw.size())) return Keep(bytes);

    Piece data;
    data.kept = raw;
    data.length = raw.size();
    if (referred) {
      const ExternalRange range = ExternalRangeOf(reference);
      data.kept = {};
      data.location = range.location;
      data.offset = range.offset;
      data.length = range.length.value_or(0);
    }
    const bool external = GoesOut(data.length);
    const uint32_t place = external ? wire::kExternalData : wire::kRawData;

    // Fields below the data's own, the data, the rest: ascending, as protobuf writes them.
    uint64_t length = 0;
    bool placed = false;
    FieldReader second(bytes);
    while (const std::optional<Field> field = second.Next()) {
      if (field->number == wire::kRawData || field->number == wire::kExternalData ||
          field->number == wire::kDataLocation) {
        continue;
      }
      if (!placed && field->number > place) {
        length += external ? PlaceExternal(data) : PlaceInline(data);
        placed = true;
      }
      length += Keep(field->whole);
    }
    if (!placed) length += external ? PlaceExternal(data) : PlaceInline(data);
    return length;
  }

  bool GoesOut(uint64_t length) const {
    return !external_.location.empty() && length > 0 && length >= external_.threshold;
  }

  // The file for the next tensor.
  ExternalFile& NextFile() {
    std::vector<ExternalFile>& files = result_.external;
    if (files.empty() || external_.file_per_tensor) {
      files.emplace_back();
      if (external_.file_per_tensor) files.back().suffix = "." + std::to_string(files.size());
    }
    return files.back();
  }

  uint64_t PlaceInline(const Piece& data) {
    Piece header;
    wire::AppendBytesHeader(&header.made, wire::kRawData, data.length);
    header.length = header.made.size();
    const uint64_t length = header.length + data.length;
    result_.model.push_back(std::move(header));
    result_.model.push_back(data);
    return length;
  }

  uint64_t PlaceExternal(const Piece& data) {
    ExternalFile& file = NextFile();
    const uint64_t alignment = data.length >= kPageFrom ? kPage : kElementAlignment;
    const uint64_t padding = (alignment - file.size % alignment) % alignment;
    if (padding > 0) {
      Piece zeros;
      zeros.made.assign(padding, '\0');
      zeros.length = padding;
      file.pieces.push_back(std::move(zeros));
      file.size += padding;
    }
    Piece entries;
    wire::AppendExternal(&entries.made, external_.location + file.suffix, file.size, data.length);
    entries.length = entries.made.size();
    const uint64_t length = entries.length;
    result_.model.push_back(std::move(entries));
    file.pieces.push_back(data);
    file.size += data.length;
    return length;
  }

  uint64_t Keep(std::string_view bytes) {
    if (bytes.empty()) return 0;
    // Neighbours in the serialized model become one piece.
    Piece* last = result_.model.empty() ? nullptr : &result_.model.back();
    if (last != nullptr && !last->kept.empty() &&
        last->kept.data() + last->kept.size() == bytes.data()) {
      last->kept = {last->kept.data(), last->kept.size() + bytes.size()};
      last->length = last->kept.size();
    } else {
      Piece piece;
      piece.kept = bytes;
      piece.length = bytes.size();
      result_.model.push_back(std::move(piece));
    }
    return bytes.size();
  }

  const ExternalFiles& external_;
  JoinResult result_;
};

}  // namespace

JoinResult JoinModel(std::string_view serialized, const ExternalFiles& external) {
  return Joiner(external).Join(serialized);
}

}  // namespace ptq
