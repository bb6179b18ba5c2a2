// What a prediction that is interrupted or killed, or whose disk is full, leaves, and that going on with it ends in
// what an unbroken one says.
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <map>
#include <random>
#include <sstream>
#include <thread>

#include <tests/integration/predict/predict_fixture.hpp>
#include <tests/support/program.hpp>
#include <tests/support/small_disk.hpp>

namespace nephron::host {
namespace {

using ::testing::HasSubstr;

/// Pictures that take a while, and what a run over them must never leave behind.
class InterruptedPredict : public Predict {
 protected:
  static constexpr int count = 40;
  static constexpr Size size{160, 160};

  void SetUp() override {
    Predict::SetUp();
    for (const char* id : {"a", "b", "c"}) {
      fs::remove(root / "images" / (std::string(id) + ".png"));
      fs::remove(root / "masks" / (std::string(id) + ".png"));
    }
    for (int i = 0; i < count; ++i) put_picture("p" + std::to_string(i), size);
  }
  std::vector<std::string> command(const std::string& more = "") const {
    std::vector<std::string> out{NEPHRON_PROGRAM,
                                 "predict",
                                 run.string(),
                                 "--images",
                                 (root / "images").string(),
                                 "--out",
                                 (root / "out").string(),
                                 "--masks",
                                 (root / "masks").string(),
                                 "--device",
                                 "cpu",
                                 "--tile",
                                 "32",
                                 "--overlap",
                                 "4",
                                 "--batch",
                                 "2"};
    if (!more.empty()) out.push_back(more);
    return out;
  }
  static std::size_t files_in(const fs::path& folder) {
    std::error_code none;
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder, none), fs::directory_iterator()));
  }
  /// Masks that have their final names.
  std::size_t masks() const {
    std::size_t there = 0;
    for (int i = 0; i < count; ++i) there += fs::exists(output("masks", "p" + std::to_string(i))) ? 1 : 0;
    return there;
  }
  /// Sends a signal once some masks are there; the exit code, or minus the signal that ended it.
  int stop(int signal, const std::string& more = "") const {
    StartedProgram program(command(more), root / "output.txt");
    while (!program.done() && masks() < 4) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    program.signal(signal);
    return program.wait();
  }
  /// Every file that has its final name is whole; their number.
  int whole_pictures() const {
    int whole = 0;
    for (int i = 0; i < count; ++i) {
      const std::string id = "p" + std::to_string(i);
      for (const char* kind : {"probabilities", "masks"})
        if (fs::exists(output(kind, id))) {
          EXPECT_EQ(read_picture(output(kind, id)).size(), size) << kind << " " << id;
        }
      if (!fs::exists(output("masks", id))) continue;
      EXPECT_LE(worst(id), 1) << id;
      ++whole;
    }
    return whole;
  }
};

TEST_F(InterruptedPredict, CtrlCKeepsWhatIsFinishedAndSaysHowToGoOn) {
  ASSERT_EQ(stop(SIGINT), 130) << read_file(root / "output.txt");
  const std::string said = read_file(root / "output.txt");
  const int whole = whole_pictures();
  EXPECT_GE(whole, 4);
  ASSERT_LT(whole, count) << "it ended before the signal came";
  EXPECT_THAT(said, HasSubstr(std::to_string(whole) +
                              " of 40 pictures are finished; to go on, give the same command with --continue"));
  EXPECT_EQ(said.find("interrupted"), said.rfind("interrupted")) << "it is said once";
  EXPECT_EQ(files_in(root / "out/masks/glomerulus"), static_cast<std::size_t>(whole)) << "something unfinished is left";
  const auto before = fs::last_write_time(output("masks", "p0"));
  StartedProgram rest(command("--continue"), root / "output.txt");
  EXPECT_EQ(rest.wait(), 0) << rest.output();
  EXPECT_THAT(rest.output(), HasSubstr("predicted " + std::to_string(count - whole) + " pictures, " +
                                       std::to_string(whole) + " were finished before"));
  EXPECT_EQ(fs::last_write_time(output("masks", "p0")), before);
  EXPECT_EQ(whole_pictures(), count);
  EXPECT_EQ(nlohmann::json::parse(read_file(root / "out/scores.json"))["pictures"].size(), std::size_t{count});
}

