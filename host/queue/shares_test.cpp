#include <host/queue/shares.hpp>

#include <gtest/gtest.h>

namespace nephron::host {
namespace {

constexpr std::int64_t gib = std::int64_t{1} << 30;

class Shares : public testing::Test {
 protected:
  Shares() {
    host_.machine.cores = 8;
    host_.machine.gpus = {{"a", "uuid-a", 16 * gib}, {"b", "uuid-b", 16 * gib}};
  }
  /// A job that says that it has these parts, which it holds where `holds`.
  void run(const std::string& user, GpuMask gpu, std::initializer_list<int> cores, bool holds = true) {
    SceneJob job;
    job.user = user;
    job.kept = true;
    job.state.at = JobState::At::running;
    job.state.parts.gpus[0] = gpu;
    for (const int core : cores) job.state.parts.cores.set(static_cast<std::size_t>(core));
    if (holds) scene_.held.add(job.state.parts);
    scene_.jobs.push_back(std::move(job));
  }
  UserShare of(const std::string& user) const {
    for (UserShare& share : shares_of(scene_, host_, measured_))
      if (share.user == user) return share;
    ADD_FAILURE() << user << " is not shown";
    return {};
  }

  HostFile host_;
  Scene scene_;
  std::map<std::string, MeasuredUse> measured_;
};

TEST_F(Shares, StandBesideWhatIsMeasured) {
  scene_.use = {{"anna", 300}, {"ben", 100}};
  run("anna", 0x000f, {0, 1});
  measured_["anna"] = {1.9, {4 * gib, 0}};
  EXPECT_EQ(of("anna").share, 0.75);
  EXPECT_EQ(of("anna").cores_held, 2);
  EXPECT_EQ(of("anna").gpus_held, 0.25);
  EXPECT_EQ(of("anna").gpus_used, 0.25);
  EXPECT_EQ(of("anna").beyond, "");
  EXPECT_EQ(of("ben").cores_held, 0) << "who has used something is shown";
  EXPECT_EQ(shares_of(scene_, host_, measured_)[0].user, "anna") << "who used most is first";
}

TEST_F(Shares, TellWhoUsesMoreThanHeHolds) {
  run("anna", 0x000f, {0, 1});
  measured_["anna"] = {4.6, {8 * gib, 0}};
  measured_["cuckoo"] = {0.1, {0, gib}};  // has no job at all
  measured_["quiet"] = {0.2, {}};
  EXPECT_EQ(of("anna").beyond, "2.6 cores, GPU 0");
  EXPECT_EQ(of("cuckoo").beyond, "GPU 1");
  EXPECT_EQ(shares_of(scene_, host_, measured_).size(), 2U) << "a shell is no news";
}

TEST_F(Shares, CountWhatLocksHoldAndNotWhatFilesSay) {
  run("liar", 0xffff, {0, 1, 2, 3}, false);
  measured_["liar"] = {3, {16 * gib, 0}};
  EXPECT_EQ(of("liar").cores_held, 0);
  EXPECT_EQ(of("liar").beyond, "3.0 cores, GPU 0");
}

}  // namespace
}  // namespace nephron::host
