#include <host/replay/step_digests.hpp>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <sstream>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/util/checked_json.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr std::int64_t most_steps = std::int64_t{1} << 50;  // every one of which a double holds
constexpr std::size_t digits = 16, most_tensors = 1000000;

void append_hex(std::string& to, std::uint64_t value) {
  constexpr char all[] = "0123456789abcdef";
  for (int shift = 60; shift >= 0; shift -= 4) to += all[(value >> shift) & 15];
}

std::string hex(std::uint64_t value) {
  std::string out;
  append_hex(out, value);
  return out;
}

std::uint64_t number_of(const JsonNode& node, std::string_view text) {
  std::uint64_t out = 0;
  const auto [stop, failed] = std::from_chars(text.data(), text.data() + text.size(), out, 16);
  if (text.size() != digits || failed != std::errc() || stop != text.data() + text.size())
    node.refuse("is no digest: 16 digits 0-9, a-f were expected");
  return out;
}

Json session_json(const DigestSession& s) {
  return {{"device", s.device}, {"processor", s.processor}, {"threads", s.threads},
          {"torch", s.torch},   {"program", s.program},     {"ranks", s.ranks}};
}

/// "cpu", "cuda:0".
std::string device_of(const JsonNode& node) {
  const std::string text = node.text();
  const std::string number = text.starts_with("cuda:") ? text.substr(5) : "0";
  const bool good = text == "cpu" || (!number.empty() && number.size() < 4 && text.starts_with("cuda:") &&
                                      number.find_first_not_of("0123456789") == std::string::npos);
  if (!good) node.refuse("is no device: cpu or cuda:N was expected");
  return text;
}

DigestSession session_of(const JsonNode& node) {
  return {device_of(node.at("device")),
          node.at("processor").text(),
          static_cast<int>(node.at("threads").integer(0, 1 << 20)),
          node.at("torch").text(),
          node.at("program").text(),
          static_cast<int>(node.at("ranks").integer(1, 1 << 20))};
}

/// The step that a line belongs to; nothing for names and for what is no line of ours.
std::optional<std::int64_t> step_of_line(const Json& line, const char* key) {
  if (!line.is_object() || !line.contains(key) || !line[key].is_number_integer()) return std::nullopt;
  return line[key].get<std::int64_t>();
}

/// Keeps what belongs to steps up to one; of a fresh fold nothing. Lines that are torn or damaged go.
void keep_until(const fs::path& file, std::int64_t last) {
  if (!fs::exists(file)) return;
  std::istringstream lines(last > 0 ? read_file(file) : std::string());
  std::string kept;
  for (std::string line; std::getline(lines, line);) {
    const Json json = Json::parse(line, nullptr, false);
    const auto step = step_of_line(json, "step"), after = step_of_line(json, "after");
    if ((step && *step <= last) || (after && *after <= last) || (json.is_object() && json.contains("names")))
      kept += line + "\n";
  }
  write_file_atomically(file, kept);
}

/// Reads the lines of a file one after another.
class Reader {
 public:
  explicit Reader(fs::path file) : file_(std::move(file)) {}

  DigestRecord read() {
    std::istringstream lines(read_file(file_));
    std::int64_t number = 0;
    for (std::string line; std::getline(lines, line);) {
      ++number;
      const bool last = lines.peek() == std::char_traits<char>::eof();
      if (last && !Json::accept(line)) break;  // torn by a kill
      add(JsonNode::parse(line, file_.string() + ":" + std::to_string(number),
                          "Without it nobody can tell whether the run comes out again; a new run leaves a new one."));
    }
    if (out_.sessions.empty())
      throw Error(file_.string() + " says of no process what it was trained with",
                  "The run was made by a nephron that left no digests, or the file was cut.");
    return std::move(out_);
  }

 private:
  void add(const JsonNode& line) {
    if (const auto session = line.find("session")) {
      out_.sessions.insert_or_assign(line.at("after").integer(0, most_steps), session_of(*session));
    } else if (const auto names = line.find("names")) {
      names_ = names->texts();
      if (names_.size() > most_tensors) names->refuse("has too many entries");
    } else {
      const std::int64_t step = line.at("step").integer(0, most_steps);
      if (const auto tensors = line.find("tensors")) add_tensors(step, *tensors);
      else {
        const std::int64_t expected = !out_.steps.empty()     ? out_.steps.rbegin()->first + 1
                                      : out_.sessions.empty() ? 1
                                                              : out_.sessions.begin()->first + 1;
        if (step != expected)
          line.at("step").refuse("is " + std::to_string(step) + "; " + std::to_string(expected) + " was expected");
        out_.steps[step] = {number_of(line.at("batch"), line.at("batch").text()),
                            std::bit_cast<double>(number_of(line.at("loss"), line.at("loss").text()))};
      }
    }
  }

  void add_tensors(std::int64_t step, const JsonNode& node) {
    const std::string text = node.text();
    if (text.size() != digits * names_.size())
      node.refuse("has " + std::to_string(text.size()) + " digits; " + std::to_string(digits) + " for each of " +
                  std::to_string(names_.size()) + " names were expected");
    TensorDigests& to = out_.tensors[step];
    to.clear();
    for (std::size_t i = 0; i < names_.size(); ++i)
      to.emplace_back(names_[i], number_of(node, std::string_view(text).substr(digits * i, digits)));
  }

  fs::path file_;
  std::vector<std::string> names_;
  DigestRecord out_;
};

}  // namespace

DigestLog::DigestLog(const fs::path& fold, std::int64_t resumed_at, const DigestSession& session)
    : file_(fold / digests_name) {
  keep_until(file_, resumed_at);
  lines_.open(file_, std::ios::app);
  if (!lines_) throw Error("cannot write " + file_.string() + ": " + std::strerror(errno));
  lines_ << Json{{"session", session_json(session)}, {"after", resumed_at}}.dump(-1, ' ', false,
                                                                                 Json::error_handler_t::replace)
         << '\n';
}

void DigestLog::step(std::int64_t step, std::uint64_t batch, double loss) {
  lines_ << R"({"step":)" << step << R"(,"batch":")" << hex(batch) << R"(","loss":")"
         << hex(std::bit_cast<std::uint64_t>(loss)) << "\"}\n";
}

void DigestLog::tensors(std::int64_t step, const TensorDigests& digests) {
  const bool same = std::equal(names_.begin(), names_.end(), digests.begin(), digests.end(),
                               [](const std::string& name, const auto& entry) { return name == entry.first; });
  if (!same) {
    names_.clear();
    for (const auto& [name, digest] : digests) names_.push_back(name);
    lines_ << Json{{"names", names_}}.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
  }
  std::string text;
  text.reserve(digits * digests.size());
  for (const auto& [name, digest] : digests) append_hex(text, digest);
  lines_ << R"({"step":)" << step << R"(,"tensors":")" << text << "\"}\n";
}

void DigestLog::flush() {
  if (!lines_.flush()) throw Error("cannot write " + file_.string() + ": is the disk full?");
}

const DigestSession& DigestRecord::session_of(std::int64_t step) const {
  const auto after = sessions.lower_bound(step);  // the first that began at this step or later
  return after == sessions.begin() ? after->second : std::prev(after)->second;
}

DigestRecord read_digests(const fs::path& file) { return Reader(file).read(); }

}  // namespace nephron::host
