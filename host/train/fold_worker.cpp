#include <host/train/fold_worker.hpp>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/plugins/guard.hpp>
#include <host/util/child_process.hpp>
#include <host/util/log.hpp>
#include <host/util/progress.hpp>
#include <host/util/report_lines.hpp>

namespace nephron::host {

using nlohmann::json;

namespace {

const char* name_of(Log::Level level) {
  switch (level) {
    case Log::Level::debug:
      return "debug";
    case Log::Level::info:
      return "info";
    case Log::Level::warning:
      return "warning";
    case Log::Level::error:
      return "error";
  }
  return "info";
}

}  // namespace

void work_for_parent() {
  die_with_parent();
  hand_log_to([](Log::Level level, std::string_view text) { report({{"log", name_of(level)}, {"text", text}}); });
  hand_progress_to([](const ProgressState& p) {
    report({{"progress", p.what}, {"done", p.done}, {"total", p.total}, {"note", p.note}});
  });
}

void report_result(const FoldResult& result) {
  report({{"result",
           {{"progress", json::parse(progress_text(result.progress))},
            {"finished", result.finished},
            {"tiles_per_s", result.tiles_per_s},
            {"waited", result.waited}}}});
}

void report_failure() {
  std::string hint;
  try {
    throw;
  } catch (const Error& e) {
    hint = e.hint();
  } catch (const std::exception&) {  // says all in its text
  }
  report({{"error", describe_exception()}, {"hint", hint}});
}

}  // namespace nephron::host
