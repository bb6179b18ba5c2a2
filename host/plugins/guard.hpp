#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include <nephron/component.hpp>
#include <nephron/error.hpp>

namespace nephron::host {

/// Who is to blame when a call fails: goes into the message.
struct Blame {
  std::string plugin;     ///< plugin name and file
  std::string component;  ///< "loss \"focal\""
  std::string place;      ///< file:line:column of the experiment, or ""
  std::string doing;      ///< "in forward at step 12"
};

/// An error that already names its plugin; an outer guard lets it pass.
class PluginError final : public Error {
 public:
  using Error::Error;
};

/// One sentence about the exception that is being handled, whatever its type, and without LibTorch's backtrace.
std::string describe_exception();

/// Turns the exception that is being handled into a PluginError that carries the blame; Cancelled passes unchanged.
[[noreturn]] void rethrow_with(const Blame& blame);

/// Runs a call into a plugin (SDK rule 6).
template <class F>
auto guarded(const Blame& blame, F&& call) -> decltype(call()) {
  try {
    return call();
  } catch (...) {
    rethrow_with(blame);
  }
}

/// What is known of a component that a Registry made, for messages; of another one, that it is unknown.
Blame blame_of(const Component& component);

/// Remembers the blame until the component is gone: gives back the same component under a pointer that forgets it.
std::shared_ptr<Component> with_blame(std::shared_ptr<Component> component, Blame blame);

/// Runs a call into a component. `doing`: "in forward", or a function that makes such a text, called only on failure:
///   guarded(*loss, [&] { return "in forward at step " + std::to_string(step); }, [&] { return loss->forward(x, y); });
template <class Doing, class F>
auto guarded(const Component& component, const Doing& doing, F&& call) -> decltype(call()) {
  try {
    return call();
  } catch (...) {
    Blame blame = blame_of(component);
    if constexpr (std::is_invocable_v<const Doing&>) blame.doing = doing();
    else blame.doing = doing;
    rethrow_with(blame);
  }
}

}  // namespace nephron::host
