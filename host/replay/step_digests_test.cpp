#include <host/replay/step_digests.hpp>

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/error.hpp>

#include <host/replay/fast_digest.hpp>
#include <host/util/files.hpp>

#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::ThrowsMessage;

std::uint64_t digest_of(const std::string& text) {
  FastDigest digest;
  digest.add(text.data(), text.size());
  return digest.take();
}

TEST(FastDigest, IsOfTheBytesHoweverTheyCome) {
  std::string text(100001, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 31 + i / 251);
  FastDigest digest;
  digest.add(text.data(), 17);
  digest.add(text.data() + 17, 0);
  digest.add(text.data() + 17, text.size() - 17);
  EXPECT_EQ(digest.take(), digest_of(text));
  digest.add("abc", 3);
  EXPECT_EQ(digest.take(), digest_of("abc")) << "it begins anew";
}

TEST(FastDigest, TellsEveryBitAndTheLength) {
  std::string text(257, 'x');
  const std::uint64_t was = digest_of(text);
  for (std::size_t i = 0; i < text.size(); ++i) {
    text[i] ^= 1;
    EXPECT_NE(digest_of(text), was) << i;
    text[i] ^= 1;
  }
  EXPECT_NE(digest_of(std::string(16, '\0')), digest_of(std::string(17, '\0')));
  EXPECT_NE(digest_of(""), digest_of(std::string(1, '\0')));
}

class StepDigests : public testing::Test {
 protected:
  static DigestSession session(int threads) { return {"cpu", "a processor", threads, "2.0", std::string(64, '0'), 1}; }
  static TensorDigests tensors(std::uint64_t first) { return {{"weights.a", first}, {"exp_avg.a", ~first}}; }
  DigestRecord read() const { return read_digests(folder_ / digests_name); }

  const ScratchFolder scratch_{"digests"};
  const fs::path& folder_ = scratch_.path();
};

TEST_F(StepDigests, ComeBackAsTheyWere) {
  {
    DigestLog log(folder_, 0, session(4));
    log.tensors(0, tensors(1));
    log.step(1, 0x0123456789abcdef, 0.1);
    log.step(2, 7, -0.0);
    log.tensors(2, tensors(~std::uint64_t{0}));
  }
  const DigestRecord record = read();
  ASSERT_EQ(record.steps.size(), 2U);
  EXPECT_EQ(record.steps.at(1).batch, 0x0123456789abcdefU);
  EXPECT_EQ(record.steps.at(1).loss, 0.1);
  EXPECT_TRUE(std::signbit(record.steps.at(2).loss)) << "bits, not values";
  EXPECT_EQ(record.tensors.at(0), tensors(1));
  EXPECT_EQ(record.tensors.at(2), tensors(~std::uint64_t{0}));
  EXPECT_EQ(record.session_of(1), session(4));
}

TEST_F(StepDigests, WhatIsDoneAgainIsWrittenAgain) {
  {
    DigestLog log(folder_, 0, session(4));
    for (int step = 1; step <= 6; ++step) log.step(step, 1, 1);
    log.tensors(5, tensors(5));
  }
  write_file_atomically(folder_ / digests_name, read_file(folder_ / digests_name) + "{\"step\":7,\"ba");
  {
    DigestLog log(folder_, 4, session(2));  // goes on from the checkpoint of step 4
    for (int step = 5; step <= 6; ++step) log.step(step, 2, 2);
    log.tensors(5, tensors(9));
  }
  const DigestRecord record = read();
  EXPECT_EQ(record.steps.size(), 6U);
  EXPECT_EQ(record.steps.at(4).batch, 1U);
  EXPECT_EQ(record.steps.at(5).batch, 2U);
  EXPECT_EQ(record.tensors.at(5), tensors(9));
  EXPECT_EQ(record.session_of(4).threads, 4);
  EXPECT_EQ(record.session_of(5).threads, 2);
  // A fold that begins anew leaves nothing of before.
  { const DigestLog log(folder_, 0, session(1)); }
  EXPECT_TRUE(read().steps.empty());
}

TEST_F(StepDigests, DamageIsRefusedByLine) {
  {
    DigestLog log(folder_, 0, session(4));
    log.step(1, 1, 1);
  }
  const std::string good = read_file(folder_ / digests_name);
  const auto refused = [&](const std::string& line, const std::string& why) {
    write_file_atomically(folder_ / digests_name, good + line + "\n" + good);
    EXPECT_THAT([&] { read(); }, ThrowsMessage<Error>(testing::AllOf(HasSubstr("digests.jsonl:3"), HasSubstr(why))));
  };
  refused("7", "an object was expected");
  refused("nonsense", "is not JSON");
  refused(R"({"step":99999999999999999999,"batch":"0"})", "a whole number");
  refused(R"({"step":2,"batch":"0000000000000000"})", "has no \"loss\"");
  refused(R"({"step":2,"batch":"000000000000000G","loss":"0000000000000000"})", "is no digest");
  refused(R"({"step":2,"tensors":"0000000000000000"})", "names were expected");
  refused(R"({"step":3,"batch":"0000000000000000","loss":"0000000000000000"})", "step is 3; 2 was expected");
  refused(R"({"step":1,"batch":"0000000000000000","loss":"0000000000000000"})", "step is 1; 2 was expected");
  refused(R"({"names":7})", "an array was expected");
  refused(R"({"session":{},"after":0})", "has no \"device\"");
  refused(R"({"session":{"device":"cpu","processor":"","threads":-1,"torch":"","program":"","ranks":1},"after":0})",
          "a whole number");
  for (const char* const device : {"", "cuda", "cuda:", "cuda:x", "\\u001b[31m", "cuda:9999", "gpu"})
    refused(std::string(R"({"session":{"device":")") + device +
                R"(","processor":"","threads":1,"torch":"","program":"","ranks":1},"after":0})",
            "is no device: cpu or cuda:N was expected");
  for (std::size_t size = 0; size + 1 < good.size(); size += 7) {  // cut anywhere: refused, or what is whole is read
    write_file_atomically(folder_ / digests_name, good.substr(0, size));
    try {
      EXPECT_LE(read().steps.size(), 1U);
    } catch (const Error&) {}
  }
}

}  // namespace
}  // namespace nephron::host
