#include <host/train/fold_worker.hpp>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/plugins/guard.hpp>
#include <host/util/child_process.hpp>
#include <host/util/log.hpp>
#include <host/util/progress.hpp>
#include <host/util/report_lines.hpp>
#include <host/util/usage_error.hpp>

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
            {"paused", result.paused},
            {"tiles_per_s", result.tiles_per_s},
            {"waited", result.waited}}}});
}

void report_failure() {
  std::string hint;
  bool usage = false;
  try {
    throw;
  } catch (const Error& e) {
    hint = e.hint();
    usage = dynamic_cast<const UsageError*>(&e) != nullptr;
  } catch (const std::exception&) {  // says all in its text
  }
  report({{"error", describe_exception()}, {"hint", hint}, {"usage", usage}});
}

bool relay_log(const json& event, const std::string& who) {
  if (!event.contains("log")) return false;
  const std::string level = event["log"], text = event["text"];
  const std::string line = text.starts_with(who) ? text : who + ": " + text;
  if (level == "warning") log().warning(line);
  else if (level == "error") log().error(line);
  else if (level == "debug") log().debug(line);
  else log().info(line);
  return true;
}

}  // namespace nephron::host
