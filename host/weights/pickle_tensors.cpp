#include <algorithm>
#include <optional>

#include <ATen/ops/as_strided.h>

#include <nephron/error.hpp>

#include <host/weights/pickle.hpp>

namespace nephron::host {

namespace {

using Kind = Pickle::Kind;

bool holds_tensors(const Pickle& p, const Pickle::Node& dict) {
  for (std::size_t i = 1; i < dict.items.size(); i += 2)
    if (p.nodes[dict.items[i]].kind == Kind::tensor) return true;
  return false;
}

/// The dictionary that holds the weights: a training checkpoint keeps it beside other things.
const Pickle::Node& weights_in(const Pickle& p) {
  const Pickle::Node& top = p.top();
  if (top.kind == Kind::dict && holds_tensors(p, top)) return top;
  for (const std::string_view wanted : {"state_dict", "model_state_dict", "model"})
    for (std::size_t i = 0; top.kind == Kind::dict && i + 1 < top.items.size(); i += 2) {
      const Pickle::Node& value = p.nodes[top.items[i + 1]];
      if (p.nodes[top.items[i]].text == wanted && value.kind == Kind::dict && holds_tensors(p, value)) return value;
    }
  throw Error(
      "it holds no dictionary of tensors, neither itself nor as \"state_dict\", \"model_state_dict\" or \"model\"",
      "in Python: torch.save(model.state_dict(), FILE)");
}

TensorMap without_prefix(TensorMap tensors, const std::string& prefix) {
  const bool all =
      std::all_of(tensors.begin(), tensors.end(), [&](const auto& t) { return t.first.starts_with(prefix); });
  if (!all) return tensors;
  TensorMap out;
  for (auto& [name, tensor] : tensors) out.emplace(name.substr(prefix.size()), std::move(tensor));
  return out;
}

}  // namespace

TensorMap tensors_of(const Pickle& p, const std::function<at::Tensor(const Pickle::Storage&)>& load) {
  const Pickle::Node& dict = weights_in(p);
  // A storage may be referred to several times; each time must say the same of it.
  std::map<std::string, std::pair<const Pickle::Storage*, at::Tensor>> loaded;
  TensorMap tensors;
  for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    const Pickle::Node& key = p.nodes[dict.items[i]];
    const Pickle::Node& value = p.nodes[dict.items[i + 1]];
    if (value.kind != Kind::tensor) continue;
    if (key.kind != Kind::text) throw Error("it names a tensor by something that is no string");
    const Pickle::Tensor& t = p.tensors[static_cast<std::size_t>(value.number)];
    const Pickle::Storage& storage = p.storages[t.storage];
    auto found = loaded.find(storage.key);
    if (found == loaded.end()) found = loaded.emplace(storage.key, std::pair(&storage, load(storage))).first;
    const Pickle::Storage& first = *found->second.first;
    if (first.type != storage.type || first.elements != storage.elements)
      throw Error("it describes its storage \"" + storage.key.substr(0, 40) + "\" in two ways");
    tensors.insert_or_assign(key.text, at::as_strided(found->second.second, t.shape, t.strides, t.offset));
  }
  return without_prefix(std::move(tensors), "module.");
}

}  // namespace nephron::host
