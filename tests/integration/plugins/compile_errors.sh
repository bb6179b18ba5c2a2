#!/usr/bin/env bash
# compile_errors.sh COMPILER INCLUDE: an author's mistakes, each of which the compiler tells in a sentence of ours.
set -euo pipefail
compiler=$1 include=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

# tells SENTENCE (or "" where it is to compile), the source on stdin
tells() {
  local sentence=$1 status=0
  { printf '#include <nephron/augmentation.hpp>\n'; cat; } >"$work/plugin.cpp"
  "$compiler" -std=c++20 -fsyntax-only -I "$include" "$work/plugin.cpp" 2>"$work/said" || status=$?
  if [[ -z $sentence ]]; then
    ((status == 0)) && return
    echo "what is right does not compile:"
  else
    ((status != 0)) && grep -qF "$sentence" "$work/said" && return
    echo "the compiler did not say: $sentence"
  fi
  head -n 20 "$work/said"
  failures=$((failures + 1))
}

turning='struct Params {
  struct Odd { int x; };
  enum class How { one };
  double angle{};
  static void describe(nephron::Schema<Params>& s) { s.field("angle", &Params::angle, "an angle"); }
};
class Turning final : public nephron::Augmentation {
 public:
  explicit Turning(const Params&) {}
  void draw(const nephron::SampleInfo&, nephron::Rng&, nephron::Plan&) const override {}
};
NEPHRON_PLUGIN("turning", "1.0.0")
NEPHRON_COMPONENT(nephron::Augmentation, Turning, "turning", "Turns")'

# but SED_EXPRESSION: the plugin with one mistake
but() { sed "$1" <<<"$turning"; }

tells "" <<<"$turning"
but 's/Turning, "turning"/Turning, "my turning"/' | tells "a component's name is a letter, then letters, digits"
but 's/Turning, "turning"/Turning, "7th"/' | tells "a component's name is a letter, then letters, digits"
but 's/void draw(.*) const override/void draw(nephron::Plan\&)/' | tells "leaves a function of its kind's interface undefined"
but 's/ describe(/ described(/' | tells "has no static void describe(nephron::Schema<Params>&)"
but 's/double angle/How angle/' | tells "an enum is no parameter's type; take std::string with .choices"
but 's/double angle/Odd angle/' | tells "a parameter is bool, an integer, a floating-point number"
exit $((failures > 0))
