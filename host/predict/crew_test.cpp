// Processes that predict beside each other, of which one may fail: here each is a script that speaks as worker.hpp
// says.
#include <host/predict/crew.hpp>

#include <algorithm>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <host/util/interrupt.hpp>
#include <host/util/log.hpp>
#include <host/util/usage_error.hpp>
#include <host/util/write_error.hpp>
#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;

/// What becomes of a picture is said by its name.
constexpr const char* worker = R"sh(
trap 'exit 130' INT
read -r networks && [[ $networks == '{"networks":"chosen"}' ]] || { echo '{"error":"told nothing","hint":"","usage":false}' >&3; exit 1; }
[[ -e $0.wrong ]] && { echo '{"error":"no such metric","hint":"name another","usage":true}' >&3; exit 1; }
[[ -e $0.mute ]] && exit 7
echo '{"ready":true}' >&3
while true; do
  echo 'no JSON at all' >&3
  echo '{"next":"now"}' >&3
  read -r line || exit 0
  [[ $line =~ \"picture\":\"([^\"]*)\" ]] || exit 0
  id=${BASH_REMATCH[1]}
  echo "{\"doing\":\"$id\",\"share\":0.5,\"what\":\", tile 1/2\"}" >&3
  case $id in
    dies*) kill -9 $$ ;;
    bad*) echo "{\"left_out\":\"$id\",\"why\":\"it is damaged\",\"hint\":\"\"}" >&3 ;;
    full*) echo "{\"cannot_write\":\"cannot write it: no room\",\"hint\":\"Make room.\"}" >&3; exit 1 ;;
    lies*) echo '{"done":"another","reduction":1,"digest":""}' >&3 ;;
    score*) echo "{\"done\":\"$id\",\"reduction\":2,\"digest\":\"d\",\"score\":{\"threshold\":{\"a\":0.5},\"dice\":{\"a\":7},\"dice_reduced\":{\"a\":1}}}" >&3 ;;
    slow*) while true; do sleep 0.05; done ;;
    *) echo "{\"done\":\"$id\",\"reduction\":2,\"digest\":\"of-$id\"}" >&3 ;;
  esac
done
)sh";

class Orders final : public PictureOrders {
 public:
  explicit Orders(std::vector<std::string> ids) : ids_(std::move(ids)) {}
  std::optional<PictureFile> next(bool) override {
    return given_ < ids_.size() ? std::optional(PictureFile{ids_[given_++], "x.png"}) : std::nullopt;
  }
  std::size_t left() const override { return ids_.size() - given_; }
  void doing(const PictureFile& picture, double, const std::string&) override {
    if (stop_at_slow && picture.id.starts_with("slow")) set_interrupted(true);
  }
  void done(PictureResult result) override {
    EXPECT_EQ(result.seen.digest, "of-" + result.picture.id);
    finished.push_back(result.picture.id);
    std::sort(finished.begin(), finished.end());
  }
  void failed(const PictureFile& picture, const std::exception& why) override {
    if (strict) throw Blamed(picture.id);
    failures.push_back(picture.id + ": " + why.what());
  }

  bool strict = false, stop_at_slow = false;
  std::vector<std::string> finished, failures;

 private:
  std::vector<std::string> ids_;
  std::size_t given_ = 0;
};

class CrewOfScripts : public testing::Test {
 protected:
  void SetUp() override {
    set_log_level(Log::Level::error);
    std::ofstream(script_) << worker;
  }
  void TearDown() override { set_interrupted(false); }
  void work(Orders& orders, int jobs = 2) const {
    Crew({"/bin/bash", script_.string()}, R"({"networks":"chosen"})",
         JobPlan{std::vector<std::string>(static_cast<std::size_t>(jobs), "cpu")}, 1, {"a"})
        .work_through(orders);
  }

  ScratchFolder scratch_{"crew"};
  std::filesystem::path script_ = scratch_.path() / "worker.sh";
};

TEST_F(CrewOfScripts, EachPictureIsPredictedOnce) {
  Orders orders({"a", "b", "c", "d", "e"});
  work(orders, 3);
  EXPECT_THAT(orders.finished, ElementsAre("a", "b", "c", "d", "e"));
  EXPECT_THAT(orders.failures, IsEmpty());
}

TEST_F(CrewOfScripts, ADeathCostsItsPictureAndAnotherTakesThePlace) {
  Orders orders({"dies1", "a", "bad", "dies2", "b", "dies3", "c"});
  work(orders);
  EXPECT_THAT(orders.finished, ElementsAre("a", "b", "c"));
  ASSERT_EQ(orders.failures.size(), 4U);
  EXPECT_THAT(orders.failures, testing::Contains("bad: it is damaged"));
  EXPECT_THAT(orders.failures, testing::Contains(HasSubstr("fewer --jobs")));
}

TEST_F(CrewOfScripts, StrictnessEndsTheOthersToo) {
  Orders orders({"slow", "bad", "a", "b"});
  orders.strict = true;
  EXPECT_THROW(work(orders), Blamed);
}

TEST_F(CrewOfScripts, WhereNothingCanBeWrittenNoPictureIsToBlame) {
  Orders orders({"slow", "full", "a"});
  EXPECT_THAT([&] { work(orders); }, ThrowsMessage<WriteError>(HasSubstr("no room")));
  EXPECT_THAT(orders.failures, IsEmpty());
}

TEST_F(CrewOfScripts, CtrlCReachesAll) {
  Orders orders({"slow1", "slow2", "a"});
  orders.stop_at_slow = true;
  EXPECT_THROW(work(orders), Cancelled);
  EXPECT_THAT(orders.failures, IsEmpty());
}

TEST_F(CrewOfScripts, WhatAProcessSaysIsChecked) {
  Orders lies({"lies", "a"}), score({"score"});
  EXPECT_THAT([&] { work(lies); }, ThrowsMessage<Error>(HasSubstr("which it was not given")));
  EXPECT_THAT([&] { work(score); }, ThrowsMessage<Error>(HasSubstr("dice.a is 7")));
}

TEST_F(CrewOfScripts, WhyNoneCanWorkIsSaid) {
  Orders orders({"a"});
  std::ofstream(script_.string() + ".mute").close();
  EXPECT_THAT([&] { work(orders); }, ThrowsMessage<Error>(HasSubstr("cannot predict")));
  std::ofstream(script_.string() + ".wrong").close();
  EXPECT_THAT([&] { work(orders); }, ThrowsMessage<UsageError>(HasSubstr("no such metric")));
}

}  // namespace
}  // namespace nephron::host