TEST_F(InterruptedPredict, AKillLeavesNoPictureHalfWritten) {
  ASSERT_EQ(stop(SIGKILL), -SIGKILL);
  ASSERT_LT(whole_pictures(), count);
  StartedProgram rest(command("--continue"), root / "output.txt");
  EXPECT_EQ(rest.wait(), 0) << rest.output();
  EXPECT_EQ(whole_pictures(), count);
}

TEST_F(InterruptedPredict, AnOverwriteThatIsInterruptedLeavesNothingOfBefore) {
  StartedProgram first(command(), root / "output.txt");
  ASSERT_EQ(first.wait(), 0) << first.output();
  for (int i = 0; i < count; ++i)
    fs::resize_file(output("masks", "p" + std::to_string(i)), 0);  // of other settings, as it were
  StartedProgram again(command("--overwrite"), root / "output.txt");
  while (!again.done() && (fs::exists(output("masks", "p9")) || files_in(root / "out/masks/glomerulus") < 2))
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  again.signal(SIGINT);
  ASSERT_EQ(again.wait(), 130) << again.output();
  EXPECT_THAT(again.output(), HasSubstr("--continue in place of --overwrite"));
  ASSERT_LT(whole_pictures(), count);
  StartedProgram rest(command("--continue"), root / "output.txt");
  EXPECT_EQ(rest.wait(), 0) << rest.output();
  EXPECT_EQ(whole_pictures(), count);
}

/// Every file of a prediction but what tells of its command and its process.
std::map<std::string, std::string> files_of(const fs::path& out) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(out)) {
    const std::string name = fs::relative(entry.path(), out).string();
    if (entry.is_regular_file() && name != "predict.json" && name != ".lock") files[name] = read_file(entry.path());
  }
  return files;
}

class KilledPredict : public Predict {
 protected:
  void SetUp() override {
    Predict::SetUp();
    put_picture("large", {320, 200});  // of many tiles: its rows are kept
    put_picture("other", {90, 80});
  }
  std::vector<std::string> command(const fs::path& out, const std::string& more) const {
    std::vector<std::string> words{NEPHRON_PROGRAM, "predict", run.string()};
    std::istringstream rest(" --images " + (root / "images").string() + " --out " + out.string() + masks() +
                            "--device cpu " + tiling +
                            " --batch 7 --tta identity,flip_x --least-area 5 "
                            "--save maps,tta,masks,rle,submission,coco,objects --metrics dice,brier,centres,boundary "
                            "--set boundary.unit=px " +
                            more);
    for (std::string word; rest >> word;) words.push_back(word);
    return words;
  }
  std::string tiling = "--tile 32 --overlap 4";
  /// Kills or interrupts it at random moments until it was stopped so often, and expects of every end what an unbroken
  /// one writes.
  void kill_often(int kills);
  int run_through(const fs::path& out, const std::string& more) const {
    StartedProgram program(command(out, more), root / "output.txt");
    return program.wait();
  }
};

