#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include <nephron/component.hpp>
#include <nephron/error.hpp>

#include <host/util/current_call.hpp>

namespace nephron::host {

/// Who is to blame when a call fails: goes into the message.
struct Origin {
  std::string plugin;     ///< plugin name and file
  std::string component;  ///< "loss \"focal\""
  std::string place;      ///< file:line:column of the experiment, or ""
  std::string doing;      ///< "in forward at step 12"

  Call call() const noexcept { return {plugin.c_str(), component.c_str(), place.c_str(), doing.c_str()}; }
};

/// An error that already names its plugin; an outer guard lets it pass.
class PluginError final : public Error {
 public:
  /// `of_parameters`: the plugin threw a ParameterError.
  explicit PluginError(const std::string& message, std::string hint = {}, bool of_parameters = false)
      : Error(message, std::move(hint)), of_parameters_(of_parameters) {}
  bool of_parameters() const noexcept { return of_parameters_; }

 private:
  bool of_parameters_;
};

/// What an error says, with its hint in brackets.
std::string with_hint(const std::exception& error);

/// One sentence about the exception that is being handled, whatever its type, and without LibTorch's backtrace.
std::string describe_exception();

/// Turns the exception that is being handled into a PluginError that carries the origin; Cancelled passes unchanged.
[[noreturn]] void rethrow_with(const Origin& origin);

/// Runs a call into a plugin (SDK rule 6).
template <class F>
auto guarded(const Origin& origin, F&& call) -> decltype(call()) {
  const Call mine = origin.call();
  const CallScope scope(&mine);
  try {
    return call();
  } catch (...) {
    rethrow_with(origin);
  }
}

/// What is known of a component that a Registry made, for messages; of another one, that it is unknown.
Origin origin_of(const Component& component);

/// The same for a CallScope; it is good for as long as the component lives.
Call call_of(const Component& component, const char* doing) noexcept;

/// Remembers the origin until the component is gone: gives back the same component under a pointer that forgets it.
std::shared_ptr<Component> with_origin(std::shared_ptr<Component> component, Origin origin);

/// Runs a call into a component. `doing`: "in forward", or a function that makes such a text, called only on failure:
///   guarded(*loss, [&] { return "in forward at step " + std::to_string(step); }, [&] { return loss->forward(x, y); });
template <class Doing, class F>
auto guarded(const Component& component, const Doing& doing, F&& call) -> decltype(call()) {
  const char* now = nullptr;  // a text that has to be made is made for an exception alone
  if constexpr (std::is_convertible_v<const Doing&, const char*>) now = doing;
  const Call mine = call_of(component, now);
  const CallScope scope(&mine);
  try {
    return call();
  } catch (...) {
    Origin origin = origin_of(component);
    if constexpr (std::is_invocable_v<const Doing&>) origin.doing = doing();
    else origin.doing = doing;
    rethrow_with(origin);
  }
}

}  // namespace nephron::host
