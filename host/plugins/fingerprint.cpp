#include <host/plugins/fingerprint.hpp>

#include <algorithm>

#include <nephron/error.hpp>
#include <nephron/nn/build.hpp>

#ifndef NEPHRON_TORCH_BUILD
#error "the CMake file of host/plugins defines the LibTorch build that this program is linked with"
#endif

namespace nephron::host {

namespace {

std::string family(const std::string& compiler) { return compiler.substr(0, compiler.find(' ')); }

bool sdk_fits(const PluginRecords& p) {
  if (p.sdk_major != NEPHRON_SDK_MAJOR) return false;
  if constexpr (NEPHRON_SDK_MAJOR == 0) return p.sdk_minor == NEPHRON_SDK_MINOR;
  return p.sdk_minor <= NEPHRON_SDK_MINOR;
}

std::string dotted(unsigned major, unsigned minor) { return std::to_string(major) + "." + std::to_string(minor); }

/// A symbol of LibTorch that the plugin takes; "" when there is none.
std::string torch_symbol(const PluginRecords& p) {
  for (const std::string& symbol : p.imports)
    for (const char* prefix : {"_ZN2at", "_ZNK2at", "_ZN3c10", "_ZNK3c10", "_ZN5torch", "_ZNK5torch"})
      if (symbol.starts_with(prefix)) return symbol;
  return "";
}

}  // namespace

std::vector<FingerprintRow> differing_rows(const PluginRecords& p) {
  std::vector<FingerprintRow> rows;
  if (!sdk_fits(p))
    rows.push_back({"SDK", dotted(p.sdk_major, p.sdk_minor), dotted(NEPHRON_SDK_MAJOR, NEPHRON_SDK_MINOR)});
  // at::Tensor is not binary compatible between builds; a plugin without tensors does not care.
  if (p.torch.empty() && !torch_symbol(p).empty())
    rows.push_back({"LibTorch", "not told, but " + torch_symbol(p) + " is used", NEPHRON_TORCH_BUILD});
  if (!p.torch.empty() && p.torch != NEPHRON_TORCH_BUILD) rows.push_back({"LibTorch", p.torch, NEPHRON_TORCH_BUILD});
  if (!p.nn.empty() && p.nn != NEPHRON_NN_BUILD) rows.push_back({"nn/", p.nn, NEPHRON_NN_BUILD});
  if (family(p.compiler) != family(NEPHRON_COMPILER_ROW))
    rows.push_back({"compiler", p.compiler, NEPHRON_COMPILER_ROW});
  if (p.cxx_abi != NEPHRON_ABI_ROW) rows.push_back({"C++ ABI", p.cxx_abi, NEPHRON_ABI_ROW});
  if (p.build != NEPHRON_BUILD_ROW) rows.push_back({"build type", p.build, NEPHRON_BUILD_ROW});
  return rows;
}

void require_fitting(const std::string& file, const PluginRecords& plugin) {
  const std::vector<FingerprintRow> rows = differing_rows(plugin);
  if (rows.empty()) return;
  std::size_t first = 10, second = 6;
  for (const FingerprintRow& r : rows) second = std::max(second, r.plugin.size());
  const auto pad = [](std::string text, std::size_t width) {
    return text + std::string(width > text.size() ? width - text.size() : 0, ' ');
  };
  std::string table = "  " + pad("", first) + "  " + pad("plugin", second) + "  this nephron";
  for (const FingerprintRow& r : rows)
    table += "\n  " + pad(r.what, first) + "  " + pad(r.plugin, second) + "  " + r.host;
  throw Error("plugin \"" + plugin.name + "\" (" + file +
                  ") was built for another nephron and is not loaded (SDK rule 1):\n" + table,
              "build the plugin again with this nephron: find_package(nephron) finds it in CMAKE_PREFIX_PATH");
}

}  // namespace nephron::host
