#include <algorithm>
#include <chrono>

#include <unistd.h>
#include <nlohmann/json.hpp>

#include <nephron/reader.hpp>

#include <conformance/conformance.hpp>

#include <host/check/check.hpp>
#include <host/check/check_context.hpp>
#include <host/check/overrides.hpp>
#include <host/check/report_lines.hpp>
#include <host/plugins/child.hpp>
#include <host/plugins/elf_records.hpp>
#include <host/plugins/guard.hpp>
#include <host/plugins/probe.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {

namespace {

using conformance::Check;
using conformance::Subject;
using nlohmann::json;
using Clock = std::chrono::steady_clock;

/// Runs one check between two reports; true when it did not fail.
template <class Body>
bool reported(const std::string& name, Body&& body) {
  report({{"begin", name}});
  const auto start = Clock::now();
  std::string outcome = "passed";
  std::string detail;
  try {
    body();
  } catch (const conformance::Failed& e) {
    outcome = "failed";
    detail = e.what();
  } catch (const conformance::Skipped& e) {
    outcome = "skipped";
    detail = e.what();
  } catch (const conformance::Noted& e) {
    detail = e.what();
  } catch (const Error& e) {
    outcome = "failed";
    detail = e.what() + (e.hint().empty() ? "" : " (" + e.hint() + ")");
  } catch (...) {
    outcome = "failed";
    detail = describe_exception();
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  report({{"end", name}, {"outcome", outcome}, {"detail", detail}, {"seconds", seconds}});
  return outcome != "failed";
}

std::vector<Override> overrides_of(const CheckChild& what) {
  std::vector<Override> out;
  for (const std::string& text : what.overrides) out.push_back(read_override(text));
  return out;
}

/// Readers as an experiment with this plugin would find them: its own, and those of `--plugin`.
PluginSearch search_of_readers(const CheckChild& what) {
  PluginSearch search;
  search.command_line = what.plugins;
  const PluginRecords records = read_records(what.file);
  const bool has_readers = std::any_of(records.components.begin(), records.components.end(),
                                       [](const auto& c) { return c.kind == Reader::kind; });
  if (has_readers) search.command_line.push_back(what.file);
  return search;
}

Subject subject_of(const Registry& registry, const CheckChild& what) {
  Subject s;
  s.kind = what.kind;
  s.name = what.name;
  s.schema = &registry.schema(what.kind, what.name);
  s.create = [&registry, what, readers = std::make_shared<CheckReaders>(search_of_readers(what))](const Value& params,
                                                                                                  Context& context) {
    struct Pair {
      CheckContext context;  // first: destroyed last
      std::shared_ptr<Component> component;
    };
    auto pair = std::make_shared<Pair>(Pair{CheckContext(context, readers), nullptr});
    pair->component = registry.create(what.kind, {.type = what.name, .params = params, .source = {}}, pair->context);
    return std::shared_ptr<Component>(pair, pair->component.get());
  };
  s.params = parameters_of(overrides_of(what));
  s.files = what.files;
  if (!what.classes.empty()) s.classes = what.classes;
  s.cuda = what.cuda;
  s.no_cuda_because = what.no_cuda_because;
  s.imports = read_records(what.file).imports;
  return s;
}

/// What the component draws, for the check that needs two processes. No row of the table: what goes wrong here fails
/// the check that is made for it.
void report_trace(const Subject& subject) {
  report({{"begin", processes_check}});
  json event{{"trace", ""}, {"because", ""}};
  try {
    event["trace"] = conformance::trace_of(subject);
  } catch (const Error& e) {
    event["because"] = e.what();
  } catch (...) {
    event["because"] = describe_exception();
  }
  report(event);
}

void report_parameters(const CheckChild& what, const Subject& subject) {
  for (const OverrideFault& f : faults_of(overrides_of(what), *subject.schema))
    report({{"set", f.text}, {"unknown", f.unknown}, {"message", f.message}, {"hint", f.hint}});
}

void make_checks(const CheckChild& what, const Subject& subject) {
  const auto skipped = [&](const std::string& name) {
    return std::find(what.skip.begin(), what.skip.end(), name) != what.skip.end();
  };
  if (!skipped(processes_check)) report_trace(subject);
  for (const Check& check : conformance::checks_of(what.kind))
    if (!skipped(check.name)) reported(check.name, [&] { check.run(subject); });
}

}  // namespace

void check_in_child(const CheckChild& what) {
  enter_child();
  set_probe_command({});  // this process is the trial
  std::unique_ptr<Registry> registry;
  Subject subject;
  const bool loaded = reported(load_check, [&] {
    PluginSearch search;
    search.command_line = {what.file};
    search.folders = false;
    registry = std::make_unique<Registry>(search);
    subject = subject_of(*registry, what);
  });
  if (loaded) {
    if (what.only == CheckChild::parameters_task) report_parameters(what, subject);
    else if (what.only == CheckChild::trace_task) report_trace(subject);
    else make_checks(what, subject);
  }
  report({{"finished", true}});
  ::_exit(0);
}

}  // namespace nephron::host
