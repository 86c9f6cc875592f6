#include "passes/bypass_nodes.h"

#include <utility>

namespace ptq {
namespace {

using Names = std::unordered_map<std::string, std::string>;

// The name at the end of the chain. Shortens the chain on the way, so that all look-ups together
// are linear.
std::string Resolve(Names* names, const std::string& name) {
  std::string last = name;
  for (auto next = names->find(last); next != names->end(); next = names->find(last)) {
    last = next->second;
  }
  for (std::string at = name; at != last;) {
    std::string& next = names->at(at);
    at = std::exchange(next, last);
  }
  return last;
}

}  // namespace

int BypassToInputs(onnx::GraphProto* graph,
                   const std::function<int(const onnx::NodeProto&, const GraphView&)>& passed) {
  const GraphView view(*graph);
  std::vector<bool> remove(static_cast<size_t>(graph->node_size()), false);
  std::vector<std::pair<int, int>> to_outputs;  // node, input
  Names reads;    // output of a bypassed node -> the tensor to read instead
  Names written;  // tensor -> the graph output as which its producer writes it
  int removed = 0;
  const auto take_out = [&](int node) {
    remove[static_cast<size_t>(node)] = true;
    ++removed;
  };
  for (int i = 0; i < graph->node_size(); ++i) {
    const onnx::NodeProto& node = graph->node(i);
    if (node.input_size() == 0 || node.output_size() == 0) continue;
    const int input = passed(node, view);
    if (input < 0) continue;
    if (view.IsGraphOutput(node.output(0))) {
      to_outputs.emplace_back(i, input);
      continue;
    }
    const std::string source = Resolve(&reads, node.input(input));
    if (source == node.output(0)) continue;  // a cycle: not ours to repair
    reads.emplace(node.output(0), source);
    take_out(i);
  }
  // Once it is known which producers stay.
  for (const auto& [i, input] : to_outputs) {
    const std::string source = Resolve(&reads, graph->node(i).input(input));
    const bool renamable = view.Producer(source) >= 0 && !view.IsGraphOutput(source);
    if (renamable && written.emplace(source, graph->node(i).output(0)).second) take_out(i);
  }
  if (removed == 0) return 0;

  // All are looked up before the first is renamed: the view reads the names where they are.
  std::vector<std::pair<std::string*, std::string>> outputs;
  for (const auto& [source, target] : written) {
    onnx::NodeProto* producer = graph->mutable_node(view.Producer(source));
    for (std::string& output : *producer->mutable_output()) {
      if (output == source) outputs.emplace_back(&output, target);
    }
  }
  for (const auto& [output, target] : outputs) *output = target;
  // Reads of a bypassed output end at the name under which the tensor is now written.
  Names renamed;
  for (const auto& [target, source] : Names(reads)) {
    const std::string last = Resolve(&reads, source);
    const auto output = written.find(last);
    renamed.emplace(target, output == written.end() ? last : output->second);
  }
  renamed.insert(written.begin(), written.end());
  RemoveNodes(graph, remove);
  RenameReads(graph, renamed);
  return removed;
}

int BypassNodes(onnx::GraphProto* graph,
                const std::function<bool(const onnx::NodeProto&, const GraphView&)>& passes_on) {
  return BypassToInputs(graph, [&](const onnx::NodeProto& node, const GraphView& view) {
    return passes_on(node, view) ? 0 : -1;
  });
}

}  // namespace ptq
