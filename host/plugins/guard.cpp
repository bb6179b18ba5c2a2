#include <host/plugins/guard.hpp>

#include <mutex>
#include <unordered_map>

#include <cxxabi.h>

#include <nephron/parameter_error.hpp>

#include <host/util/log.hpp>

namespace nephron::host {

namespace {

/// Blames by component. Not part of the component, so that its layout is the SDK's alone.
struct Blames {
  std::mutex mutex;
  std::unordered_map<const Component*, Origin> by_component;
};

Blames& blames() {
  static auto* instance = new Blames;  // components may outlive static destruction
  return *instance;
}

std::string type_of_current_exception() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  if (type == nullptr) return "unknown";
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(type->name(), nullptr, nullptr, &status),
                                                         &std::free);
  return status == 0 ? text.get() : type->name();
}

std::string sentence(const Origin& origin, const std::string& what) {
  std::string out = origin.place.empty() ? "" : origin.place + ": ";
  out += origin.component.empty() ? "plugin " + origin.plugin : origin.component + " of plugin " + origin.plugin;
  return out + " failed" + (origin.doing.empty() ? "" : " " + origin.doing) + ": " + what;
}

/// LibTorch appends a backtrace of many lines; the first part says what is wrong.
std::string without_backtrace(const std::string& text) {
  std::string out = text.substr(0, text.find("\nException raised from"));
  if (out.size() < text.size()) log().debug(text);
  return out;
}

}  // namespace

std::string describe_exception() {
  try {
    throw;
  } catch (const std::exception& e) {
    return without_backtrace(e.what());
  } catch (const abi::__forced_unwind&) {
    throw;  // a thread that is being cancelled: swallowing this would end the process
  } catch (...) {
    return "it threw a \"" + type_of_current_exception() + "\", which is not a std::exception";
  }
}

std::string with_hint(const std::exception& error) {
  const auto* known = dynamic_cast<const Error*>(&error);
  return known == nullptr || known->hint().empty() ? error.what() : error.what() + (" (" + known->hint() + ")");
}

void rethrow_with(const Origin& origin) {
  try {
    throw;
  } catch (const Cancelled&) {
    throw;
  } catch (const PluginError&) {
    throw;
  } catch (const Error& e) {
    throw PluginError(sentence(origin, e.what()), e.hint(), dynamic_cast<const ParameterError*>(&e) != nullptr);
  } catch (const std::exception&) {
    throw PluginError(sentence(origin, describe_exception()));
  } catch (...) {
    throw PluginError(sentence(origin, describe_exception()), "a plugin throws nephron::Error (SDK rule 6)");
  }
}

Origin origin_of(const Component& component) {
  Blames& all = blames();
  const std::lock_guard lock(all.mutex);
  const auto found = all.by_component.find(&component);
  return found != all.by_component.end()
             ? found->second
             : Origin{.plugin = "(unknown)", .component = "a component", .place = {}, .doing = {}};
}

Call call_of(const Component& component, const char* doing) noexcept {
  Blames& all = blames();
  const std::lock_guard lock(all.mutex);
  const auto found = all.by_component.find(&component);
  Call call = found != all.by_component.end() ? found->second.call() : Call{};
  call.doing = doing;
  return call;
}

std::shared_ptr<Component> with_origin(std::shared_ptr<Component> component, Origin origin) {
  Component* const address = component.get();
  {
    Blames& all = blames();
    const std::lock_guard lock(all.mutex);
    all.by_component[address] = std::move(origin);
  }
  return {address, [owner = std::move(component)](Component* gone) mutable {
            {
              Blames& all = blames();
              const std::lock_guard lock(all.mutex);
              all.by_component.erase(gone);
            }
            owner.reset();
          }};
}

}  // namespace nephron::host
