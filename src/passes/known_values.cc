#include "passes/known_values.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <numeric>
#include <string_view>

#include "model/attributes.h"
#include "model/domains.h"
#include "model/node_queries.h"
#include "passes/graph_queries.h"

namespace ptq {
namespace {

using onnx::TensorProto;

constexpr int kDeepest = 64;
constexpr int64_t kMostElements = 64;

// Exporters also write "?", which does not say that two dimensions are equal.
bool IsName(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '.';
  });
}

bool IsIndexType(int64_t type) { return type == TensorProto::INT64 || type == TensorProto::INT32; }

std::optional<Element> Compute(const std::string& op, const Element& a, const Element& b) {
  const auto is = [](const Element& e, int64_t number) {
    return e.IsNumber() && e.value == number;
  };
  if (op == "Equal") {
    if (a == b) return Element{1, ""};
    if (a.IsNumber() && b.IsNumber()) return Element{0, ""};
    const bool differ = (a.is_dimension && b.IsNumber() && b.value < 0) ||
                        (b.is_dimension && a.IsNumber() && a.value < 0);
    return differ ? std::optional(Element{0, ""}) : std::nullopt;
  }
  if (op == "Add" && is(a, 0)) return b;
  if (op == "Mul" && is(a, 1)) return b;
  if ((op == "Add" || op == "Sub") && is(b, 0)) return a;
  if ((op == "Mul" || op == "Div") && is(b, 1)) return a;
  constexpr int64_t kLargest = int64_t{1} << 31;  // whose product fits
  const auto small = [](const Element& e) {
    return e.IsNumber() && e.value > -kLargest && e.value < kLargest;
  };
  if (!small(a) || !small(b)) return std::nullopt;
  if (op == "Add") return Element{a.value + b.value, ""};
  if (op == "Sub") return Element{a.value - b.value, ""};
  if (op == "Mul") return Element{a.value * b.value, ""};
  if (op == "Min") return Element{std::min(a.value, b.value), ""};
  if (op == "Max") return Element{std::max(a.value, b.value), ""};
  // Runtimes differ in how they round a negative quotient.
  if (op == "Div" && a.value >= 0 && b.value > 0) return Element{a.value / b.value, ""};
  return std::nullopt;
}

// Whether the numbers are ones of the type.
bool FitsIn(int64_t type, const Elements& elements) {
  return type != TensorProto::INT32 ||
         std::all_of(elements.begin(), elements.end(), [](const Element& element) {
           return element.value == static_cast<int32_t>(element.value);
         });
}

bool IsBinary(const std::string& op) {
  return op == "Add" || op == "Sub" || op == "Mul" || op == "Div" || op == "Equal" || op == "Min" ||
         op == "Max";
}

int64_t SizeOf(const SmallTensor& tensor) { return static_cast<int64_t>(tensor.elements.size()); }

// Element i of a tensor that is broadcast.
const Element& At(const SmallTensor& tensor, size_t i) {
  return tensor.elements[tensor.elements.size() == 1 ? 0 : i];
}

}  // namespace

std::optional<std::vector<int64_t>> NumbersOf(const std::optional<Elements>& elements) {
  if (!elements) return std::nullopt;
  std::vector<int64_t> numbers;
  for (const Element& element : *elements) {
    if (!element.IsNumber()) return std::nullopt;
    numbers.push_back(element.value);
  }
  return numbers;
}

int32_t KnownValues::TypeOf(const std::string& tensor) { return Shapes().ElementType(tensor); }

std::optional<Elements> KnownValues::DimsOf(const std::string& tensor) {
  Elements dims;
  if (const TensorProto* constant = ConstantOf(view_, tensor)) {
    for (const int64_t dim : constant->dims()) dims.push_back({dim, ""});
    return dims;
  }
  const onnx::ValueInfoProto* info = Shapes().ValueInfo(tensor);
  if (info == nullptr || !info->type().tensor_type().has_shape()) return std::nullopt;
  for (const auto& dim : info->type().tensor_type().shape().dim()) {
    if (dim.has_dim_value() && dim.dim_value() >= 0) {
      dims.push_back({dim.dim_value(), ""});
    } else if (IsName(dim.dim_param())) {
      dims.push_back({0, dim.dim_param(), true});
    } else {
      dims.push_back({0, std::to_string(dims.size()) + " of " + tensor, true});
    }
  }
  return dims;
}

