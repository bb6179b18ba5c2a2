#include <host/replay/snapshot.hpp>

#include <fstream>

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/error.hpp>

#include <host/util/files.hpp>

#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

class Snapshots : public testing::Test {
 protected:
  Snapshots() {
    for (const char* file : {"bin/nephron", "libexec/nephron-compute", "libexec/nephron-compute.commands",
                             "lib/libnephron_sdk.so.0", "lib/libother.so", "lib/nephron/plugins/a.so", "user/a.so"})
      write(file, file);
    fs::permissions(tree_ / "bin/nephron", fs::perms::owner_exec, fs::perm_options::add);
    fs::create_symlink("libnephron_sdk.so.0", tree_ / "lib/libnephron_sdk.so");
  }
  void write(const fs::path& name, const std::string& text) const {
    fs::create_directories((tree_ / name).parent_path());
    fs::remove(tree_ / name);
    std::ofstream(tree_ / name) << text;
  }
  Snapshot take() {
    ComponentInfo a{"loss", "a", "", "first", "1.0", tree_ / "lib/nephron/plugins/a.so"};
    ComponentInfo again = a, b = a;
    again.name = "again";
    b.plugin = "second", b.file = tree_ / "user/a.so";
    return take_snapshot(store_, tree_, {a, again, b});
  }
  /// A snapshot as a person may have edited it.
  fs::path edited(const std::string& from, const std::string& to) {
    std::string text = snapshot_text(take());
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    write_file_atomically(folder_ / "edited.json", text.replace(at, from.size(), to));
    return folder_ / "edited.json";
  }

  const ScratchFolder scratch_{"snapshots"};
  const fs::path& folder_ = scratch_.path();
  const fs::path tree_ = folder_ / "tree";
  ObjectStore store_{folder_};
};

TEST_F(Snapshots, LayOutTheProgramThoughEverythingWasBuiltAnew) {
  Snapshot taken = take();
  taken.experiment = store_.put_text("seed = 1\n");
  taken.weights.push_back({"model.weights", "/w", name_of(tree_ / "bin/nephron")});
  write_file_atomically(folder_ / "snapshot.json", snapshot_text(taken));
  write("bin/nephron", "another program"), write("lib/nephron/plugins/a.so", "another plugin");
  const Snapshot read = read_snapshot(folder_ / "snapshot.json");
  EXPECT_EQ(snapshot_text(read), snapshot_text(taken));

  const fs::path out = folder_ / "out";
  materialise(read, store_, out);
  EXPECT_EQ(read_file(out / "bin/nephron"), "bin/nephron");
  EXPECT_EQ(::access((out / "bin/nephron").c_str(), X_OK), 0);
  EXPECT_EQ(read_file(out / "lib/libnephron_sdk.so"), "lib/libnephron_sdk.so.0");
  EXPECT_EQ(read_file(out / "lib/nephron/plugins/a.so"), "lib/nephron/plugins/a.so");
  ASSERT_EQ(read.plugins.size(), 2U) << "each file once";
  EXPECT_EQ(read_file(out / read.plugins[1].place), "user/a.so") << "of another folder, under a name of its own";
  EXPECT_FALSE(fs::exists(out / "lib/libother.so")) << "what lies beside in a folder of many is not the program's";
  EXPECT_TRUE(fs::exists(out / snapshot_name));
  EXPECT_EQ(read.torch.build, taken.torch.build);
}

TEST_F(Snapshots, ABundleBringsAllItsLibraries) {
  write("libexec/launch", "#!/bin/sh\n");
  const Snapshot taken = take();
  EXPECT_TRUE(std::any_of(taken.program.begin(), taken.program.end(),
                          [](const SnapshotFile& f) { return f.place == "lib/libother.so"; }));
}

