#include "pipeline/pass_dump.h"

#include <algorithm>
#include <iterator>

#include "onnx/defs/printer.h"

namespace ptq {
namespace {

// The node with what it reads and makes, on one line.
std::string Line(const onnx::NodeProto& node) {
  std::string line = node.op_type();
  if (!node.name().empty()) line += " '" + node.name() + "'";
  const auto list = [&line](const char* open, const auto& names) {
    const char* separator = open;
    for (const std::string& name : names) {
      line += separator + name;
      separator = ", ";
    }
  };
  line += " (";
  list("", node.input());
  list(") -> ", node.output());
  return line;
}

std::vector<std::string> Nodes(const onnx::GraphProto& graph) {
  std::vector<std::string> lines;
  for (const onnx::NodeProto& node : graph.node()) lines.push_back(Line(node));
  std::sort(lines.begin(), lines.end());
  return lines;
}

void AppendText(Files* files, const std::string& name, const std::string& text) {
  files->Append(name, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

}  // namespace

PassDump::PassDump(const Model& model, Files* files)
    : model_(model), files_(files), nodes_(Nodes(model.graph())) {
  WriteModel("original");
}

void PassDump::Write(std::string_view pass, int round, int changes) {
  ++steps_;
  WriteModel(pass);
  std::vector<std::string> nodes = Nodes(model_.graph());
  std::string text = std::string(pass) + ", round " + std::to_string(round) + ": " +
                     std::to_string(changes) + (changes == 1 ? " change, " : " changes, ") +
                     std::to_string(nodes_.size()) + " -> " + std::to_string(nodes.size()) +
                     " nodes\n";
  const auto add = [&text](const char* sign, const std::vector<std::string>& from,
                           const std::vector<std::string>& without) {
    std::vector<std::string> rest;
    std::set_difference(from.begin(), from.end(), without.begin(), without.end(),
                        std::back_inserter(rest));
    for (const std::string& line : rest) text += sign + line + '\n';
  };
  add("  - ", nodes_, nodes);
  add("  + ", nodes, nodes_);
  AppendText(files_, std::string(kPassDumpFolder) + "summary.txt", text);
  nodes_ = std::move(nodes);
}

void PassDump::WriteModel(std::string_view step) {
  std::string name = std::to_string(steps_);
  if (name.size() < 2) name.insert(0, "0");
  name += "_" + std::string(step) + ".txt";
  AppendText(files_, kPassDumpFolder + name, onnx::ProtoToString(model_.proto()));
}

}  // namespace ptq