std::optional<Elements> KnownValues::ElementsOf(const std::string& tensor) {
  std::optional<SmallTensor> values = ValuesOf(tensor);
  if (!values) return std::nullopt;
  return std::move(values->elements);
}

std::optional<SmallTensor> KnownValues::Find(const std::string& tensor) {
  if (const TensorProto* constant = ConstantOf(view_, tensor)) return Constant(*constant);
  const int producer = view_.Producer(tensor);
  if (producer < 0 || depth_ > kDeepest) return std::nullopt;
  const auto known = values_.find(tensor);
  if (known != values_.end()) return known->second;
  ++depth_;
  std::optional<SmallTensor> values = Evaluate(view_.node(producer));
  --depth_;
  if (!values) values = Unknown(tensor);
  values_.emplace(tensor, values);
  return values;
}

std::optional<SmallTensor> KnownValues::Constant(const TensorProto& tensor) const {
  const bool known = IsIndexType(tensor.data_type()) || tensor.data_type() == TensorProto::BOOL;
  if (!known || tensor.dims_size() > 1 ||
      ElementCount(tensor) > static_cast<uint64_t>(kMostElements)) {
    return std::nullopt;
  }
  SmallTensor values{tensor.data_type(), tensor.dims_size() == 0, {}};
  for (const int64_t value : context_.model.tensors().ReadInts(tensor)) {
    values.elements.push_back({value, ""});
  }
  return values;
}

// One element that nothing is known of.
std::optional<SmallTensor> KnownValues::Unknown(const std::string& tensor) {
  const int32_t type = TypeOf(tensor);
  const auto dims = NumbersOf(DimsOf(tensor));
  if (!IsIndexType(type) || !dims || dims->size() > 1) return std::nullopt;
  if (dims->size() == 1 && dims->front() != 1) return std::nullopt;
  return SmallTensor{type, dims->empty(), {{0, "element of " + tensor}}};
}

bool KnownValues::Follows(const onnx::NodeProto& node) {
  static constexpr std::array<std::string_view, 11> kOpTypes = {
      "Cast",  "Concat", "ConstantOfShape", "Gather",    "Identity", "Reshape",
      "Shape", "Slice",  "Squeeze",         "Unsqueeze", "Where"};
  const bool known =
      std::find(kOpTypes.begin(), kOpTypes.end(), node.op_type()) != kOpTypes.end() ||
      IsBinary(node.op_type());
  return known && IsOnnxDomain(node.domain()) && node.output_size() == 1 && HasInput(node, 0);
}

std::optional<SmallTensor> KnownValues::Evaluate(const onnx::NodeProto& node) {
  if (!Follows(node)) return std::nullopt;
  const std::string& op = node.op_type();
  if (op == "Shape") return Shape(node);
  if (op == "Concat") return Concat(node);
  std::optional<SmallTensor> data = Find(node.input(0));
  if (!data || op == "Identity") return data;
  if (op == "Cast") {
    const int64_t to = IntAttribute(node, "to", 0);
    const bool fits = to == TensorProto::INT64 || to == data->type ||
                      (to == TensorProto::INT32 && data->type == TensorProto::INT64);
    if (!fits || data->type == TensorProto::BOOL || !FitsIn(to, data->elements)) {
      return std::nullopt;
    }
    data->type = static_cast<int32_t>(to);
    return data;
  }
  if (op == "Squeeze" && SizeOf(*data) == 1) {
    data->scalar = true;
    return data;
  }
  if (op == "Unsqueeze") {
    const auto axes = AxesOf(node, this);
    if (!data->scalar || !axes || axes->size() != 1) return std::nullopt;
    data->scalar = false;
    return data;
  }
  if (op == "Reshape") {
    const auto shape = HasInput(node, 1) ? Find(node.input(1)) : std::nullopt;
    if (!shape || shape->scalar || SizeOf(*shape) > 1) return std::nullopt;
    data->scalar = SizeOf(*shape) == 0;
    return data;
  }
  if (op == "Gather") return Gather(node, *data);
  if (op == "Slice") return Slice(node, *data);
  if (op == "Where") return Where(node, *data);
  if (op == "ConstantOfShape") return ConstantOfShape(node, *data);
  return IsBinary(op) ? Binary(node, *data) : std::nullopt;  // else a Squeeze of several
}