TEST_F(Snapshots, AreNotLaidOutInParts) {
  const Snapshot taken = take();
  fs::remove(store_.path(taken.plugins[0].object));
  EXPECT_THAT([&] { materialise(taken, store_, folder_ / "out"); },
              ThrowsMessage<Error>(AllOf(HasSubstr("a.so of the snapshot"), HasSubstr("is gone"))));
  EXPECT_FALSE(fs::exists(folder_ / "out"));
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_))
    EXPECT_FALSE(entry.path().filename().string().starts_with("out")) << entry.path();
}

TEST_F(Snapshots, ATreeThatIsThereIsLookedThrough) {
  const Snapshot taken = take();
  const fs::path out = folder_ / "out";
  materialise(taken, store_, out);
  EXPECT_NO_THROW(materialise(taken, store_, out));
  std::ofstream(out / "lib/nephron/plugins/more.so") << "not of the snapshot";
  EXPECT_THAT([&] { materialise(taken, store_, out); }, ThrowsMessage<Error>(HasSubstr("none of its files")));
  fs::remove(out / "lib/nephron/plugins/more.so");
  fs::remove(out / "bin/nephron");
  std::ofstream(out / "bin/nephron") << "bin/nephroN";
  EXPECT_THAT([&] { materialise(taken, store_, out); },
              ThrowsMessage<Error>(HasSubstr("bin/nephron in it is damaged")));
}

TEST_F(Snapshots, DamagedRecordsAreRefused) {
  const auto refused = [&](const std::string& from, const std::string& to, const std::string& why) {
    const fs::path file = edited(from, to);
    EXPECT_THAT([&] { read_snapshot(file); }, ThrowsMessage<Error>(AllOf(HasSubstr("edited.json"), HasSubstr(why))));
  };
  refused("\"bin/nephron\"", "\"bin/../../nephron\"", "no place in a program's tree");
  refused("\"bin/nephron\"", "\"/bin/nephron\"", "no place in a program's tree");
  refused("\"bin/nephron\"", "\"bin/.nephron\"", "no place in a program's tree");
  refused("\"bin/nephron\"", "\"bin/\"", "no place in a program's tree");
  refused("\"bin/nephron\"", "7", "a text was expected");
  refused("\"bin/nephron\"", "\"libexec/nephron-compute\"", "is there twice");
  refused("lib/nephron/plugins/a.so\",\n      \"sha", "bin/a.so\",\n      \"sha", "no place in a program's tree");
  refused("\"sha256\": \"", "\"sha256\": \"../", "is no SHA-256");
  refused("\"bytes\": ", "\"bytes\": -", "a whole number");
  refused("\"bytes\": ", "\"bytes\": 1e", "");
  refused("\"format\": 1", "\"format\": 2", "a newer one wrote it");
  refused("\"program\": [", "\"program\": {}, \"x\": [", "an array was expected");
  refused("\"program\": [", "\"program\": [], \"x\": [", "lacks bin/nephron");
  refused("\"bin/nephron\"", "\"bin/other\"", "lacks bin/nephron");
  refused("\"torch\"", "\"dynamo\"", "has no \"torch\"");
  fs::remove(folder_ / "edited.json");
  ASSERT_EQ(::mkfifo((folder_ / "edited.json").c_str(), 0600), 0);
  EXPECT_THAT([&] { read_snapshot(folder_ / "edited.json"); }, ThrowsMessage<Error>(HasSubstr("is no plain file")));
  fs::remove(folder_ / "edited.json");
  const std::string text = snapshot_text(take());
  for (std::size_t size = 0; size < text.size(); size += 97) {
    write_file_atomically(folder_ / "edited.json", text.substr(0, size));
    EXPECT_THROW(read_snapshot(folder_ / "edited.json"), Error) << size;
  }
  write_file_atomically(folder_ / "edited.json", std::string(1 << 20, '['));
  EXPECT_THROW(read_snapshot(folder_ / "edited.json"), Error);
}

TEST_F(Snapshots, AProgramThatIsNotWholeHasNone) {
  fs::remove(tree_ / "libexec/nephron-compute");
  EXPECT_THAT([&] { take(); }, ThrowsMessage<Error>(HasSubstr("nephron-compute")));
}

}  // namespace
}  // namespace nephron::host
