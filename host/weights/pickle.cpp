#include <host/weights/pickle.hpp>

#include <array>
#include <cctype>
#include <limits>
#include <unordered_map>

#include <nephron/error.hpp>

#include <host/weights/byte_reader.hpp>
#include <host/weights/dtypes.hpp>

// The opcodes are those of Python's pickletools. A pickle is a program for a stack machine; this one has no way to
// call anything.

namespace nephron::host {

namespace {

using Id = Pickle::Id;
using Kind = Pickle::Kind;
using Node = Pickle::Node;

constexpr std::size_t most_nodes = 2'000'000;

constexpr std::array<std::string_view, 5> known_globals{"collections OrderedDict", "torch._utils _rebuild_tensor_v2",
                                                        "torch._utils _rebuild_tensor",
                                                        "torch._utils _rebuild_parameter", "torch Size"};

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 80)) out += std::isprint(static_cast<unsigned char>(c)) != 0 ? c : '?';
  return out;
}

class Machine {
 public:
  explicit Machine(std::string_view bytes) : in_(bytes) {}

  Pickle run() {
    while (step(in_.number<std::uint8_t>())) {}
    if (stack_.empty()) throw Error("its pickle holds nothing");
    p_.root = stack_.back();
    p_.used = in_.position();
    return std::move(p_);
  }

 private:
  bool step(std::uint8_t op);
  bool step_number(std::uint8_t op);
  bool step_text(std::uint8_t op);
  bool step_container(std::uint8_t op);
  bool step_memo(std::uint8_t op);

  Id make(Node node) {
    if (p_.nodes.size() >= most_nodes)
      throw Error("its pickle has more than " + std::to_string(most_nodes) + " values");
    p_.nodes.push_back(std::move(node));
    return static_cast<Id>(p_.nodes.size() - 1);
  }
  void push(Node node) { stack_.push_back(make(std::move(node))); }
  void push_number(Kind kind, std::int64_t n) { push({.kind = kind, .number = n, .text = {}, .items = {}}); }
  void push_text(std::string_view text) {
    push({.kind = Kind::text, .number = 0, .text = std::string(text), .items = {}});
  }
  Id pop() {
    if (stack_.size() <= floor()) throw Error("its pickle takes a value that is not there");
    const Id id = stack_.back();
    stack_.pop_back();
    return id;
  }
  /// Values above the last mark cannot be taken by what stands below it.
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  std::vector<Id> pop_to_mark() {
    if (marks_.empty()) throw Error("its pickle closes a group that it never opened");
    std::vector<Id> items(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back()), stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return items;
  }
  Node& top(Kind kind, const char* name) {
    if (stack_.size() <= floor() || p_.nodes[stack_.back()].kind != kind)
      throw Error(std::string("its pickle fills a ") + name + " that is not there");
    return p_.nodes[stack_.back()];
  }
  void fill(Node& node, const std::vector<Id>& items) {
    if (node.kind == Kind::dict && items.size() % 2 != 0)
      throw Error("its pickle has a dictionary key without a value");
    for (const Id item : items) node.items.push_back(item);
  }
  void push_group(Kind kind, std::vector<Id> items) {
    Node node{.kind = kind, .number = 0, .text = {}, .items = {}};
    fill(node, items);
    push(std::move(node));
  }
  void push_tuple(std::size_t n) {
    std::vector<Id> items(n);
    for (std::size_t i = n; i > 0; --i) items[i - 1] = pop();
    push_group(Kind::tuple, std::move(items));
  }

  void global(std::string name);
  void persistent();
  void reduce();
  void rebuild_tensor(const std::vector<Id>& args);
  void ordered_dict(const std::vector<Id>& args);

  const Node& at(Id id) const { return p_.nodes[id]; }
  std::int64_t integer(Id id, const char* what) const {
    if (at(id).kind != Kind::integer) throw Error(std::string("its pickle gives no whole number as ") + what);
    return at(id).number;
  }
  std::vector<std::int64_t> integers(Id id, const char* what) const {
    if (at(id).kind != Kind::tuple || at(id).items.size() > 16) throw Error(std::string("its pickle gives no ") + what);
    std::vector<std::int64_t> out;
    for (const Id item : at(id).items) out.push_back(integer(item, what));
    return out;
  }

  ByteReader in_;
  Pickle p_;
  std::vector<Id> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint32_t, Id> memo_;
};

