#include <host/registry/filter.hpp>

#include <algorithm>
#include <charconv>
#include <optional>

#include <nephron/value.hpp>

#include <host/util/printable.hpp>
#include <host/util/usage_error.hpp>

namespace nephron::host {

namespace {

enum class Op { equal, different, less, at_most, more, at_least, contains };

constexpr std::pair<const char*, Op> operators[] = {{"==", Op::equal},    {"!=", Op::different}, {"<=", Op::at_most},
                                                    {">=", Op::at_least}, {"=", Op::equal},      {"<", Op::less},
                                                    {">", Op::more},      {"~", Op::contains}};

constexpr int most_depth = 200;  // of parentheses and nots: each takes stack

/// The fault at a place of a filter, with the filter and a mark below it.
[[noreturn]] void refuse(const std::string& text, std::size_t at, const std::string& what, const std::string& hint) {
  // Characters take one column, whatever they are in bytes.
  const std::string before = printable_name(std::string_view(text).substr(0, at));
  const auto columns = std::count_if(before.begin(), before.end(),
                                     [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
  throw UsageError("the filter " + what + "\n  " + printable_name(text) + "\n  " +
                       std::string(static_cast<std::size_t>(columns), ' ') + "^",
                   hint);
}

std::optional<double> number_in(const std::string& text) {
  double value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

struct Filter::Node {
  enum class Kind { comparison, all, any, negation } kind = Kind::comparison;
  std::vector<std::unique_ptr<Node>> parts;
  std::size_t key = 0;
  Op op = Op::equal;
  std::string text;
  std::size_t place = 0;  ///< of the value, in the filter
  std::optional<double> number;
};

namespace {

template <class T>
bool holds(Op op, const T& a, const T& b) {
  switch (op) {
    case Op::equal:
      return a == b;
    case Op::different:
      return a != b;
    case Op::less:
      return a < b;
    case Op::at_most:
      return a <= b;
    case Op::more:
      return a > b;
    case Op::at_least:
      return a >= b;
    case Op::contains:
      break;
  }
  return false;
}

/// Of a list of tags: one of them is, or contains; or none is.
bool tags_hold(const Filter::Node& node, const std::string& tags) {
  bool any = false;
  for (std::size_t at = 0; at < tags.size();) {
    const std::size_t end = std::min(tags.find(tag_separator, at), tags.size());
    const std::string tag = tags.substr(at, end - at);
    any = any || (node.op == Op::contains ? tag.find(node.text) != std::string::npos
                                          : holds(node.op == Op::different ? Op::equal : node.op, tag, node.text));
    at = end + 1;
  }
  return node.op == Op::different ? !any : any;
}

bool compare(const Filter::Node& node, const std::string& key, const FactValue& value) {
  if (const auto a = number_of(value); a && node.number && node.op != Op::contains)
    return holds(node.op, *a, *node.number);
  const std::string text = text_of(value);
  if (key == "tag") return tags_hold(node, text);
  if (node.op == Op::contains) return text.find(node.text) != std::string::npos;
  return holds(node.op, text, node.text);
}

/// Nothing: not known.
std::optional<bool> truth(const Filter::Node& node, const std::vector<std::string>& keys,
                          const Filter::Lookup& lookup) {
  using Kind = Filter::Node::Kind;
  if (node.kind == Kind::comparison) {
    const FactValue* const value = lookup(node.key);
    if (value == nullptr) return std::nullopt;
    return compare(node, keys[node.key], *value);
  }
  if (node.kind == Kind::negation) {
    const auto inner = truth(*node.parts.front(), keys, lookup);
    return inner ? std::optional(!*inner) : std::nullopt;
  }
  const bool decides = node.kind == Kind::any;
  std::optional<bool> out = !decides;
  for (const auto& part : node.parts) {
    const auto one = truth(*part, keys, lookup);
    if (one == decides) return decides;
    if (!one) out = std::nullopt;
  }
  return out;
}

}  // namespace

class FilterParser {
 public:
  explicit FilterParser(const std::string& text) { out_.text_ = text; }

  Filter parse() {
    out_.root_ = any(0);
    skip_blanks();
    if (at_ < text().size())
      fault(text()[at_] == ')' ? "has a \")\" too many" : "goes on where it should end", joining);
    return std::move(out_);
  }

 private:
  using Node = Filter::Node;
  using Part = std::unique_ptr<Node>;
  static constexpr const char* joining = "comparisons are joined by and, or: dice>0.9 and user=anna";
  static constexpr const char* comparing = "a comparison is KEY OP VALUE with = != < <= > >= ~, such as dice>0.9";

  const std::string& text() const { return out_.text_; }
  [[noreturn]] void fault(const std::string& what, const std::string& hint) const { refuse(text(), at_, what, hint); }
  void skip_blanks() { at_ = std::min(text().find_first_not_of(" \t\r\n", at_), text().size()); }

  /// A word of the language, which no key is.
  bool take(const std::string& word) {
    skip_blanks();
    const std::size_t end = at_ + word.size();
    if (text().compare(at_, word.size(), word) != 0) return false;
    if (end < text().size() && std::string_view(" \t\r\n()\"'").find(text()[end]) == std::string_view::npos)
      return false;
    at_ = end;
    return true;
  }

  Part joined(Node::Kind kind, const char* word, int depth) {
    Part out = std::make_unique<Node>();
    out->kind = kind;
    do out->parts.push_back(kind == Node::Kind::any ? joined(Node::Kind::all, "and", depth) : negated(depth));
    while (take(word));
    return out->parts.size() == 1 ? std::move(out->parts.front()) : std::move(out);
  }
  Part any(int depth) { return joined(Node::Kind::any, "or", depth); }

  Part negated(int depth) {
    if (depth > most_depth) fault("is nested too deeply", "");
    if (take("not")) {
      Part out = std::make_unique<Node>();
      out->kind = Node::Kind::negation;
      out->parts.push_back(negated(depth + 1));
      return out;
    }
    skip_blanks();
    if (at_ >= text().size() || text()[at_] != '(') return comparison();
    const std::size_t opened = at_++;
    Part out = any(depth + 1);
    skip_blanks();
    if (at_ >= text().size() || text()[at_] != ')') {
      if (at_ >= text().size()) at_ = opened;
      fault(at_ == opened ? "has a \"(\" that nothing closes" : "goes on where \")\" was expected", joining);
    }
    ++at_;
    return out;
  }

  /// In quotes, or up to one of `ends`.
  std::string word(std::string_view ends) {
    skip_blanks();
    if (at_ < text().size() && (text()[at_] == '"' || text()[at_] == '\'')) {
      const std::size_t close = text().find(text()[at_], at_ + 1);
      if (close == std::string::npos) fault("has a quote that nothing closes", "");
      std::string out = text().substr(at_ + 1, close - at_ - 1);
      at_ = close + 1;
      return out;
    }
    const std::size_t end = std::min(text().find_first_of(ends, at_), text().size());
    std::string out = text().substr(at_, end - at_);
    at_ = end;
    return out;
  }

  Part comparison() {
    Part out = std::make_unique<Node>();
    skip_blanks();
    const std::size_t place = at_;
    const std::string key = word(" \t\r\n()=!<>~");
    if (key.empty()) fault(at_ >= text().size() ? "ends where a key was expected" : "has no key here", comparing);
    skip_blanks();
    const auto* const found = std::find_if(std::begin(operators), std::end(operators), [&](const auto& op) {
      return text().compare(at_, std::string_view(op.first).size(), op.first) == 0;
    });
    if (found == std::end(operators)) fault("compares \"" + printable_name(key) + "\" with nothing", comparing);
    out->op = found->second;
    at_ += std::string_view(found->first).size();
    skip_blanks();
    const std::size_t value_at = at_;
    const bool quoted = at_ < text().size() && (text()[at_] == '"' || text()[at_] == '\'');
    out->place = value_at;
    out->text = word(" \t\r\n()=<>");
    if (out->text.empty() && !quoted) {
      at_ = value_at;
      fault("lacks a value here", comparing);
    }
    if (!quoted) out->number = number_in(out->text);
    out->key = number_of_key(key, place);
    return out;
  }

  std::size_t number_of_key(const std::string& key, std::size_t place) {
    const auto found = std::find(out_.keys_.begin(), out_.keys_.end(), key);
    if (found != out_.keys_.end()) return static_cast<std::size_t>(found - out_.keys_.begin());
    out_.keys_.push_back(key);
    out_.places_.push_back(place);
    return out_.keys_.size() - 1;
  }

  Filter out_;
  std::size_t at_ = 0;
};

Filter::Filter() = default;
Filter::~Filter() = default;
Filter::Filter(Filter&&) noexcept = default;
Filter& Filter::operator=(Filter&&) noexcept = default;

Filter Filter::parse(const std::string& text) { return FilterParser(text).parse(); }

void Filter::require_known(const std::vector<std::string>& known) const {
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    if (std::find(known.begin(), known.end(), keys_[i]) != known.end()) continue;
    const std::string near = near_key(keys_[i], known);
    refuse(text_, places_[i], "compares \"" + printable_name(keys_[i]) + "\", which no run has",
           near.empty() ? "nephron runs keys lists what runs have" : "did you mean \"" + near + "\"?");
  }
}

namespace {

/// Comparisons by = or != of one key.
void collect_equalities(const Filter::Node& node, std::size_t key, std::vector<const Filter::Node*>& out) {
  for (const auto& part : node.parts) collect_equalities(*part, key, out);
  if (node.kind == Filter::Node::Kind::comparison && node.key == key &&
      (node.op == Op::equal || node.op == Op::different))
    out.push_back(&node);
}

}  // namespace

void Filter::require_possible(const std::string& key, const std::vector<std::string>& possible) const {
  const auto number = std::find(keys_.begin(), keys_.end(), key);
  if (number == keys_.end()) return;
  std::vector<const Node*> comparisons;
  collect_equalities(*root_, static_cast<std::size_t>(number - keys_.begin()), comparisons);
  for (const Node* const one : comparisons) {
    if (std::find(possible.begin(), possible.end(), one->text) != possible.end()) continue;
    std::string all;
    for (const std::string& value : possible) all += (all.empty() ? "" : ", ") + value;
    const std::string near = nearest(one->text, possible);
    refuse(text_, one->place, "asks for a " + key + " \"" + printable_name(one->text) + "\", which there is not",
           (near.empty() ? "" : "did you mean \"" + near + "\"? ") + ("there are " + all));
  }
}

bool Filter::matches(const Lookup& lookup) const { return truth(*root_, keys_, lookup) == true; }

std::string near_key(const std::string& word, const std::vector<std::string>& known) {
  const auto ends =
      std::find_if(known.begin(), known.end(), [&](const std::string& key) { return key.ends_with("." + word); });
  return ends != known.end() ? *ends : nearest(word, known);
}

}  // namespace nephron::host
