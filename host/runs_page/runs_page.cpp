#include <host/runs_page/runs_page.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <mutex>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/html/html.hpp>
#include <host/plot/run_curves.hpp>
#include <host/runs_page/page_curves.hpp>
#include <host/runs_page/page_facts.hpp>
#include <host/runs_page/page_scripts.hpp>
#include <host/util/counted.hpp>
#include <host/util/interrupt.hpp>
#include <host/util/progress.hpp>
#include <host/util/thread_pool.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_points = 120, least_points = 12;  // of a line: a chart is 400 pixels wide
constexpr std::size_t runs_at_a_time = 64;
constexpr std::size_t bytes_of_a_number = 8;  // with its comma: "0.87312,"

std::vector<PageCurves> read_all(const RunsPageRequest& request, RunsPage& page) {
  std::vector<PageCurves> out(request.runs.size());
  Progress progress("reading curves", static_cast<std::int64_t>(request.runs.size()));
  std::mutex mutex;
  for (std::size_t begin = 0; begin < request.runs.size(); begin += runs_at_a_time) {
    const std::size_t count = std::min(runs_at_a_time, request.runs.size() - begin);
    thread_pool().parallel_for(count, [&](std::size_t i) {
      const fs::path& run = request.runs[begin + i].folder;
      try {
        out[begin + i] = read_page_curves(run, request.curves, most_points);
      } catch (const std::exception& e) {
        const std::lock_guard hold(mutex);
        page.problems.push_back(e.what());
      }
    });
    if (interrupted()) throw Cancelled();
    progress.update(static_cast<std::int64_t>(begin + count));
  }
  progress.finish();
  std::sort(page.problems.begin(), page.problems.end());  // whichever thread came first
  return out;
}

/// Of each line, so that the page keeps within its size.
std::size_t points_that_fit(const std::vector<PageCurves>& all, std::size_t taken) {
  std::size_t numbers = 0;  // a point of every line
  for (const PageCurves& run : all)
    for (const PageCurve& curve : run.of)
      if (!curve.empty()) numbers += curve.low.empty() ? 2 : 4;
  if (numbers == 0) return most_points;
  const std::size_t room = most_page_bytes > taken ? most_page_bytes - taken : 0;
  return std::clamp(room / (numbers * bytes_of_a_number), least_points, most_points);
}

/// Five digits are more than a pixel.
std::string digits(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::general, 5).ptr;
  return {text, end};
}

void add(std::string& out, const char* name, const std::vector<double>& values) {
  if (values.empty()) return;
  out += (out.back() == '{' ? "\"" : ",\"") + std::string(name) + "\":[";
  for (std::size_t i = 0; i < values.size(); ++i) out += (i > 0 ? "," : "") + digits(values[i]);
  out += "]";
}

/// [[a curve or null for each name] for each run]. As text: a tree of a million numbers takes longer to build.
std::string json_of(const std::vector<PageCurves>& all, std::size_t names, std::size_t points) {
  std::string out = "[";
  for (const PageCurves& run : all) {
    out += out.size() > 1 ? ",\n[" : "[";
    for (std::size_t i = 0; i < names; ++i) {
      if (i > 0) out += ",";
      if (i >= run.of.size() || run.of[i].empty()) {
        out += "null";
        continue;
      }
      const PageCurve curve = thinned(run.of[i], points);
      out += "{";
      add(out, "x", curve.steps), add(out, "y", curve.mean), add(out, "low", curve.low), add(out, "high", curve.high);
      out += "}";
    }
    out += "]";
  }
  return out + "]";
}

/// Escaped as a part of an address.
std::string address_of(const fs::path& relative) {
  std::string out;
  for (const char c : relative.generic_string()) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
                       c == '.' || c == '-' || c == '_' || c == '~';
    char code[4];
    std::snprintf(code, sizeof code, "%%%02X", static_cast<unsigned char>(c));
    out += plain ? std::string(1, c) : code;
  }
  return out;
}

/// Links from the page to report.html of those runs that have one; null of others.
Json reports_of(const RunsPageRequest& request) {
  std::error_code failed;
  const fs::path here = fs::weakly_canonical(fs::absolute(request.file), failed).parent_path();
  Json out = Json::array();
  for (const IndexedRun& run : request.runs) {
    const fs::path report = run.folder / "report.html";
    if (!fs::is_regular_file(report, failed)) out.push_back(nullptr);
    else out.push_back("./" + address_of(report.lexically_relative(here)));
  }
  return out;
}

/// Text of JSON that may stand in a page: no name in it ends the element.
std::string in_page(std::string json) {
  std::string out;
  out.reserve(json.size());
  for (const char c : json) c == '<' ? out += "\\u003c" : out += c;
  return out;
}

std::string dumped(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string body_of(const RunsPageRequest& request, const std::string& data) {
  const std::string count = counted(request.runs.size(), "run");
  return "<style>" + std::string(runs_page_style) + "</style>\n<h1>" + count + "</h1>\n<p class=\"soft\">" +
         escaped(request.told) +
         "</p>\n<noscript><p class=\"fault\">The table and the curves are drawn by the page's own script, which this "
         "browser does not run.</p></noscript>\n<div id=\"page\"></div>\n<script type=\"application/json\" "
         "id=\"data\">" +
         data + "</script>\n";
}

}  // namespace

RunsPage make_runs_page(const RunIndex& index, const RunsPageRequest& request) {
  RunsPage out;
  const std::vector<PageCurves> curves = read_all(request, out);
  const PageFacts facts = page_facts(index, request.runs);
  Json titles = Json::array(), per_epoch = Json::array(), dashes = Json::array();
  for (const std::string& name : request.curves) titles.push_back(title_of_metric(name));
  for (const PageCurves& run : curves) {
    per_epoch.push_back(run.steps_per_epoch);
    out.with_curves += std::any_of(run.of.begin(), run.of.end(), [](const PageCurve& c) { return !c.empty(); });
  }
  for (int i = 0; i < 4; ++i) dashes.push_back(dashes_of(i));
  std::string head = dumped({{"columns", request.columns},
                             {"sort", request.sort},
                             {"descending", request.descending},
                             {"recipes", facts.recipes},
                             {"reports", reports_of(request)},
                             {"titles", titles},
                             {"per_epoch", per_epoch},
                             {"colours", series_colours},
                             {"dashes", dashes},
                             {"keys", facts.keys}});
  head = in_page(std::move(head));
  head.pop_back();
  const std::size_t points = points_that_fit(curves, head.size() + 100'000);
  out.html = html_page("Runs",
                       body_of(request, head + ",\n\"curves\":" + json_of(curves, request.curves.size(), points) + "}"),
                       runs_page_script());
  return out;
}

}  // namespace nephron::host