std::optional<SmallTensor> KnownValues::Shape(const onnx::NodeProto& node) {
  const std::optional<Elements> dims = DimsOf(node.input(0));
  if (!dims) return std::nullopt;
  const auto rank = static_cast<int64_t>(dims->size());
  const auto clamp = [&](int64_t at) {
    return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank);
  };
  const int64_t start = clamp(IntAttribute(node, "start", 0));
  const int64_t end = std::max(start, clamp(IntAttribute(node, "end", rank)));
  return SmallTensor{TensorProto::INT64, false,
                     Elements(dims->begin() + start, dims->begin() + end)};
}

std::optional<SmallTensor> KnownValues::Concat(const onnx::NodeProto& node) {
  SmallTensor all{0, false, {}};
  for (const std::string& input : node.input()) {
    const std::optional<SmallTensor> part = Find(input);
    if (!part || part->scalar) return std::nullopt;
    all.type = part->type;
    all.elements.insert(all.elements.end(), part->elements.begin(), part->elements.end());
    if (SizeOf(all) > kMostElements) return std::nullopt;
  }
  return all;
}

std::optional<SmallTensor> KnownValues::Gather(const onnx::NodeProto& node,
                                               const SmallTensor& data) {
  const auto indices = HasInput(node, 1) ? Find(node.input(1)) : std::nullopt;
  const auto numbers = indices ? NumbersOf(indices->elements) : std::nullopt;
  if (data.scalar || !numbers) return std::nullopt;
  const int64_t size = SizeOf(data);
  SmallTensor out{data.type, indices->scalar, {}};
  for (const int64_t index : *numbers) {
    if (index < -size || index >= size) return std::nullopt;
    out.elements.push_back(data.elements[static_cast<size_t>(index < 0 ? index + size : index)]);
  }
  return out;
}

std::optional<SmallTensor> KnownValues::Slice(const onnx::NodeProto& node,
                                              const SmallTensor& data) {
  const auto arguments = SliceArgumentsOf(node, context_.model.Opset(), this);
  if (data.scalar || !arguments || arguments->starts.size() != 1 || arguments->steps[0] != 1 ||
      !arguments->ends[0].IsNumber()) {
    return std::nullopt;
  }
  const int64_t size = SizeOf(data);
  const auto clamp = [&](int64_t at) {
    return std::clamp<int64_t>(at < 0 ? at + size : at, 0, size);
  };
  const int64_t first = clamp(arguments->starts[0]);
  const int64_t end = std::max(first, clamp(arguments->ends[0].value));
  return SmallTensor{data.type, false,
                     Elements(data.elements.begin() + first, data.elements.begin() + end)};
}

std::optional<SmallTensor> KnownValues::Binary(const onnx::NodeProto& node, const SmallTensor& a) {
  const auto b = node.input_size() == 2 ? Find(node.input(1)) : std::nullopt;
  if (!b) return std::nullopt;
  const int64_t size = SizeOf(a) == 1 ? SizeOf(*b) : SizeOf(a);
  if ((SizeOf(a) != 1 && SizeOf(a) != size) || (SizeOf(*b) != 1 && SizeOf(*b) != size)) {
    return std::nullopt;
  }
  const bool equal = node.op_type() == "Equal";
  SmallTensor out{equal ? TensorProto::BOOL : a.type, a.scalar && b->scalar, {}};
  for (size_t i = 0; i < static_cast<size_t>(size); ++i) {
    std::optional<Element> element = Compute(node.op_type(), At(a, i), At(*b, i));
    if (!element || !FitsIn(out.type, {*element})) {
      element = Element{0, "element " + std::to_string(i) + " of " + node.output(0)};
    }
    out.elements.push_back(std::move(*element));
  }
  return out;
}