bool Machine::step_number(std::uint8_t op) {
  switch (op) {
    case 'N':
      push({});
      return true;
    case 0x88:
      push_number(Kind::boolean, 1);
      return true;
    case 0x89:
      push_number(Kind::boolean, 0);
      return true;
    case 'J':
      push_number(Kind::integer, in_.number<std::int32_t>());
      return true;
    case 'K':
      push_number(Kind::integer, in_.number<std::uint8_t>());
      return true;
    case 'M':
      push_number(Kind::integer, in_.number<std::uint16_t>());
      return true;
    case 0x8a: {
      const std::string_view bytes = in_.take(in_.number<std::uint8_t>());
      if (bytes.size() > 8) throw Error("its pickle holds a whole number of more than 64 bits");
      std::uint64_t n = !bytes.empty() && (bytes.back() & 0x80) != 0 ? ~std::uint64_t{0} : 0;
      std::memcpy(&n, bytes.data(), bytes.size());
      push_number(Kind::integer, static_cast<std::int64_t>(n));
      return true;
    }
    case 'G':
      in_.take(8);
      push({.kind = Kind::real, .number = 0, .text = {}, .items = {}});
      return true;
    default:
      return false;
  }
}

bool Machine::step_text(std::uint8_t op) {
  switch (op) {
    case 'X':
    case 'T':
      push_text(in_.take(in_.number<std::uint32_t>()));
      return true;
    case 'U':
    case 0x8c:
      push_text(in_.take(in_.number<std::uint8_t>()));
      return true;
    case 'c': {
      const std::string module(in_.line());
      global(module + " " + std::string(in_.line()));
      return true;
    }
    case 0x93: {
      const Id name = pop(), module = pop();
      if (at(name).kind != Kind::text || at(module).kind != Kind::text) throw Error("its pickle names a global badly");
      global(at(module).text + " " + at(name).text);
      return true;
    }
    default:
      return false;
  }
}

bool Machine::step_container(std::uint8_t op) {
  switch (op) {
    case '(':
      marks_.push_back(stack_.size());
      return true;
    case ')':
      push_tuple(0);
      return true;
    case 0x85:
      push_tuple(1);
      return true;
    case 0x86:
      push_tuple(2);
      return true;
    case 0x87:
      push_tuple(3);
      return true;
    case 't':
      push_group(Kind::tuple, pop_to_mark());
      return true;
    case ']':
      push_group(Kind::list, {});
      return true;
    case 'l':
      push_group(Kind::list, pop_to_mark());
      return true;
    case '}':
      push_group(Kind::dict, {});
      return true;
    case 'd':
      push_group(Kind::dict, pop_to_mark());
      return true;
    case 'a': {
      const Id item = pop();
      top(Kind::list, "list").items.push_back(item);
      return true;
    }
    case 'e': {
      const std::vector<Id> items = pop_to_mark();
      fill(top(Kind::list, "list"), items);
      return true;
    }
    case 's': {
      const Id value = pop(), key = pop();
      std::vector<Id>& items = top(Kind::dict, "dictionary").items;
      items.push_back(key);
      items.push_back(value);
      return true;
    }
    case 'u': {
      const std::vector<Id> items = pop_to_mark();
      fill(top(Kind::dict, "dictionary"), items);
      return true;
    }
    default:
      return false;
  }
}

bool Machine::step_memo(std::uint8_t op) {
  const auto put = [&](std::uint32_t key) {
    if (stack_.size() <= floor()) throw Error("its pickle remembers a value that is not there");
    memo_[key] = stack_.back();
    return true;
  };
  const auto get = [&](std::uint32_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) throw Error("its pickle recalls a value that it never stored");
    stack_.push_back(found->second);
    return true;
  };
  switch (op) {
    case 'q':
      return put(in_.number<std::uint8_t>());
    case 'r':
      return put(in_.number<std::uint32_t>());
    case 0x94:
      return put(static_cast<std::uint32_t>(memo_.size()));
    case 'h':
      return get(in_.number<std::uint8_t>());
    case 'j':
      return get(in_.number<std::uint32_t>());
    default:
      return false;
  }
}

bool Machine::step(std::uint8_t op) {
  switch (op) {
    case '.':
      return false;
    case 0x80:
      if (const int protocol = in_.number<std::uint8_t>(); protocol > 4)
        throw Error("its pickle has protocol " + std::to_string(protocol) + "; up to 4 is read");
      return true;
    case 0x95:
      in_.take(8);
      return true;
    case '0':
      pop();
      return true;
    case '1':
      pop_to_mark();
      return true;
    case 'Q':
      persistent();
      return true;
    case 'R':
      reduce();
      return true;
    case 'b': {  // attributes of an ordered dictionary (_metadata): nothing that tensors need
      pop();
      top(Kind::dict, "dictionary");
      return true;
    }
    default:
      break;
  }
  if (step_number(op) || step_text(op) || step_container(op) || step_memo(op)) return true;
  throw Error("its pickle holds the instruction " + std::to_string(op) + " at byte " +
                  std::to_string(in_.position() - 1) + ", which weights do not need",
              "save the state dict alone: torch.save(model.state_dict(), FILE)");
}

