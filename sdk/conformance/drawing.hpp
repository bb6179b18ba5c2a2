#pragma once

#include <cstdint>
#include <vector>

#include <conformance/bench.hpp>

// What is asked of everything that draws. draw(i) is the effect of the ith draw with a generator that is a function of
// i alone; effects can be compared.
namespace nephron::conformance {

/// `one` and `two` draw from two instances with equal parameters.
template <class One, class Two>
void require_equal_draws(std::uint64_t draws, const One& one, const Two& two) {
  for (std::uint64_t i = 0; i < draws; ++i) {
    const auto before = one(i);
    expect(before == one(i), "drawn again with an equal Rng, it does something else");
    expect(before == two(i), "a second instance with equal parameters does something else with an equal Rng");
  }
}

/// What was drawn first is drawn again after `many` others: a counter, a cache or a schedule in a member shows late.
/// later(i) is draw(i) where its effect does not matter.
template <class Draw, class Later>
void require_no_state(std::uint64_t few, std::uint64_t many, const Draw& draw, const Later& later) {
  std::vector<decltype(draw(0))> first;
  for (std::uint64_t i = 0; i < few; ++i) first.push_back(draw(i));
  repeat(many, 1.0, [&](std::uint64_t i) { later(few + i); });
  for (std::uint64_t i = 0; i < few; ++i)
    expect(draw(i) == first[i],
           "after many draws, an equal Rng draws something else: it keeps state; what it draws is a function of its "
           "parameters and the Rng alone");
}

/// What a fresh instance draws does not depend on what it was asked before: what it keeps of its first calls, such as a
/// value for each slide, shows when it is asked in another order. draw_with(instance, i) is the ith draw.
template <class Make, class DrawWith>
void require_any_order(std::uint64_t draws, const Make& make, const DrawWith& draw_with) {
  const auto one = make(), twin = make(), other = make();
  std::vector<decltype(draw_with(one, 0))> forwards;
  for (std::uint64_t i = 0; i < draws; ++i) {
    forwards.push_back(draw_with(one, i));
    if (!(draw_with(twin, i) == forwards.back())) return;  // of which "determinism" speaks
  }
  for (std::uint64_t i = draws; i-- > 0;)
    expect(draw_with(other, i) == forwards[i],
           "asked in another order, a fresh instance draws something else with an equal Rng: it keeps state, such as "
           "what it is first asked with, or what it was asked with before");
}

/// Of as many draws as are quick: what a component does after its first hundred is asked of it too.
template <class Draw>
void require_thread_safe_draws(const Draw& draw) {
  constexpr std::uint64_t least = 16, most = 128, threads = 4;
  std::vector<decltype(draw(0))> serial;
  for (std::uint64_t i = 0; i < least; ++i) serial.push_back(draw(i));
  repeat(most - least, 0.2, [&](std::uint64_t i) { serial.push_back(draw(least + i)); });
  const std::uint64_t draws = serial.size();
  on_threads(threads, [&](std::size_t t) {
    for (std::uint64_t k = 0; k < draws; ++k) {
      const std::uint64_t i = (k + threads * t) % draws;
      expect(draw(i) == serial[i], "calls from several threads at once do something else than one after the other");
    }
  });
}

}  // namespace nephron::conformance
