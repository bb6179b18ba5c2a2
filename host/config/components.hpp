#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <nephron/schema.hpp>

#include <host/plugins/registry.hpp>

namespace nephron::host {

/// What an experiment may name, as far as configuration needs to know it.
class Components {
 public:
  virtual ~Components() = default;
  virtual std::vector<std::string> names(std::string_view kind) const = 0;
  virtual std::string doc(std::string_view kind, std::string_view name) const = 0;
  /// Throws Error when the component cannot be had.
  virtual const SchemaBase& schema(std::string_view kind, std::string_view name) const = 0;
};

/// The components of plugins, and the host's own: the augmentations that combine others.
class RegistryComponents final : public Components {
 public:
  explicit RegistryComponents(const Registry& registry) : registry_(registry) {}
  std::vector<std::string> names(std::string_view kind) const override;
  std::string doc(std::string_view kind, std::string_view name) const override;
  const SchemaBase& schema(std::string_view kind, std::string_view name) const override;

 private:
  const Registry& registry_;
};

/// "one_of", "sequence", "some_of" and, of samples, "normalise": augmentations that the host carries out itself. They
/// hold others in `of`.
const std::vector<std::string>& combinators();
bool is_combinator(std::string_view kind, std::string_view name);

/// Checks every component that a file names against its own schema.
class ComponentCheck final : public ComponentVisitor {
 public:
  explicit ComponentCheck(const Components& components) : components_(components) {}
  void component(std::string_view kind, const ComponentSpec& spec, const Source& type_source,
                 const std::vector<FieldInfo>& own, Diagnostics& faults) override;

 private:
  const Components& components_;
};

/// Calls visit(table, field) for every declared field of `table` and of the tables and components below it, written
/// or not: before it looks below the field, so that visit may add a value. Components that are unknown are left out.
using FieldVisit = std::function<void(Value& table, const FieldInfo& field)>;
void walk_fields(Value& table, const std::vector<FieldInfo>& fields, const Components& components,
                 const FieldVisit& visit);

}  // namespace nephron::host
