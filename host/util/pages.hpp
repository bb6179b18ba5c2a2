#pragma once

#include <filesystem>
#include <string>

namespace nephron::host {

/// The tree this program stands in, installed or built: PREFIX of PREFIX/bin/nephron and
/// PREFIX/libexec/nephron-compute.
std::filesystem::path package_root();

/// What a person starts: PREFIX/bin/nephron, whichever of the two programs this is.
std::filesystem::path program_file();

/// Where a page of the documentation lies on this machine: page("experiment.md") is
/// share/doc/nephron/docs/experiment.md of the installed tree, or docs/experiment.md of the checkout where the program
/// runs in its build folder. A message that sends a person to a page names it by this.
std::string page(const std::string& name);

/// Where the experiments that come with nephron lie: share/nephron/experiments of the installed tree, or experiments/
/// of the checkout.
std::filesystem::path experiments_folder();

/// "\n  The SDK's rules: PAGE" where `text` cites one of them, or nothing.
std::string rules_page(const std::string& text);

}  // namespace nephron::host
