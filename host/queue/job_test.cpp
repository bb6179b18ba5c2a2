#include <host/queue/job.hpp>

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/error.hpp>

#include <host/queue/moment.hpp>

namespace nephron::host {
namespace {

using testing::HasSubstr;

Ticket ticket() {
  Ticket out;
  out.id = "0a1b2c";
  out.name = "a \"name\"\n";
  out.first = {"nephron", "train", "x y"};
  out.again = {"nephron"};
  out.folder = "/work";
  out.run = "/work/runs/x/20260131-120000-0a1b2c";
  out.request = {2, 6'000'000'000, 8, Priority::urgent};
  out.submitted = {1e9, 12.5, "id"};
  return out;
}

JobState state() {
  JobState out;
  out.at = JobState::At::running;
  out.wish = JobState::Wish::yield;
  out.parts.gpus[3] = 0x00ff;
  out.parts.cores.set(0).set(1023);
  out.left = 12.25;
  out.told = Moment{1, 2, "b"};
  out.why = "x";
  return out;
}

TEST(Job, FilesAreReadAsTheyWereWritten) {
  EXPECT_EQ(text_of(read_ticket(text_of(ticket()), "t")), text_of(ticket()));
  EXPECT_EQ(text_of(read_state(text_of(state()), "s")), text_of(state()));
  EXPECT_EQ(read_state(text_of(state()), "s").parts, state().parts);
  EXPECT_EQ(read_begun(text_of(Begun{3, 4, 5}), "b").keeper_born, 5);
  EXPECT_EQ(read_end(text_of(End{3, 0, 9, "e"}), "e").signal, 9);
  EXPECT_EQ(read_use(text_of(UseSum{1.5, {}}), "u").seconds, 1.5);
}

/// Whatever was done to it, a file is read or refused with its name.
template <class Read>
void expect_refused_or_read(const std::string& text, const Read& read) {
  try {
    read(text);
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("FILE"));
  }
}

template <class Read>
void expect_sound(const std::string& good, const Read& read) {
  for (std::size_t n = 0; n + 2 < good.size(); ++n) EXPECT_THROW(read(good.substr(0, n)), Error) << n;
  std::mt19937 dice(7);
  for (int i = 0; i < 3000; ++i) {
    std::string text = good;
    for (int k = 0; k < 3; ++k) text[dice() % text.size()] = static_cast<char>(dice() % 256);
    expect_refused_or_read(text, read);
  }
}

TEST(Job, DamagedFilesAreRefusedByName) {
  expect_sound(text_of(ticket()), [](const std::string& text) { read_ticket(text, "FILE"); });
  expect_sound(text_of(state()), [](const std::string& text) { read_state(text, "FILE"); });
  expect_sound(text_of(End{1, 2, 3, "x"}), [](const std::string& text) { read_end(text, "FILE"); });
}

TEST(Job, TimesOfOneBootAreComparedByTheClockThatIsNotSet) {
  EXPECT_EQ(seconds_between({1000, 50, "a"}, {10, 60, "a"}), 10) << "the clock was set back";
  EXPECT_EQ(seconds_between({1000, 50, "a"}, {1e9, 60, "a"}), 10) << "and forth";
  EXPECT_EQ(seconds_between({1000, 50, "a"}, {1100, 5, "b"}), 100);
  EXPECT_EQ(seconds_between({1000, 50, "a"}, {10, 5, "b"}), 0);
}

}  // namespace
}  // namespace nephron::host