// By kill -9 or Ctrl-C. NEPHRON_KILLS: how often; the moments are drawn anew by NEPHRON_KILL_SEED.
void KilledPredict::kill_often(int kills) {
  const char* const wanted = std::getenv("NEPHRON_KILLS");
  const char* const seed = std::getenv("NEPHRON_KILL_SEED");
  if (wanted != nullptr) kills = std::atoi(wanted);
  std::mt19937 random(seed != nullptr ? static_cast<unsigned>(std::atoi(seed)) : 1U);
  const auto start = std::chrono::steady_clock::now();
  ASSERT_EQ(run_through(root / "whole", ""), 0) << read_file(root / "output.txt");
  const auto whole = std::chrono::steady_clock::now() - start;
  const std::map<std::string, std::string> expected = files_of(root / "whole");
  ASSERT_TRUE(expected.contains("tta/flip_x/glomerulus/large.png"));
  ASSERT_TRUE(expected.contains("slides.csv"));
  int killed = 0, rounds = 0;
  for (bool going_on = false; killed < kills; ++rounds) {
    ASSERT_LT(rounds, 20 * kills + 20) << "it ends before it is killed";
    const std::string more = going_on ? "--continue" : "";
    {
      StartedProgram program(command(root / "out", more), root / "output.txt");
      std::this_thread::sleep_for(std::chrono::duration_cast<std::chrono::microseconds>(
          whole * std::uniform_real_distribution<>(0, 1)(random)));
      const bool politely = random() % 3 == 0;
      program.signal(politely ? SIGINT : SIGKILL);
      const int end = program.wait();
      killed += end == (politely ? 130 : -SIGKILL) ? 1 : 0;
    }
    going_on = fs::exists(root / "out/predict.json");
    if (rounds % 3 != 2 && killed < kills) continue;  // several kills on the way to one end
    ASSERT_EQ(run_through(root / "out", going_on ? "--continue" : ""), 0) << read_file(root / "output.txt");
    const std::map<std::string, std::string> is = files_of(root / "out");
    for (const auto& [name, bytes] : expected) {
      ASSERT_TRUE(is.contains(name)) << name;
      EXPECT_EQ(is.at(name) == bytes, true) << name << " differs after " << killed << " kills";
    }
    for (const auto& [name, bytes] : is) EXPECT_TRUE(expected.contains(name)) << name << " is left";
    fs::remove_all(root / "out");
    going_on = false;
  }
}

TEST_F(KilledPredict, KilledAtAnyMomentItEndsInTheSame) { kill_often(12); }

// Measured once the threshold is found, from rows that wait for it.
TEST_F(KilledPredict, KilledBeforeTheThresholdIsFoundOrAfterItEndsInTheSame) {
  tiling += " --threshold search";
  kill_often(6);
}

// Before there is anything to go on with, too, it is said that work stops and what of it stays.
TEST_F(Predict, CtrlCWhileSlidesArePreparedSaysWhatIsKept) {
  for (const bool stored : {false, true}) {
    std::vector<std::string> words{NEPHRON_PROGRAM, "data", "check", (run / "experiment.resolved.toml").string()};
    for (const char* set : {"dataset.synthetic.slides=300", "dataset.synthetic.size=[1000,1000]"})
      words.insert(words.end(), {"--set", set});
    if (stored) words.insert(words.end(), {"--set", "data.store=" + (root / "store").string()});
    StartedProgram program(words, root / "output.txt");
    while (!program.done() && program.output().find("preparing slides") == std::string::npos)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    program.signal(SIGINT);
    EXPECT_EQ(program.wait(), 130) << program.output();
    const std::string said = program.output();
    EXPECT_THAT(said, HasSubstr("interrupted while slides were prepared"));
    EXPECT_THAT(
        said, HasSubstr(stored ? "those that are done stay in " + (root / "store").string() : "none of them is kept"));
    EXPECT_EQ(said.find("interrupted"), said.rfind("interrupted")) << "once";
  }
}

/// With no file longer than `blocks` of 512 bytes.
Outcome with_short_files(int blocks, const std::vector<std::string>& command) {
  std::string words = "ulimit -f " + std::to_string(blocks) + ";";
  for (const std::string& word : command) words += " " + word;
  return said_by(words);
}

void expect_a_full_disk(const Outcome& outcome, const std::string& file, const std::string& why) {
  EXPECT_EQ(outcome.code, 1) << outcome.text;
  EXPECT_THAT(outcome.text, HasSubstr("cannot write " + file));
  EXPECT_THAT(outcome.text, HasSubstr(why));
  EXPECT_THAT(outcome.text, HasSubstr("What is finished stays: to go on, give the same command with --continue"));
  EXPECT_THAT(outcome.text, ::testing::Not(HasSubstr("left out"))) << "no picture is to blame";
}