std::optional<SmallTensor> KnownValues::Where(const onnx::NodeProto& node,
                                              const SmallTensor& condition) {
  if (node.input_size() != 3) return std::nullopt;
  const auto yes = Find(node.input(1));
  const auto no = Find(node.input(2));
  const auto choices = NumbersOf(condition.elements);
  if (!yes || !no || !choices) return std::nullopt;
  const auto size = std::max({choices->size(), yes->elements.size(), no->elements.size()});
  SmallTensor out{yes->type, condition.scalar && yes->scalar && no->scalar, {}};
  for (const size_t count : {choices->size(), yes->elements.size(), no->elements.size()}) {
    if (count != size && count != 1) return std::nullopt;
  }
  for (size_t i = 0; i < size; ++i) {
    const bool chosen = (*choices)[choices->size() == 1 ? 0 : i] != 0;
    out.elements.push_back(At(chosen ? *yes : *no, i));
  }
  return out;
}

std::optional<SmallTensor> KnownValues::ConstantOfShape(const onnx::NodeProto& node,
                                                        const SmallTensor& shape) const {
  const onnx::AttributeProto* value = FindAttribute(node, "value");
  const auto dims = NumbersOf(shape.elements);
  if (value == nullptr || !IsIndexType(value->t().data_type()) || !dims || dims->size() > 1) {
    return std::nullopt;
  }
  const int64_t count = dims->empty() ? 1 : dims->front();
  const std::vector<int64_t> numbers = context_.model.tensors().ReadInts(value->t());
  if (count < 0 || count > kMostElements || numbers.size() != 1) return std::nullopt;
  return SmallTensor{value->t().data_type(), dims->empty(),
                     Elements(static_cast<size_t>(count), {numbers[0], ""})};
}

std::optional<SliceArguments> SliceArgumentsOf(const onnx::NodeProto& node, int64_t opset,
                                               KnownValues* known) {
  SliceArguments out;
  if (opset < 10) {
    out.starts = IntsAttribute(node, "starts");
    for (const int64_t end : IntsAttribute(node, "ends")) out.ends.push_back({end, ""});
    out.axes = IntsAttribute(node, "axes");
  } else {
    const auto numbers = [&](int input, std::vector<int64_t>* into) {
      if (!HasInput(node, input)) return input > 2;
      auto values = NumbersOf(known->ElementsOf(node.input(input)));
      if (values) *into = std::move(*values);
      return values.has_value();
    };
    std::optional<Elements> ends =
        HasInput(node, 2) ? known->ElementsOf(node.input(2)) : std::nullopt;
    if (!ends || !numbers(1, &out.starts) || !numbers(3, &out.axes) || !numbers(4, &out.steps)) {
      return std::nullopt;
    }
    out.ends = std::move(*ends);
  }
  const size_t count = out.starts.size();
  if (out.axes.empty()) {
    out.axes.resize(count);
    std::iota(out.axes.begin(), out.axes.end(), 0);
  }
  if (out.steps.empty()) out.steps.assign(count, 1);
  const bool fits = out.ends.size() == count && out.axes.size() == count &&
                    out.steps.size() == count &&
                    std::find(out.steps.begin(), out.steps.end(), 0) == out.steps.end();
  return fits ? std::optional(std::move(out)) : std::nullopt;
}

std::optional<std::vector<int64_t>> AxesOf(const onnx::NodeProto& node, KnownValues* known) {
  if (!HasInput(node, 1)) return IntsAttribute(node, "axes");
  return NumbersOf(known->ElementsOf(node.input(1)));
}

}  // namespace ptq
