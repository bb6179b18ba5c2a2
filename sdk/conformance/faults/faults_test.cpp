#include <algorithm>
#include <ostream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/augmentation.hpp>
#include <nephron/kinds.hpp>

#include <conformance/faults/faults.hpp>

namespace nephron::conformance {

// What GoogleTest shows of a parameter.
void PrintTo(const Subject& s, std::ostream* out) { *out << s.kind << " " << s.name; }
void PrintTo(const Fault& f, std::ostream* out) { *out << f.subject.kind << " " << f.subject.name; }

namespace {

struct Outcome {
  enum class What : char { passed = 'p', failed = 'f', skipped = 's' } what = What::passed;
  std::string says;
};

Outcome outcome_of(const Check& check, const Subject& subject) {
  try {
    check.run(subject);
    return {};
  } catch (const Skipped& e) {
    return {Outcome::What::skipped, e.what()};
  } catch (const Noted& e) {
    return {Outcome::What::passed, e.what()};
  } catch (const std::exception& e) {
    return {Outcome::What::failed, e.what()};
  }
}

std::vector<Fixture> all_fixtures() {
  return {any_fixture(),     reader_fixture(),       dataset_fixture(),
          sampler_fixture(), augmentation_fixture(), batch_augmentation_fixture(),
          encoder_fixture(), decoder_fixture(),      loss_fixture(),
          metric_fixture()};
}

std::vector<Fault> all_faults() {
  std::vector<Fault> out;
  for (Fixture& fixture : all_fixtures())
    for (Fault& fault : fixture.faults) out.push_back(std::move(fault));
  return out;
}

std::vector<Subject> all_good() {
  std::vector<Subject> out;
  for (Fixture& fixture : all_fixtures())
    for (Subject& subject : fixture.good) out.push_back(std::move(subject));
  return out;
}

std::string test_name(const Subject& s) {
  std::string out = s.kind + "_" + s.name;
  std::replace_if(
      out.begin(), out.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return out;
}

class Good : public testing::TestWithParam<Subject> {};

TEST_P(Good, KeepsEveryPromise) {
  for (const Check& check : checks_of(GetParam().kind)) {
    const Outcome outcome = outcome_of(check, GetParam());
    EXPECT_NE(outcome.what, Outcome::What::failed) << check.name << ": " << outcome.says;
  }
}

INSTANTIATE_TEST_SUITE_P(Component, Good, testing::ValuesIn(all_good()),
                         [](const auto& test) { return test_name(test.param); });

class Faulty : public testing::TestWithParam<Fault> {};

TEST_P(Faulty, FailsExactlyTheCheckOfItsFault) {
  const Fault& fault = GetParam();
  bool found = false;
  for (const Check& check : checks_of(fault.subject.kind)) {
    const Outcome outcome = outcome_of(check, fault.subject);
    if (check.name == fault.check) {
      found = true;
      EXPECT_EQ(outcome.what, Outcome::What::failed) << check.name << " does not notice; " << outcome.says;
      EXPECT_THAT(outcome.says, testing::HasSubstr(fault.says));
    } else {
      EXPECT_NE(outcome.what, Outcome::What::failed) << check.name << " fails too: " << outcome.says;
    }
  }
  EXPECT_TRUE(found) << "there is no check " << fault.check << " of kind " << fault.subject.kind;
}

INSTANTIATE_TEST_SUITE_P(Component, Faulty, testing::ValuesIn(all_faults()),
                         [](const auto& test) { return test_name(test.param.subject); });

#ifndef __SANITIZE_ADDRESS__  // which says so itself
/// Refers to a variable that is gone: other checks may do anything with it.
class HoldsAVariable final : public Augmentation {
 public:
  void draw(const SampleInfo&, Rng& rng, Plan& plan) const override {
    const std::int64_t darker = rng.integer(1, 9);
    plan.pixels([&darker](const SampleView& s) {
      for (std::int64_t x = 0; x < s.image.width; ++x)
        s.image.row<std::uint8_t>(0)[x] = static_cast<std::uint8_t>(s.image.row<std::uint8_t>(0)[x] - darker);
    });
  }
};

TEST(Conformance, PlansThatHoldAVariableOfDrawAreNoticed) {
  const Subject subject = subject_of<Augmentation, HoldsAVariable>("holds_a_variable");
  for (const Check& check : checks_of(subject.kind)) {
    if (check.name != "afterwards") continue;
    const Outcome outcome = outcome_of(check, subject);
    EXPECT_EQ(outcome.what, Outcome::What::failed) << outcome.says;
    EXPECT_THAT(outcome.says, testing::HasSubstr("one of draw()'s variables"));
  }
}
#endif

/// What two processes compare: something for kinds that draw, and the same each time.
TEST(Conformance, TracesOfGoodComponents) {
  for (const Subject& subject : all_good()) {
    const std::string trace = trace_of(subject);
    EXPECT_EQ(trace_fault(subject.kind, trace, trace_of(subject)), "") << subject.name;
    const bool traced = subject.kind == "sampler" || subject.kind.ends_with("augmentation") ||
                        subject.kind == "encoder" || subject.kind == "decoder";
    EXPECT_EQ(trace.empty(), !traced) << subject.name;
  }
}

TEST(Conformance, TracesOfModulesAreEqualUpToRounding) {
  EXPECT_EQ(trace_fault("encoder", "1.5 -0.250000\n", "1.5 -0.249999\n"), "");
  EXPECT_THAT(trace_fault("encoder", "1.5 -0.25\n", "1.5 -0.35\n"), testing::HasSubstr("drawn in forward()"));
  EXPECT_THAT(trace_fault("decoder", "1.5 -0.25\n", "1.5\n"), testing::HasSubstr("drawn in forward()"));
  EXPECT_THAT(trace_fault("decoder", "1.5\n", "1.5 -0.25\n"), testing::HasSubstr("drawn in forward()"));
  EXPECT_THAT(trace_fault("sampler", "1.500000", "1.500001"), testing::HasSubstr("an equal Rng draws something else"));
}

/// Right or wrong, which no check can tell: passed, with a word.
TEST(Conformance, AnAnnotatedSlideOfWhichNothingIsSaidIsNoted) {
  const Subject subject = dataset_to_note();
  for (const Check& check : checks_of(subject.kind)) {
    const Outcome outcome = outcome_of(check, subject);
    EXPECT_NE(outcome.what, Outcome::What::failed) << check.name << ": " << outcome.says;
    if (check.name != "annotation") continue;
    EXPECT_THAT(outcome.says, testing::HasSubstr("annotated() says yes of slide \"two\""));
  }
}

/// A check that nothing fails says nothing. Each one is also passed, not only skipped, by something good.
TEST(Conformance, EveryCheckCanFailAndCanBePassed) {
  std::set<std::pair<std::string, std::string>> failed;
  for (const Fault& fault : all_faults()) failed.emplace(fault.subject.kind, fault.check);
  std::set<std::pair<std::string, std::string>> passed;
  for (const Subject& subject : all_good())
    for (const Check& check : checks_of(subject.kind))
      if (outcome_of(check, subject).what == Outcome::What::passed) passed.emplace(subject.kind, check.name);
  const std::vector<Check> shared = checks_of("");
  ASSERT_FALSE(shared.empty());
  for (const KindInfo& kind : kinds) {
    const std::vector<Check> checks = checks_of(kind.name);
    EXPECT_GT(checks.size(), shared.size()) << "nothing is asked of kind " << kind.name << " in particular";
    for (std::size_t i = 0; i < checks.size(); ++i) {
      // What holds for every kind is shown with one of them.
      const std::string shown_with = i < shared.size() ? "loss" : std::string(kind.name);
      EXPECT_TRUE(failed.contains({shown_with, checks[i].name}))
          << "no " << kind.name << " fails check " << checks[i].name;
      EXPECT_TRUE(passed.contains({shown_with, checks[i].name}))
          << "no " << kind.name << " passes check " << checks[i].name;
    }
  }
}

}  // namespace
}  // namespace nephron::conformance