// Rows of a large picture, maps and tables, each at some length too long.
TEST_F(KilledPredict, WhereNothingMoreCanBeWrittenNothingIsLost) {
  ASSERT_EQ(run_through(root / "whole", ""), 0) << read_file(root / "output.txt");
  const std::map<std::string, std::string> expected = files_of(root / "whole");
  for (const char* jobs : {"", "--jobs 2"}) {
    const fs::path out = root / (std::string("out") + (*jobs != 0 ? "-jobs" : ""));
    for (const int blocks : {24, 300, 900}) {
      const std::string more = std::string(jobs) + (fs::exists(out / "predict.json") ? " --continue" : "");
      expect_a_full_disk(with_short_files(blocks, command(out, more)), out.string(), "File too large");
      for (const auto& entry : fs::recursive_directory_iterator(out))
        EXPECT_THAT(entry.path().string(), ::testing::Not(HasSubstr(".tmp.")));
    }
    ASSERT_EQ(run_through(out, std::string(jobs) + " --continue"), 0) << read_file(root / "output.txt");
    const std::map<std::string, std::string> is = files_of(out);
    for (const auto& [name, bytes] : expected) {
      ASSERT_TRUE(is.contains(name)) << name;
      EXPECT_EQ(is.at(name) == bytes, true) << name << " differs " << jobs;
    }
    EXPECT_EQ(is.size(), expected.size());
  }
}

// Neither takes --continue.
TEST_F(KilledPredict, AShareAndWhatGathersSharesGoOnByTheSameCommand) {
  const auto expect_again = [](const Outcome& outcome) {
    EXPECT_EQ(outcome.code, 1) << outcome.text;
    EXPECT_THAT(outcome.text, HasSubstr("to go on, give the same command again."));
  };
  const fs::path out = root / "out";
  expect_again(with_short_files(8, command(out, "--share 1/2")));
  for (const char* share : {"--share 1/2", "--share 2/2", "--gather"})
    ASSERT_EQ(run_through(out, share), 0) << read_file(root / "output.txt");
  expect_again(with_short_files(1, command(out, "--gather")));
  EXPECT_EQ(run_through(out, "--gather"), 0) << read_file(root / "output.txt");
}

