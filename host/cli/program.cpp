#include <host/cli/program.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <sstream>

#include <nephron/error.hpp>
#include <nephron/plugin.hpp>
#include <nephron/version.hpp>

#include <host/cli/command.hpp>
#include <host/cli/suggest.hpp>
#include <host/config/load.hpp>
#include <host/util/cancelled_and_told.hpp>
#include <host/util/log.hpp>
#include <host/util/pages.hpp>
#include <host/util/printable.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {

std::vector<Command>& commands() {
  static std::vector<Command> list;
  return list;
}

namespace {

constexpr const char* version = "nephron " NEPHRON_STRING(NEPHRON_SDK_MAJOR) "." NEPHRON_STRING(
    NEPHRON_SDK_MINOR) "." NEPHRON_STRING(NEPHRON_SDK_PATCH);

/// What the standard library says of a file that it could not look at, such as a link that leads to itself, in the
/// words of a file that cannot be read.
std::string text_of(const std::filesystem::filesystem_error& e) {
  const bool looks = e.code() == std::errc::too_many_symbolic_link_levels || e.code() == std::errc::permission_denied;
  std::string text = (looks ? "cannot read " : "cannot use ") + e.path1().string();
  if (!e.path2().empty()) text += " and " + e.path2().string();
  return text + ": " + e.code().message();
}

/// Adds commands of this program and names of those elsewhere, in the order of --help.
void add_commands(CLI::App& app, int& exit, const std::vector<ListedCommand>& elsewhere) {
  std::vector<std::pair<int, std::function<void()>>> all;
  for (const Command& own : commands()) all.emplace_back(own.order, [&, own] { own.add(app, exit); });
  for (const ListedCommand& other : elsewhere)
    all.emplace_back(other.order, [&] {
      CLI::App* const name = app.add_subcommand(other.name, other.doc);
      if (!other.shown) name->group("");
    });
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [order, add] : all) add();
}

int run_commands(int argc, char** argv, const std::vector<ListedCommand>& elsewhere) {
  CLI::App app("Segmentation of gigapixel microscopy slides: experiments in TOML, components as plugins.", "nephron");
  app.set_version_flag("--version", version);
  bool verbose = false;
  app.add_flag("-v,--verbose", verbose, "Say more, and show where an error came from");
  app.require_subcommand(1);
  app.fallthrough();
  int exit = Exit::done;
  add_commands(app, exit, elsewhere);
  app.parse_complete_callback([&] {
    if (verbose) set_log_level(Log::Level::debug);
  });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    std::ostringstream out, error;
    const int code = app.exit(e, out, error);
    print(out.str());
    const std::string meant = code != 0 ? suggestion(app, {argv + 1, argv + argc}) : std::string();
    // A command that is none is what is wrong, not that there is none.
    const bool only_meant = meant.starts_with("unknown command") && e.get_name() == "RequiredError";
    if (!only_meant) print_error(error.str());
    if (!meant.empty()) print_error(meant + "\n" + (only_meant ? "Run with --help for more information.\n" : ""));
    return code == 0 ? Exit::done : Exit::usage;
  } catch (const ConfigError& e) {
    print_error(std::string(e.what()) + "\n");
    return Exit::usage;
  } catch (const CancelledAndTold&) {
    return Exit::interrupted;
  } catch (const Cancelled&) {
    log().warning("interrupted");
    return Exit::interrupted;
  } catch (const Error& e) {
    const std::string text = e.what() + (e.hint().empty() ? "" : "\n  " + e.hint());
    log().error(text + rules_page(text));
    return dynamic_cast<const UsageError*>(&e) != nullptr ? Exit::usage : Exit::failed;
  } catch (const std::filesystem::filesystem_error& e) {
    log().error(text_of(e));
    return Exit::failed;
  } catch (const std::exception& e) {
    // Torch appends a backtrace of many lines; the first line says what is wrong.
    const std::string text = e.what();
    log().error(verbose ? text : text.substr(0, text.find("\nException raised from")));
    return Exit::failed;
  }
  return exit;
}

}  // namespace

int run_program(int argc, char** argv, const std::vector<ListedCommand>& elsewhere) {
  const int exit = run_commands(argc, argv, elsewhere);
  // What was printed, and did not arrive on a full disk, must not pass for an empty answer.
  const bool flushed = std::fflush(stdout) == 0;
  const std::string why = flushed ? "" : std::string(": ") + std::strerror(errno);
  if (exit != Exit::done || (flushed && std::ferror(stdout) == 0)) return exit;
  log().error("cannot write the output" + why);
  return Exit::failed;
}

}  // namespace nephron::host
