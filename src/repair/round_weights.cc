#include "repair/round_weights.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <utility>

#include "base/float16.h"
#include "model/tensor_builder.h"
#include "repair/layer_rows.h"
#include "repair/rounding_kernels.h"
#include "repair/weight_grid.h"

namespace ptq {
namespace {

constexpr float kDamping = 0.01f;  // of the mean of the diagonal: Frantar et al.

// What equalization or smoothing multiplied each input channel with since it was observed.
std::vector<float> FactorsOf(const ChannelStatistics& observed, const ChannelStatistics& now) {
  std::vector<float> factors(observed.lowest.size(), 1);
  for (size_t c = 0; c < factors.size(); ++c) {
    const float before = observed.highest[c] - observed.lowest[c];
    const float after = now.highest[c] - now.lowest[c];
    if (before > 0 && after > 0) factors[c] = after / before;
  }
  return factors;
}

bool AreSame(const QuantParams& a, const QuantParams& b) {
  return a.type == b.type && a.axis == b.axis && a.scales == b.scales &&
         a.zero_points == b.zero_points;
}

}  // namespace

// A layer to round, and what its rounding depends on.
struct WeightRounder::Task {
  LinearLayer layer;
  const SecondMoments::OfLayer* moments;
  std::string weight;  // serialized: its data, or where that is
  QuantParams params;
  std::vector<float> factors;
};

// One layer's weights, as they are and then as they are rounded.
class WeightRounder::LayerRounding {
 public:
  LayerRounding(Task task, std::vector<float> values)
      : task_(std::move(task)),
        grid_(*WeightGrid::Of(task_.layer, task_.params)),
        columns_(LayerRows::Columns(task_.layer)),
        values_(std::move(values)) {}

  // Goes on with some of the outputs. Returns about how many multiplications that took; 0: all are
  // rounded.
  double Next() {
    const auto groups = static_cast<size_t>(task_.layer.groups);
    const size_t outputs = static_cast<size_t>(task_.layer.outputs) / groups;
    const auto columns = static_cast<double>(columns_);
    if (group_ == groups) return 0;
    if (!propagation_) {
      order_ = OrderOf(group_);
      propagation_.emplace(MatrixOf(group_, order_), columns_);
      return columns * columns * columns / 3 + 1;
    }
    RoundOutputs(group_ * outputs + first_, std::min(kPanel, outputs - first_));
    first_ += kPanel;
    if (first_ >= outputs) {
      propagation_.reset();
      first_ = 0;
      ++group_;
    }
    return columns * columns * kPanel / 2 + 1;
  }

  // When all are rounded: counted from the lowest of the grid, by element.
  std::vector<uint8_t> Steps() const {
    std::vector<uint8_t> steps(values_.size());
    for (size_t i = 0; i < values_.size(); ++i) {
      const LinearLayer::Place place = task_.layer.PlaceOf(i);
      const float q = std::nearbyint(values_[i] / grid_.scale(place)) + grid_.zero_point(place);
      steps[i] = static_cast<uint8_t>(static_cast<int64_t>(q) - grid_.range().min);
    }
    return steps;
  }

  const Task& task() const { return task_; }

 private:
  size_t InputOf(size_t group, size_t column) const {
    const auto kernel = static_cast<size_t>(task_.layer.kernel);
    return group * (columns_ / kernel) + column / kernel;
  }

  float Moment(size_t group, size_t i, size_t j) const {
    return task_.moments->by_group[group].At(i, j) * task_.factors[InputOf(group, i)] *
           task_.factors[InputOf(group, j)];
  }

  // What matters most is rounded first, when all others can still make up for it: the last.
  std::vector<size_t> OrderOf(size_t group) const {
    std::vector<size_t> order(columns_);
    std::iota(order.begin(), order.end(), size_t{0});
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return std::pair(Moment(group, a, a), a) < std::pair(Moment(group, b, b), b);
    });
    return order;
  }

  // In that order, over the mean of its diagonal.
  std::vector<float> MatrixOf(size_t group, const std::vector<size_t>& order) const {
    double sum = 0;
    for (size_t i = 0; i < columns_; ++i) sum += Moment(group, i, i);
    const double mean = sum / static_cast<double>(columns_);
    const float factor = mean > 0 ? static_cast<float>(1 / mean) : 0;
    std::vector<float> matrix(columns_ * columns_);
    for (size_t i = 0; i < columns_; ++i) {
      float* const row = matrix.data() + i * columns_;
      for (size_t j = 0; j <= i; ++j) row[j] = Moment(group, order[i], order[j]) * factor;
      row[i] += kDamping;
    }
    return matrix;
  }

  size_t ElementOf(size_t output, size_t column) const {
    return task_.layer.inputs_first ? column * static_cast<size_t>(task_.layer.outputs) + output
                                    : output * columns_ + column;
  }

  void RoundOutputs(size_t first, size_t count) {
    weights_.assign(columns_ * kPanel, 0);
    scales_.assign(columns_ * kPanel, 1);
    zero_points_.assign(columns_ * kPanel, 0);
    for (size_t i = 0; i < columns_; ++i) {
      for (size_t o = 0; o < count; ++o) {
        const LinearLayer::Place place{first + o, InputOf(group_, order_[i])};
        weights_[i * kPanel + o] = values_[ElementOf(first + o, order_[i])];
        scales_[i * kPanel + o] = grid_.scale(place);
        zero_points_[i * kPanel + o] = grid_.zero_point(place);
      }
    }
    RoundPanel(*propagation_, scales_, zero_points_, grid_.range(), weights_);
    for (size_t i = 0; i < columns_; ++i) {
      for (size_t o = 0; o < count; ++o) {
        values_[ElementOf(first + o, order_[i])] = weights_[i * kPanel + o];
      }
    }
  }

  Task task_;
  WeightGrid grid_;
  size_t columns_;
  std::vector<float> values_;
  // Where it is.
  size_t group_ = 0;
  size_t first_ = 0;  // of the group's outputs
  std::vector<size_t> order_;
  std::optional<ErrorPropagation> propagation_;
  // Of a panel.
  std::vector<float> weights_;
  std::vector<float> scales_;
  std::vector<float> zero_points_;
};