TEST_F(KilledPredict, AFullDiskStopsItAndRoomLetsItGoOn) {
  std::mt19937 random(3);
  for (int i = 0; i < 6; ++i) {
    Image noise({400, 300}, 3);
    for (std::int64_t y = 0; y < 300; ++y)
      for (std::int64_t x = 0; x < 1200; ++x)
        noise.view().row<std::uint8_t>(y)[x] = static_cast<std::uint8_t>(random());
    save_png(root / "images" / ("noise" + std::to_string(i) + ".png"), noise.view());
  }
  fs::remove(root / "images/large.png");
  tiling = "--tile 256 --overlap 1.5";  // few tiles, whose rows are not kept
  ASSERT_EQ(run_through(root / "whole", ""), 0) << read_file(root / "output.txt");
  const SmallDisk disk(root / "out", 1600);
  if (!disk.there()) GTEST_SKIP() << "no disk can be mounted here";
  EXPECT_EQ(run_through(root / "out", ""), 1);
  expect_a_full_disk({1, read_file(root / "output.txt")}, (root / "out").string(), "No space left on device");
  EXPECT_EQ(run_through(root / "out", "--continue"), 1) << "still full";
  EXPECT_THAT(read_file(root / "output.txt"), HasSubstr("Make room on that disk."));
  ASSERT_TRUE(disk.grow(20'000));
  EXPECT_EQ(run_through(root / "out", "--continue"), 0) << read_file(root / "output.txt");
  EXPECT_THAT(read_file(root / "output.txt"), HasSubstr(" finished before"));
  EXPECT_EQ(files_of(root / "out") == files_of(root / "whole"), true);
}

TEST_F(Predict, APictureThatNeedsMoreThanTheDiskHasIsToldBeforeItIsPredicted) {
  put_picture("huge", {4000, 3000});
  const SmallDisk disk(root / "out", 3000);
  if (!disk.there()) GTEST_SKIP() << "no disk can be mounted here";
  const auto start = std::chrono::steady_clock::now();
  const Outcome outcome = predict("--device cpu");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.text, HasSubstr("\"huge\" is left out: the maps of a picture of 4000 x 3000 px need up to"));
  EXPECT_THAT(outcome.text, HasSubstr(" MB left"));
  EXPECT_THAT(outcome.text, HasSubstr("Without \"maps\" and \"tta\" in --save"));
  EXPECT_THAT(outcome.text, HasSubstr("predicted 3 pictures, 1 failed"));
  EXPECT_FALSE(fs::exists(root / "out/partial"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
}

// Whatever the files hold that going on reads: they are taken, or said to be damaged, or made anew.
TEST_F(KilledPredict, DamagedFilesOfBeforeChangeNothing) {
  ASSERT_EQ(run_through(root / "whole", ""), 0) << read_file(root / "output.txt");
  const std::map<std::string, std::string> expected = files_of(root / "whole");
  const std::string measures = expected.at("measures/large.json"), facts = expected.at("pictures/large.json");
  const std::string header = "nephron rows 1 320x200x3 " + std::string(64, '0') + "\n";
  std::mt19937 random(7);
  const auto noise = [&](std::size_t bytes) {
    std::string out(bytes, '\0');
    for (char& c : out) c = static_cast<char>(random());
    return out;
  };
  const auto replaced = [](std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    return at == std::string::npos ? text : text.replace(at, from.size(), to);
  };
  const std::vector<std::pair<std::string, std::string>> damages{
      {"partial/large.rows", ""},
      {"partial/large.rows", header},
      {"partial/large.rows", header + noise(100'000)},
      {"partial/large.rows", "nephron rows 1 9223372036854775807x9223372036854775807x2147483647 "},
      {"partial/large.rows", noise(3000)},
      {"measures/large.json", ""},
      {"measures/large.json", measures.substr(0, measures.size() / 2)},
      {"measures/large.json", noise(2000)},
      {"measures/large.json", replaced(measures, "\"numbers\":[", "\"numbers\":[1e300,")},
      {"measures/large.json", replaced(measures, "\"numbers\":[", "\"numbers\":[-5,")},
      {"measures/large.json", replaced(measures, "\"found\":[[0,", "\"found\":[[99999999999,")},
      {"measures/large.json", replaced(measures, "\"size\":[320", "\"size\":[-320")},
      {"measures/large.json", std::string(5000, '[')},
      {"pictures/large.json", facts.substr(0, 20)},
      {"coco/large.json", "{}"},
  };
  for (const auto& [name, bytes] : damages) {
    const fs::path out = root / "out";
    fs::remove_all(out);
    fs::copy(root / "whole", out, fs::copy_options::recursive);
    fs::remove(out / "masks/glomerulus/large.png");  // it has to be made again
    fs::create_directories(out / "partial");
    std::ofstream(out / name, std::ios::binary) << bytes;
    const int code = run_through(out, "--continue");
    const std::string said = read_file(root / "output.txt");
    ASSERT_TRUE(code == 0 || code == 1) << name << " " << code << "\n" << said;
    if (code == 1) {
      EXPECT_THAT(said, HasSubstr(name)) << "an error names the file";
      continue;
    }
    EXPECT_EQ(files_of(out) == expected, true) << name << " of " << bytes.substr(0, 60);
  }
}

// The measures of a picture that is finished are read in place of its pixels: a damaged one costs the picture alone.
TEST_F(KilledPredict, DamagedMeasuresAreMeasuredAgain) {
  ASSERT_EQ(run_through(root / "whole", ""), 0) << read_file(root / "output.txt");
  const std::map<std::string, std::string> expected = files_of(root / "whole");
  std::ofstream(root / "whole/measures/other.json") << "{\"key\": 3}";
  ASSERT_EQ(run_through(root / "whole", "--continue"), 0) << read_file(root / "output.txt");
  EXPECT_THAT(read_file(root / "output.txt"), HasSubstr("measures/other.json"));
  EXPECT_THAT(read_file(root / "output.txt"), HasSubstr("predicted 1 picture, 4 were finished before"));
  EXPECT_EQ(files_of(root / "whole") == expected, true);
}

}  // namespace
}  // namespace nephron::host
