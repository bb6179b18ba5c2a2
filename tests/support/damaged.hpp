#pragma once

// Damaged copies of sound input for tests of parsers: what a fuzzer tries, but seeded and of a stated number.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/error.hpp>
#include <nephron/rng.hpp>

namespace nephron {

/// What damage is made of.
struct Damage {
  std::string bytes;               ///< put in, or in place of others; empty: any byte
  std::vector<std::string> words;  ///< put in, in place of as many bytes, or of what stands up to the next delimiter
  std::int64_t places = 4;         ///< at most, in one copy
};

inline std::string damaged(std::string text, const Damage& damage, Rng& rng) {
  const auto pick = [&](std::size_t size) {
    return static_cast<std::size_t>(rng.integer(0, static_cast<std::int64_t>(size) - 1));
  };
  const auto byte = [&] {
    return damage.bytes.empty() ? static_cast<char>(rng.bits()) : damage.bytes[pick(damage.bytes.size())];
  };
  for (std::int64_t n = rng.integer(1, damage.places); n > 0; --n) {
    const std::size_t at = pick(text.size() + 1);
    const double what = rng.uniform();
    if (!damage.words.empty() && rng.chance(0.3)) {
      const std::string& word = damage.words[pick(damage.words.size())];
      const std::size_t end = std::min(text.find_first_of(",\n]} ", at), text.size());
      text.replace(at, what < 0.3 ? 0 : what < 0.6 ? word.size() : std::min<std::size_t>(24, end - at), word);
    } else if (what < 0.5 && at < text.size()) text[at] = byte();
    else if (what < 0.75) text.insert(at, 1, byte());
    else if (what < 0.95) text.erase(at, pick(20));
    else text.resize(at);
  }
  return text;
}

struct Outcomes {
  int read = 0, refused = 0;
};

/// Hands `count` damaged copies of the texts, in turn, to `read`. Each is read, or refused with an Error that says what
/// it should: the input's name, and where in it. Whatever else happens fails the test and tells which copy it was.
template <class F>
Outcomes read_damaged(int count, const std::vector<std::string>& sound, const Damage& damage,
                      const testing::Matcher<std::string>& says, F&& read) {
  Outcomes out;
  for (int i = 0; i < count && !testing::Test::HasFatalFailure(); ++i) {
    SCOPED_TRACE("copy " + std::to_string(i));
    Rng rng(3, "damage", 0, static_cast<std::uint64_t>(i));
    const std::string text = damaged(sound[static_cast<std::size_t>(i) % sound.size()], damage, rng);
    try {
      read(text);
      ++out.read;
    } catch (const Error& e) {
      ++out.refused;
      EXPECT_THAT(e.what(), says);
    } catch (const std::exception& e) {
      ADD_FAILURE() << "no Error: " << e.what();
    }
  }
  return out;
}

/// What people and programs do wrong in JSON.
inline Damage json_damage() {
  return {"[]{},:\"0123-9.eE1truenl\\ \xff\x01",
          {"null", "[[", "1e400", "-1e308", "999999", "99999999999999999999999", "{}", "[]", "\"\"", "\"\\ud800\"",
           "true", "-1", "0.5", "]", "\xff\xfe"}};
}

}  // namespace nephron
