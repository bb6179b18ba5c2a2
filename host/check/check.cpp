#include <host/check/check.hpp>

#include <algorithm>
#include <chrono>
#include <thread>

#include <nlohmann/json.hpp>

#include <conformance/conformance.hpp>

#include <host/check/chosen.hpp>
#include <host/check/report_lines.hpp>
#include <host/plugins/child.hpp>
#include <host/plugins/elf_records.hpp>
#include <host/plugins/fingerprint.hpp>

namespace nephron::host {

namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

/// One component's checks, in as many children as it takes.
class ComponentCheck {
 public:
  ComponentCheck(const std::filesystem::path& file, const Chosen& chosen, const CheckOptions& options,
                 const std::function<void(CheckRow)>& add)
      : file_(file), chosen_(chosen), options_(options), add_(add) {}

  void run() {
    make_checks();
    if (traced_) compare_processes();
  }

 private:
  void make_checks() {
    while (!finished_) {
      running_.clear();
      const std::size_t before = done_.size();
      LineReader lines([&](const json& event) { take(event); });
      const ChildEnd end = run_child(command(), options_.patience, [&](std::string_view text) { lines.add(text); });
      if (finished_) return;
      fail_running(end);
      if (done_.size() == before || running_ == load_check) return;  // no use in trying again
    }
  }

  std::vector<std::string> command() const {
    std::vector<std::string> out{"/proc/self/exe", "__check", file_.string(), chosen_.component.kind,
                                 chosen_.component.name};
    for (const std::string& o : chosen_.overrides) out.insert(out.end(), {"--set", o});
    for (const std::string& c : options_.classes) out.insert(out.end(), {"--class", c});
    for (const std::filesystem::path& f : options_.files) out.insert(out.end(), {"--file", f.string()});
    for (const std::filesystem::path& p : options_.plugins) out.insert(out.end(), {"--plugin", p.string()});
    for (const std::string& d : done_) out.insert(out.end(), {"--skip", d});
    return out;
  }

  void take(const json& event) {
    if (event.contains("begin")) running_ = event["begin"];
    else if (event.contains("finished")) finished_ = true;
    else if (event.contains("trace")) take_trace(event["trace"], event["because"]);
    else if (event.contains("end")) {
      const std::string check = event["end"];
      running_.clear();
      // Loading is done by every child, and told once.
      if (std::find(done_.begin(), done_.end(), check) != done_.end()) return;
      done_.push_back(check);
      add_({.component = {},
            .check = check,
            .outcome = event["outcome"],
            .detail = event["detail"],
            .seconds = event["seconds"]});
    }
  }

  void take_trace(const std::string& trace, const std::string& because) {
    running_.clear();
    done_.push_back(processes_check);
    trace_ = trace;
    traced_at_ = Clock::now();
    traced_ = !trace.empty();
    if (!because.empty()) add_row("skipped", "needs a component that draws: " + because);
  }

  /// What is the same within one process may come from its start: a clock, a device, an address.
  void compare_processes() {
    constexpr auto another_second = std::chrono::milliseconds(1100);
    std::this_thread::sleep_until(traced_at_ + another_second);  // most checks take longer
    const auto start = Clock::now();
    std::string other, because;
    LineReader lines([&](const json& event) {
      if (event.contains("trace")) other = event["trace"], because = event["because"];
    });
    std::vector<std::string> second = command();
    second.insert(second.end(), {"--only", CheckChild::trace_task});
    const ChildEnd end = run_child(second, options_.patience, [&](std::string_view text) { lines.add(text); });
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    const std::string fault = conformance::trace_fault(chosen_.component.kind, trace_, other);
    if (fault.empty()) return add_row("passed", "", seconds);
    add_row("failed",
            !because.empty() ? "in another process, a second later, it cannot draw: " + because
            : other.empty()  ? "the component ended a second process: " + end.text()
                             : fault,
            seconds);
  }

  void add_row(const char* outcome, std::string detail, double seconds = 0) {
    add_({.component = {},
          .check = processes_check,
          .outcome = outcome,
          .detail = std::move(detail),
          .seconds = seconds});
  }

  void fail_running(const ChildEnd& end) {
    if (running_ == processes_check) return done_.push_back(processes_check);  // the check of what ends it will say so
    if (running_.empty()) running_ = load_check;
    std::string what = "the component ended the process: ";
    if (end.silent) what = "the component hung: ";
    else if (end.signal == 0) what = "the component called exit(): ";
    if (std::find(done_.begin(), done_.end(), running_) == done_.end()) done_.push_back(running_);
    add_({.component = {},
          .check = running_,
          .outcome = "failed",
          .detail = what + end.text(),
          .seconds = end.silent ? end.patience : 0});
  }

  const std::filesystem::path& file_;
  const Chosen& chosen_;
  const CheckOptions& options_;
  const std::function<void(CheckRow)>& add_;
  std::vector<std::string> done_;
  std::string running_;
  std::string trace_;
  Clock::time_point traced_at_;
  bool traced_ = false;
  bool finished_ = false;
};

/// What is to be checked, before the first row is shown; nothing of a file whose rows will say why it is none.
std::vector<Chosen> chosen_of(const std::filesystem::path& file, const CheckOptions& options) {
  PluginRecords records;
  try {
    records = read_records(file);
    require_fitting(file.string(), records);
  } catch (const Error&) {
    return {};
  }
  return records.components.empty() ? std::vector<Chosen>{} : choose_components(file, records, options);
}

}  // namespace

std::vector<CheckRow> check_plugin(const std::filesystem::path& file, const CheckOptions& options,
                                   const std::function<void(const CheckRow&)>& on_row) {
  const std::vector<Chosen> chosen = chosen_of(file, options);
  std::vector<CheckRow> rows;
  const auto add = [&](CheckRow row) {
    rows.push_back(std::move(row));
    on_row(rows.back());
  };
  PluginRecords records;
  const auto whole_file = [&](const char* check, const auto& body) {
    try {
      body();
      add({.component = {}, .check = check, .outcome = "passed", .detail = {}, .seconds = 0});
      return true;
    } catch (const Error& e) {
      add({.component = {}, .check = check, .outcome = "failed", .detail = e.what(), .seconds = 0});
      return false;
    }
  };
  const auto require_components = [&] {
    records = read_records(file);
    if (records.components.empty()) throw Error("it has no components", "NEPHRON_COMPONENT(...) registers one");
  };
  if (!whole_file("records", require_components)) return rows;
  if (!whole_file("fingerprint", [&] { require_fitting(file.string(), records); })) return rows;

  for (const Chosen& one : chosen) {
    const std::function<void(CheckRow)> add_here = [&](CheckRow row) {
      row.component = one.component.kind + " " + one.component.name;
      add(std::move(row));
    };
    ComponentCheck(file, one, options, add_here).run();
  }
  return rows;
}

}  // namespace nephron::host
