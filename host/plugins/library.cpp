#include <host/plugins/library.hpp>

#include <algorithm>
#include <string_view>

#include <dlfcn.h>
#include <boost/dll/shared_library.hpp>

#include <nephron/error.hpp>

#include <host/plugins/guard.hpp>

namespace nephron::host {

namespace {

constexpr const char* entry_name = "nephron_plugin_entry";

/// The dynamic linker's reason, without the file name that the message has already.
std::string linker_reason(const std::filesystem::path& file) {
  const char* text = ::dlerror();
  std::string reason = text != nullptr ? text : "the dynamic linker gave no reason";
  const std::string prefix = file.string() + ": ";
  return reason.starts_with(prefix) ? reason.substr(prefix.size()) : reason;
}

std::string hint_for(const std::string& reason) {
  if (reason.find("undefined symbol") != std::string::npos)
    return "link the library that has the symbol: target_link_libraries(PLUGIN PRIVATE ...)";
  if (reason.find("cannot open shared object file") != std::string::npos)
    return "install that library, or build the plugin with its folder in the RPATH";
  return {};
}

bool same(const detail::ComponentRecord& a, const PluginRecords::Component& b) {
  return a.magic == detail::record_magic && b.kind == a.kind.chars && b.name == a.name.chars;
}

}  // namespace

std::string plugin_text(const PluginRecords& records, const std::filesystem::path& file) {
  return "\"" + records.name + "\" (" + file.string() + ")";
}

const detail::PluginTable& load_library(const std::filesystem::path& file, const PluginRecords& records) {
  namespace dll = boost::dll;
  const std::string who = "plugin " + plugin_text(records, file);
  // Leaked on purpose: code of a plugin may run until the last thread ends (SDK rule 6).
  auto* const library = new dll::shared_library;
  boost::dll::fs::error_code failed;
  const Origin loading{
      .plugin = plugin_text(records, file), .component = {}, .place = {}, .doing = "while it was loaded"};
  guarded(loading,
          [&] { library->load(file.string(), failed, dll::load_mode::rtld_now | dll::load_mode::rtld_local); });
  if (failed) {
    delete library;
    const std::string reason = linker_reason(file);
    throw Error(who + " cannot be loaded: " + reason, hint_for(reason));
  }
  if (!library->has(entry_name))
    throw Error(who + " has no entry point " + entry_name,
                "NEPHRON_PLUGIN(\"name\", \"version\") makes it; is it hidden by a linker script?");
  const Origin origin{
      .plugin = plugin_text(records, file), .component = {}, .place = {}, .doing = "in its entry point"};
  const detail::PluginTable* table =
      guarded(origin, [&] { return library->get<const detail::PluginTable*()>(entry_name)(); });
  const auto promised = [&](const detail::ComponentCode& code) {
    return code.record != nullptr && code.ops != nullptr &&
           std::any_of(records.components.begin(), records.components.end(),
                       [&](const auto& c) { return same(*code.record, c); });
  };
  if (table == nullptr || table->begin > table->end || table->sdk_major != records.sdk_major ||
      table->sdk_minor != records.sdk_minor ||
      static_cast<std::size_t>(table->end - table->begin) != records.components.size() ||
      !std::all_of(table->begin, table->end, promised))
    throw Error(who + " is damaged: its entry point does not return what its records promise",
                "build the plugin again");
  return *table;
}

}  // namespace nephron::host