void Machine::global(std::string name) {
  bool known = name.starts_with("torch ") && dtype_of_storage(std::string_view(name).substr(6));
  for (const std::string_view allowed : known_globals) known = known || name == allowed;
  if (!known)
    throw Error("its pickle asks for the Python object \"" + printable(name) +
                    "\". Only tensors, numbers, strings and dictionaries are read, and nothing is ever executed",
                "in Python, save the state dict alone: torch.save(model.state_dict(), FILE), or safetensors");
  push({.kind = Kind::global, .number = 0, .text = std::move(name), .items = {}});
}

void Machine::persistent() {
  const Node id = at(pop());
  if (id.kind != Kind::tuple || id.items.size() < 5 || at(id.items[0]).text != "storage" ||
      at(id.items[1]).kind != Kind::global || at(id.items[2]).kind != Kind::text)
    throw Error("its pickle refers to something outside that is no storage of numbers");
  const auto type = dtype_of_storage(std::string_view(at(id.items[1]).text).substr(std::string_view("torch ").size()));
  if (!type) throw Error("its pickle has a storage of \"" + printable(at(id.items[1]).text) + "\"");
  if (id.items.size() > 5 && at(id.items[5]).kind != Kind::none)
    throw Error("its pickle has a view of a storage, which PyTorch wrote before 0.4",
                "load and save it with a newer PyTorch");
  const std::int64_t elements = integer(id.items[4], "size of a storage");
  if (elements < 0) throw Error("its pickle has a storage of negative size");
  p_.storages.push_back({at(id.items[2]).text, *type, elements});
  push_number(Kind::storage, static_cast<std::int64_t>(p_.storages.size() - 1));
}

void Machine::reduce() {
  const Id args_id = pop(), callee_id = pop();
  if (at(callee_id).kind != Kind::global || at(args_id).kind != Kind::tuple)
    throw Error("its pickle calls something that cannot be called");
  const std::string name = at(callee_id).text;
  const std::vector<Id> args = at(args_id).items;
  if (name == "collections OrderedDict") return ordered_dict(args);
  if (name.starts_with("torch._utils _rebuild_tensor")) return rebuild_tensor(args);
  if (name == "torch._utils _rebuild_parameter" && !args.empty() && at(args[0]).kind == Kind::tensor)
    return stack_.push_back(args[0]);
  if (name == "torch Size" && args.size() == 1) return stack_.push_back(args[0]);
  throw Error("its pickle calls \"" + printable(name) + "\" with arguments that do not fit");
}

void Machine::ordered_dict(const std::vector<Id>& args) {
  std::vector<Id> items;
  if (!args.empty()) {
    if (args.size() != 1 || at(args[0]).kind != Kind::list)
      throw Error("its pickle makes a dictionary of something else");
    for (const Id pair : at(args[0]).items) {
      if (at(pair).items.size() != 2) throw Error("its pickle makes a dictionary of something else than pairs");
      for (const Id item : at(pair).items) items.push_back(item);
    }
  }
  push_group(Kind::dict, std::move(items));
}

void Machine::rebuild_tensor(const std::vector<Id>& args) {
  if (args.size() < 4 || at(args[0]).kind != Kind::storage)
    throw Error("its pickle rebuilds a tensor without a storage");
  Pickle::Tensor t{static_cast<std::size_t>(at(args[0]).number), integer(args[1], "offset of a tensor"),
                   integers(args[2], "shape of a tensor"), integers(args[3], "strides of a tensor")};
  const std::int64_t holds = p_.storages[t.storage].elements;
  const std::int64_t elements = elements_of(t.shape);
  std::int64_t last = t.offset;
  bool fits = t.shape.size() == t.strides.size() && elements >= 0 && elements <= holds && t.offset >= 0;
  for (std::size_t i = 0; fits && i < t.shape.size(); ++i) {
    std::int64_t reach = 0;
    fits = t.strides[i] >= 0 &&
           !__builtin_mul_overflow(std::max<std::int64_t>(t.shape[i] - 1, 0), t.strides[i], &reach) &&
           !__builtin_add_overflow(last, reach, &last);
  }
  if (!fits || (elements > 0 && last >= holds))
    throw Error("its pickle has a tensor of shape " + shape_text(t.shape) + " in a storage of " +
                std::to_string(holds) + " elements, which it does not fit");
  p_.tensors.push_back(std::move(t));
  push_number(Kind::tensor, static_cast<std::int64_t>(p_.tensors.size() - 1));
}

}  // namespace

Pickle read_pickle(std::string_view bytes) { return Machine(bytes).run(); }

}  // namespace nephron::host
