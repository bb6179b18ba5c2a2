#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nephron/component.hpp>
#include <nephron/context.hpp>
#include <nephron/error.hpp>
#include <nephron/schema.hpp>

// Does a component keep what its interface promises? Checks know interfaces alone, never a component.
namespace nephron::conformance {

/// A promise that is not kept: one sentence with what was found and what was expected.
class Failed final : public Error {
 public:
  using Error::Error;
};

/// A check that cannot be made here, and why.
class Skipped final : public Error {
 public:
  using Error::Error;
};

/// The component under test. A check makes as many of it as it wants.
class Subject {
 public:
  using Create = std::function<std::shared_ptr<Component>(const Value& params, Context& context)>;

  std::string kind;
  std::string name;
  const SchemaBase* schema = nullptr;
  Create create;
  Value params{Value::Table{}};              ///< set by the person who checks: what has no default
  std::vector<std::filesystem::path> files;  ///< that the component can open, set by the person who checks
  std::vector<std::string> classes{"healthy", "unhealthy"};  ///< of the experiment that a dataset is asked for
  std::string cuda;                                          ///< "cuda:0", or "" where there is no such device
  std::string no_cuda_because;                               ///< shown when checks on it are skipped
  std::vector<std::string> imports;                          ///< symbols that the plugin file takes from elsewhere

  /// A component with these parameters. Throws Skipped when required ones are not set.
  template <class Base>
  std::shared_ptr<Base> make(Context& context) const {
    auto made = std::dynamic_pointer_cast<Base>(make_component(context));
    if (made == nullptr) throw Failed("the component does not have the interface of its kind");
    return made;
  }
  std::shared_ptr<Component> make_component(Context& context) const;
};

/// A promise that is kept as far as can be told, and what its author should look at.
class Noted final : public Error {
 public:
  using Error::Error;
};

struct Check {
  std::string name;
  std::string promise;                      ///< what is checked, as a statement
  std::function<void(const Subject&)> run;  ///< throws Failed, Skipped or Noted; any other exception is a failure too
};

/// What is checked of a component of this kind; of an unknown kind, what holds for every component.
std::vector<Check> checks_of(std::string_view kind);

/// What a component draws with equal generators, or gives with equal weights, for a comparison of two processes: what
/// is seeded or drawn once a process, or by a clock, is the same in all calls of one. Empty for kinds that do neither.
/// Throws as checks do.
std::string trace_of(const Subject& subject);
/// What is wrong when two processes have these traces; empty when nothing is. Sums may end in other last places.
std::string trace_fault(std::string_view kind, const std::string& one, const std::string& other);

}  // namespace nephron::conformance
