#include <host/train/parameter_groups.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <tuple>

#include <nephron/error.hpp>

#include <host/util/counted.hpp>

namespace nephron::host {

namespace {

constexpr std::string_view encoder_prefix = "encoder.";

bool is_number(std::string_view word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// "layer2.0" of "layer2.0.conv1.weight"; "" where no number names a module with modules below it.
std::string_view block_of(std::string_view name) {
  for (std::size_t begin = 0, end; (end = name.find('.', begin)) != std::string_view::npos; begin = end + 1)
    if (is_number(name.substr(begin, end - begin)) && name.find('.', end + 1) != std::string_view::npos)
      return name.substr(0, end);
  return {};
}

/// The index of the group that takes each parameter; that of the rest is groups.size().
std::vector<std::size_t> group_of(const std::vector<GroupConfig>& groups, const NamedTensors& parameters) {
  std::vector<std::size_t> out(parameters.size(), groups.size());
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const std::vector<bool> named = part_of(parameters, groups[g].match);
    bool any = false;
    for (std::size_t i = 0; i < named.size(); ++i)
      if (named[i] && out[i] == groups.size()) out[i] = g, any = true;
    if (!any)
      throw Error("all that \"" + groups[g].match + "\" matches belongs to the groups before it",
                  "the first pattern that names a parameter counts: put the narrower one first");
  }
  return out;
}

std::string number(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", v);
  return text;
}

}  // namespace

std::vector<int> encoder_layers(const NamedTensors& parameters) {
  std::vector<int> out;
  int layer = -1;
  std::string_view running;  // the block of the parameter before
  for (const auto& [name, tensor] : parameters) {
    if (!name.starts_with(encoder_prefix)) {
      out.push_back(-1);
      continue;
    }
    const std::string_view block = block_of(std::string_view(name).substr(encoder_prefix.size()));
    if (layer < 0 || block != running) ++layer;
    running = block;
    out.push_back(layer);
  }
  return out;
}

std::vector<ParameterGroup> parameter_groups(const TrainConfig& config, const NamedTensors& parameters) {
  const OptimizerConfig& o = config.optimizer;
  const std::vector<std::size_t> group = group_of(config.groups, parameters);
  const std::vector<int> layer = encoder_layers(parameters);
  const int layers = layer.empty() ? 0 : *std::max_element(layer.begin(), layer.end()) + 1;
  if (o.layer_decay < 1 && layers < 2)
    throw Error("layer_decay is " + Value(o.layer_decay).str() +
                    ", but this encoder tells no layers apart: its names "
                    "have no numbered blocks",
                "[[train.group]] gives its parts rates of their own");
  std::map<std::tuple<std::size_t, int, bool>, ParameterGroup> out;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const bool named = group[i] < config.groups.size();
    const bool spared = !o.decay_norms_and_biases && parameters[i].second.dim() <= 1;
    const int depth = o.layer_decay < 1 && layer[i] >= 0 ? layers - layer[i] : 0;
    ParameterGroup& to = out[{group[i], depth, spared}];
    if (to.parameters.empty()) {
      to.name = named ? "\"" + config.groups[group[i]].match + "\"" : depth > 0 ? "encoder" : "the rest";
      if (depth > 0) to.name += ", layer by layer";
      if (spared) to.name += ", norms and biases";
      to.lr_factor = (named ? config.groups[group[i]].lr_factor : 1) * std::pow(o.layer_decay, depth);
      to.weight_decay = spared  ? 0
                        : named ? config.groups[group[i]].weight_decay.value_or(o.weight_decay)
                                : o.weight_decay;
    }
    to.parameters.push_back(parameters[i]);
  }
  std::vector<ParameterGroup> list;
  for (auto& [key, one] : out) list.push_back(std::move(one));
  return list;
}

std::string groups_text(const std::vector<ParameterGroup>& groups) {
  if (groups.size() < 2) return {};
  struct Line {
    std::size_t tensors = 0;
    std::int64_t values = 0;
    double least = 0, most = 0, decay = 0;
  };
  std::vector<std::pair<std::string, Line>> lines;
  for (const ParameterGroup& g : groups) {
    auto line = std::find_if(lines.begin(), lines.end(), [&](const auto& l) { return l.first == g.name; });
    if (line == lines.end())
      line = lines.insert(lines.end(), {g.name, {0, 0, g.lr_factor, g.lr_factor, g.weight_decay}});
    Line& l = line->second;
    l.tensors += g.parameters.size();
    for (const auto& [name, tensor] : g.parameters) l.values += tensor.numel();
    l.least = std::min(l.least, g.lr_factor);
    l.most = std::max(l.most, g.lr_factor);
  }
  std::string out = "parameters:";
  for (const auto& [name, l] : lines)
    out += "\n  " + name + ": " + counted(l.tensors, "tensor") + ", " + count_text(l.values) + " values, rate x " +
           number(l.least) + (l.most > l.least ? " to x " + number(l.most) : "") + ", weight decay " + number(l.decay);
  return out;
}

}  // namespace nephron::host
