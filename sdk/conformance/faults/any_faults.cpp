#include <cstdlib>
#include <random>

#include <conformance/faults/loss_faults.hpp>

namespace nephron::conformance {

namespace {

/// A share that is told as a number and decoded by hand.
struct LaxShare {
  double value = 0.5;
};

}  // namespace

}  // namespace nephron::conformance

template <>
struct nephron::detail::Codec<nephron::conformance::LaxShare> {
  static void tell(FieldInfo& f) { f.type = "float"; }
  static Value encode(const conformance::LaxShare& v) { return Value(v.value); }
  static bool decode(const Value& v, conformance::LaxShare& out, const FieldInfo&, DecodeContext&) {
    if (v.is(Value::Type::integer) || v.is(Value::Type::real)) out.value = v.number();
    return true;
  }
};

namespace nephron::conformance {

namespace {

/// The good loss with these parameters.
template <class Params>
class With final : public GoodLoss {
 public:
  explicit With(const Params&) {}
};

struct Documented {
  double gamma = 2;
  float slope = 0.1F;
  int count = 3;
  bool on = true;
  std::string mode = "fast", title;
  std::optional<double> limit;
  std::vector<int> sizes{1, 2};
  static void describe(Schema<Documented>& s) {
    s.field("gamma", &Documented::gamma, "a number").range(0, 10);
    s.field("slope", &Documented::slope, "a number of single precision").range(0, 1);
    s.field("count", &Documented::count, "a count").range(1, 3);
    s.field("on", &Documented::on, "a switch");
    s.field("mode", &Documented::mode, "a way").choices({"fast", "slow"});
    s.field("title", &Documented::title, "a text");
    s.field("limit", &Documented::limit, "unset by default");
    s.field("sizes", &Documented::sizes, "a list").range(0, 10);
  }
};

struct Undocumented {
  double gamma = 2;
  static void describe(Schema<Undocumented>& s) { s.field("gamma", &Undocumented::gamma, ""); }
};

struct ReservedName {
  double weight = 0.5;
  static void describe(Schema<ReservedName>& s) { s.field("weight", &ReservedName::weight, "a factor").range(0, 1); }
};

struct NamedTwice {
  double a = 1, b = 1;
  static void describe(Schema<NamedTwice>& s) {
    s.field("weights", &NamedTwice::a, "of the first");
    s.field("weights", &NamedTwice::b, "of the second");
  }
};

struct DefaultOutOfRange {
  double gamma = 20;
  static void describe(Schema<DefaultOutOfRange>& s) {
    s.field("gamma", &DefaultOutOfRange::gamma, "focusing exponent").range(0, 10);
  }
};

struct TakesAnything {
  LaxShare share;
  static void describe(Schema<TakesAnything>& s) { s.field("share", &TakesAnything::share, "a share").range(0, 1); }
};

/// A line that was copied and changed by half.
struct OneMemberTwice {
  double alpha = 0.25, beta = 0.25;
  static void describe(Schema<OneMemberTwice>& s) {
    s.field("alpha", &OneMemberTwice::alpha, "weight of false positives").range(0, 1);
    s.field("beta", &OneMemberTwice::alpha, "weight of false negatives").range(0, 1);
  }
};

struct DefaultDrawnAnew {
  int seed = next++;
  static inline int next = 0;
  static void describe(Schema<DefaultDrawnAnew>& s) { s.field("seed", &DefaultDrawnAnew::seed, "a seed"); }
};

class RandInConstructor final : public GoodLoss {
 public:
  RandInConstructor() { std::srand(static_cast<unsigned>(std::rand())); }
};

class SeedsFromTheDevice final : public GoodLoss {
 public:
  SeedsFromTheDevice() : seed_(std::random_device()()) {}

 private:
  unsigned seed_;
};

Subject with_import(const char* symbol, const char* name) {
  Subject s = subject_of<Loss, GoodLoss>(name);
  s.imports = {"memcpy", symbol};
  return s;
}

}  // namespace

Fixture any_fixture() {
  return {{subject_of<Loss, With<Documented>>("documented")},
          {
              {"schema", "\"gamma\" has no description", subject_of<Loss, With<Undocumented>>("undocumented")},
              {"schema", "it could never be given", subject_of<Loss, With<ReservedName>>("reserved_name")},
              {"schema", "two parameters are named \"weights\"", subject_of<Loss, With<NamedTwice>>("named_twice")},
              {"defaults", "\"gamma\" must be in 0 to 10",
               subject_of<Loss, With<DefaultOutOfRange>>("default_out_of_range")},
              {"refusals", "a string for a number", subject_of<Loss, With<TakesAnything>>("takes_anything")},
              {"round_trip", "share its member", subject_of<Loss, With<OneMemberTwice>>("one_member_twice")},
              {"round_trip", "drawn anew", subject_of<Loss, With<DefaultDrawnAnew>>("default_drawn_anew")},
              {"making", "rand(), random() or srand() was called",
               subject_of<Loss, RandInConstructor>("rand_in_constructor")},
              {"making", "std::random_device was read", subject_of<Loss, SeedsFromTheDevice>("seeds_from_the_device")},
              {"making", "uses getrandom()", with_import("getrandom", "getrandom")},
          }};
}

}  // namespace nephron::conformance