namespace {

std::vector<float> ValuesOf(const std::vector<uint8_t>& steps, const LinearLayer& layer,
                            const WeightGrid& grid) {
  std::vector<float> values(steps.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const LinearLayer::Place place = layer.PlaceOf(i);
    const auto q = static_cast<float>(steps[i] + grid.range().min);
    values[i] = (q - grid.zero_point(place)) * grid.scale(place);
  }
  return values;
}

// A tensor like `weight`, with these values.
onnx::TensorProto Stored(const onnx::TensorProto& weight, const std::vector<float>& values,
                         TensorStore* tensors) {
  onnx::TensorProto stored =
      EmptyTensor(weight.name(), weight.data_type(),
                  std::vector<int64_t>(weight.dims().begin(), weight.dims().end()));
  if (weight.data_type() == onnx::TensorProto::FLOAT) {
    tensors->SetBytes(
        &stored, {reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(float)});
    return stored;
  }
  std::vector<uint16_t> halves(values.size());
  std::transform(values.begin(), values.end(), halves.begin(), FloatToHalf);
  tensors->SetBytes(
      &stored, {reinterpret_cast<const uint8_t*>(halves.data()), halves.size() * sizeof(uint16_t)});
  return stored;
}

}  // namespace

WeightRounder::WeightRounder(const SecondMoments* moments) : moments_(moments) {}
WeightRounder::~WeightRounder() = default;

std::vector<WeightRounder::Task> WeightRounder::TasksOf(const QuantPlan& plan,
                                                        const TensorStatistics& statistics,
                                                        const Model& model) const {
  std::vector<Task> tasks;
  const GraphView view(model.graph());
  for (const LinearLayer& layer : FindLinearLayers(view)) {
    const onnx::NodeProto& node = view.node(layer.node);
    const SecondMoments::OfLayer* moments = moments_->Find(node.input(1));
    const TensorPlan* planned = QuantizedWeight(plan, view, layer);
    const auto now = statistics.find(node.input(0));
    if (moments == nullptr || planned == nullptr || now == statistics.end()) continue;
    // A type of 16 bits has no rounding to speak of.
    if (planned->convert || !planned->shares_with.empty() || Bits(planned->params.type) > 8) {
      continue;
    }
    if (!WeightGrid::Of(layer, planned->params)) continue;
    tasks.push_back({layer, moments, layer.weight->SerializeAsString(), planned->params,
                     FactorsOf(moments->observed, now->second)});
  }
  return tasks;
}

bool WeightRounder::IsDone(const Task& task) const {
  const auto found = done_.find(task.layer.weight->name());
  return found != done_.end() && found->second.weight == task.weight &&
         AreSame(found->second.params, task.params) && found->second.factors == task.factors;
}

void WeightRounder::Keep(const LayerRounding& rounding) {
  const Task& task = rounding.task();
  done_[task.layer.weight->name()] = {task.weight, task.params, task.factors, rounding.Steps()};
}

RoundedWeights WeightRounder::Round(const QuantPlan& plan, const TensorStatistics& statistics,
                                    Model* model) {
  RoundedWeights rounded;
  for (const Task& task : TasksOf(plan, statistics, *model)) {
    const onnx::TensorProto& weight = *task.layer.weight;
    if (!IsDone(task)) {
      LayerRounding rounding(task, model->tensors().ReadFloats(weight));
      while (rounding.Next() > 0) {
      }
      Keep(rounding);
    }
    const WeightGrid grid = *WeightGrid::Of(task.layer, task.params);
    const std::vector<float> values = ValuesOf(done_.at(weight.name()).steps, task.layer, grid);
    rounded[weight.name()] = Stored(weight, values, &model->tensors());
  }
  return rounded;
}

void WeightRounder::Begin(const QuantPlan& plan, const TensorStatistics& statistics, Model model) {
  model_ = std::move(model);
  rounding_.reset();
  tasks_ = TasksOf(plan, statistics, *model_);
  std::erase_if(tasks_, [this](const Task& task) { return IsDone(task); });
}

bool WeightRounder::Continue(double products) {
  while (products > 0) {
    if (!rounding_) {
      if (tasks_.empty()) {
        model_.reset();
        return false;
      }
      const onnx::TensorProto& weight = *tasks_.back().layer.weight;
      rounding_ = std::make_unique<LayerRounding>(std::move(tasks_.back()),
                                                  model_->tensors().ReadFloats(weight));
      tasks_.pop_back();
    }
    const double taken = rounding_->Next();
    products -= taken;
    if (taken > 0) continue;
    Keep(*rounding_);
    rounding_.reset();
  }
  return true;
}

}  // namespace ptq
