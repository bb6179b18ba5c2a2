#include <host/queue/job.hpp>

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include <host/util/checked_json.hpp>

namespace nephron::host {

using Json = nlohmann::ordered_json;

namespace {

constexpr std::array at_names{"waiting", "running", "held", "ended"};
constexpr std::array wish_names{"none", "yield", "hold", "cancel"};
constexpr std::array how_names{"none", "finished", "failed", "cancelled", "killed"};
constexpr double most_seconds = 1e12;
constexpr std::int64_t most_count = std::int64_t{1} << 53;

template <class Names>
int one_of(const JsonNode& node, const Names& names) {
  const std::string text = node.text();
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) node.refuse("is \"" + text.substr(0, 40) + "\", which is nothing that the queue knows");
  return static_cast<int>(found - names.begin());
}

Json json_of(const Moment& m) { return {{"wall", m.wall}, {"boot", m.boot}, {"boot_id", m.boot_id}}; }

Moment moment_of(const JsonNode& node) {
  return {node.at("wall").number(0, most_seconds), node.at("boot").number(0, most_seconds), node.at("boot_id").text()};
}

Json json_of(const Parts& parts) {
  Json gpus = Json::object(), cores = Json::array();
  for (std::size_t i = 0; i < most_gpus; ++i)
    if (parts.gpus[i] != 0) gpus[std::to_string(i)] = parts.gpus[i];
  for (std::size_t i = parts.cores._Find_first(); i < most_cores; i = parts.cores._Find_next(i)) cores.push_back(i);
  return {{"gpus", gpus}, {"cores", cores}};
}

Parts parts_of(const JsonNode& node) {
  Parts out;
  for (const auto& [key, mask] : node.at("gpus").members()) {
    const auto same = [k = key](std::size_t i) { return std::to_string(i) == k; };
    std::size_t i = 0;
    while (i < most_gpus && !same(i)) ++i;
    if (i == most_gpus) mask.refuse("is of a GPU that is none");
    out.gpus[i] = static_cast<GpuMask>(mask.integer(1, 0xffff));
  }
  for (const JsonNode& core : node.at("cores").items())
    out.cores.set(static_cast<std::size_t>(core.integer(0, static_cast<std::int64_t>(most_cores) - 1)));
  return out;
}

std::string dump(const Json& json) { return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n"; }

/// A number is no promise of what a later version means by these files.
JsonNode parse(const std::string& text, const std::string& file) {
  const JsonNode out = JsonNode::parse(text, file, "It is left out. Its owner may remove it.");
  out.at("version").integer(1, 1);
  return out;
}

Json begin() { return {{"version", 1}}; }

}  // namespace

const char* name_of(JobState::At at) { return at_names.at(static_cast<std::size_t>(at)); }
const char* name_of(JobState::How how) { return how_names.at(static_cast<std::size_t>(how)); }

bool is_job_id(const std::string& text) {
  return text.size() == 6 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::string text_of(const Ticket& t) {
  Json out = begin();
  out["id"] = t.id;
  out["name"] = t.name;
  out["first"] = t.first;
  out["again"] = t.again;
  out["folder"] = t.folder.string();
  out["umask"] = t.umask;
  out["run"] = t.run.string();
  out["gpus"] = t.request.gpus;
  out["gpu_bytes"] = t.request.gpu_bytes;
  out["cores"] = t.request.cores;
  out["priority"] = name_of(t.request.priority);
  out["submitted"] = json_of(t.submitted);
  return dump(out);
}

Ticket read_ticket(const std::string& text, const std::string& file) {
  const JsonNode json = parse(text, file);
  Ticket out;
  out.id = json.at("id").text();
  if (!is_job_id(out.id)) json.at("id").refuse("is no id: six digits, 0 to 9 and a to f, were expected");
  out.name = json.at("name").text().substr(0, 200);
  out.first = json.at("first").texts();
  if (out.first.empty()) json.at("first").refuse("is empty; a command was expected");
  out.again = json.at("again").texts();
  out.folder = json.at("folder").text();
  out.umask = static_cast<int>(json.at("umask").integer(0, 0777));
  out.run = json.at("run").text();
  out.request.gpus = static_cast<int>(json.at("gpus").integer(0, static_cast<std::int64_t>(most_gpus)));
  out.request.gpu_bytes = json.at("gpu_bytes").integer(0, most_count);
  out.request.cores = static_cast<int>(json.at("cores").integer(1, static_cast<std::int64_t>(most_cores)));
  const auto priority = priority_named(json.at("priority").text());
  if (!priority) json.at("priority").refuse("is neither idle nor normal nor urgent");
  out.request.priority = *priority;
  out.submitted = moment_of(json.at("submitted"));
  return out;
}

std::string text_of(const JobState& s) {
  Json out = begin();
  out["at"] = name_of(s.at);
  out["wish"] = wish_names.at(static_cast<std::size_t>(s.wish));
  out["since"] = json_of(s.since);
  out["start"] = s.start;
  out["parts"] = json_of(s.parts);
  out["fills"] = s.fills;
  out["counted"] = json_of(s.counted);
  out["left"] = s.left ? Json(*s.left) : Json(nullptr);
  out["left_at"] = json_of(s.left_at);
  out["told"] = s.told ? json_of(*s.told) : Json(nullptr);
  out["kills"] = s.kills;
  out["progress"] = s.progress;
  out["rests"] = s.rests;
  out["how"] = name_of(s.how);
  out["code"] = s.code;
  out["why"] = s.why;
  return dump(out);
}

JobState read_state(const std::string& text, const std::string& file) {
  const JsonNode json = parse(text, file);
  JobState out;
  out.at = static_cast<JobState::At>(one_of(json.at("at"), at_names));
  out.wish = static_cast<JobState::Wish>(one_of(json.at("wish"), wish_names));
  out.since = moment_of(json.at("since"));
  out.start = json.at("start").integer(0, most_count);
  out.parts = parts_of(json.at("parts"));
  out.fills = json.at("fills").boolean();
  out.counted = moment_of(json.at("counted"));
  if (!json.at("left").raw().is_null()) out.left = json.at("left").number(0, most_seconds);
  out.left_at = moment_of(json.at("left_at"));
  if (!json.at("told").raw().is_null()) out.told = moment_of(json.at("told"));
  out.kills = json.at("kills").integer(0, most_count);
  out.progress = json.at("progress").text();
  if (const auto rests = json.find("rests")) out.rests = rests->boolean();  // not in files of earlier versions
  out.how = static_cast<JobState::How>(one_of(json.at("how"), how_names));
  out.code = static_cast<int>(json.at("code").integer(-1000, 1000));
  out.why = json.at("why").text();
  return out;
}

std::string text_of(const Begun& b) {
  Json out = begin();
  out["start"] = b.start;
  out["keeper"] = b.keeper;
  out["keeper_born"] = b.keeper_born;
  return dump(out);
}

Begun read_begun(const std::string& text, const std::string& file) {
  const JsonNode json = parse(text, file);
  return {json.at("start").integer(0, most_count), json.at("keeper").integer(1, 1 << 30),
          json.at("keeper_born").integer(0, most_count)};
}

std::string text_of(const End& e) {
  Json out = begin();
  out["start"] = e.start;
  out["code"] = e.code;
  out["signal"] = e.signal;
  out["error"] = e.error;
  return dump(out);
}

End read_end(const std::string& text, const std::string& file) {
  const JsonNode json = parse(text, file);
  return {json.at("start").integer(0, most_count), static_cast<int>(json.at("code").integer(0, 255)),
          static_cast<int>(json.at("signal").integer(0, 128)), json.at("error").text()};
}

std::string text_of(const UseSum& u) {
  Json out = begin();
  out["gpu_seconds"] = u.seconds;
  out["at"] = json_of(u.at);
  return dump(out);
}

UseSum read_use(const std::string& text, const std::string& file) {
  const JsonNode json = parse(text, file);
  return {json.at("gpu_seconds").number(0, most_seconds), moment_of(json.at("at"))};
}

std::string text_of(const Beat& beat) {
  Json out = begin();
  out["at"] = json_of(beat.at);
  return dump(out);
}

Beat read_beat(const std::string& text, const std::string& file) { return {moment_of(parse(text, file).at("at"))}; }

}  // namespace nephron::host
