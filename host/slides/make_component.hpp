#pragma once

#include <memory>
#include <string>
#include <utility>

#include <host/plugins/guard.hpp>
#include <host/plugins/host_context.hpp>
#include <host/plugins/registry.hpp>
#include <host/slides/opener.hpp>

namespace nephron::host {

/// Makes a component together with the context that it must not outlive; the pointer owns both. `place` is its place
/// in the experiment ("augmentation[2]"), the key of its random streams. The registry must outlive it.
template <class Base>
std::shared_ptr<Base> make_component(const Registry& registry, const ComponentSpec& spec, const std::string& place,
                                     std::uint64_t seed, const JobServices& services = {}) {
  struct Pair {
    Pair(const Registry& from, const std::string& name, const std::string& where) : opener(from), context(name, where) {
      context.opener = &opener;
    }
    ReaderOpener opener;  // first: destroyed last
    HostContext context;
    std::shared_ptr<Base> component;
  };
  auto pair = std::make_shared<Pair>(registry, spec.type, place);
  pair->context.seed = seed;
  pair->context.services = services;
  pair->component = registry.create<Base>(spec, pair->context);
  return std::shared_ptr<Base>(pair, pair->component.get());
}

/// Who is to blame when a call into this component fails.
inline Origin origin_of(const Registry& registry, std::string_view kind, const ComponentSpec& spec, std::string doing) {
  const ComponentInfo& info = registry.find(kind, spec.type);
  return {info.plugin + " (" + info.file.string() + ")", std::string(kind) + " \"" + spec.type + "\"",
          spec.source.str(), std::move(doing)};
}

}  // namespace nephron::host
