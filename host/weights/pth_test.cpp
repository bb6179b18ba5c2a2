// Readers of untrusted files: what torch.save writes, and what it never would.
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <random>

#include <unistd.h>

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zip.h>

#include <nephron/error.hpp>

#include <host/util/files.hpp>
#include <host/weights/pickle.hpp>
#include <host/weights/tensors.hpp>

#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

using ::testing::HasSubstr;
using namespace std::string_literals;

std::string number(auto n) { return {reinterpret_cast<const char*>(&n), sizeof n}; }
std::string text(const std::string& s) { return "X" + number(static_cast<std::uint32_t>(s.size())) + s; }
std::string global(const std::string& module, const std::string& name) { return "c" + module + "\n" + name + "\n"; }

/// The instructions that make a float tensor [rows, columns].
std::string tensor(const std::string& key, char rows, char columns, char elements, bool legacy) {
  const std::string storage = "(" + text("storage") + global("torch", "FloatStorage") + text(key) + text("cpu") + "K" +
                              elements + (legacy ? "N" : "") + "tQ";
  return global("torch._utils", "_rebuild_tensor_v2") + "(" + storage + "K\0"s + "K" + rows + "K" + columns + "\x86" +
         "K" + columns + "K\1\x86\x89"s + global("collections", "OrderedDict") + ")RtR";
}
std::string state_dict_pickle(bool legacy) {
  return "\x80\x02"s + global("collections", "OrderedDict") + ")R(" + text("a.weight") + tensor("0", 2, 3, 6, legacy) +
         text("b.weight") + tensor("1", 1, 2, 2, legacy) + "u}" + text("_metadata") + "}sb.";
}
std::string floats(int n, float first) {
  std::string bytes;
  for (int i = 0; i < n; ++i) bytes += number(first + static_cast<float>(i));
  return bytes;
}

std::string legacy_file() {
  const std::string facts =
      "\x80\x02}("s + text("protocol_version") + "M" + number(std::uint16_t{1001}) + text("little_endian") + "\x88u.";
  return "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03."s + facts +
         state_dict_pickle(true) + "\x80\x02]("s + text("0") + text("1") + "e." + number(std::int64_t{6}) +
         floats(6, 0) + number(std::int64_t{2}) + floats(2, 10);
}

class Pth : public ::testing::Test {
 protected:
  std::filesystem::path write(const std::string& name, const std::string& bytes) const {
    write_file_atomically(folder_ / name, bytes);
    return folder_ / name;
  }
  std::filesystem::path write_zip(const std::string& name, const std::map<std::string, std::string>& entries,
                                  bool compress = false) const {
    const std::filesystem::path file = folder_ / name;
    zip_t* zip = zip_open(file.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
    for (const auto& [entry, bytes] : entries) {
      const zip_int64_t i =
          zip_file_add(zip, ("model/" + entry).c_str(), zip_source_buffer(zip, bytes.data(), bytes.size(), 0), 0);
      zip_set_file_compression(zip, static_cast<zip_uint64_t>(i), compress ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0);
    }
    EXPECT_EQ(zip_close(zip), 0);
    return file;
  }
  std::filesystem::path good_zip() const {
    return write_zip("good.pth", {{"data.pkl", state_dict_pickle(false)},
                                  {"byteorder", "little"},
                                  {"data/0", floats(6, 0)},
                                  {"data/1", floats(2, 10)}});
  }
  static std::string error_of(const std::filesystem::path& file) {
    try {
      read_tensors(file);
    } catch (const Error& e) {
      return e.what();
    }
    return "no error";
  }
  /// A zip .pth with this pickle.
  std::string error_of_pickle(const std::string& pickle) const {
    return error_of(
        write_zip("pickle.pth", {{"data.pkl", pickle}, {"data/0", floats(6, 0)}, {"data/1", floats(2, 10)}}));
  }
  const ScratchFolder scratch_{"pth"};
  const std::filesystem::path& folder_ = scratch_.path();
};

void expect_good(const TensorMap& tensors) {
  ASSERT_EQ(tensors.size(), 2U);
  EXPECT_TRUE(at::equal(tensors.at("a.weight"), at::arange(6, at::kFloat).view({2, 3})));
  EXPECT_TRUE(at::equal(tensors.at("b.weight"), at::arange(10, 12, at::kFloat).view({1, 2})));
}

TEST_F(Pth, BothFormats) {
  expect_good(read_tensors(good_zip()));
  expect_good(read_tensors(write("legacy.pth", legacy_file())));
}

TEST_F(Pth, NothingIsExecuted) {
  const std::filesystem::path proof = folder_ / "executed";
  const std::string attack = "\x80\x02"s + global("os", "system") + "(" + text("touch " + proof.string()) + "tR.";
  EXPECT_THAT(error_of_pickle(attack), HasSubstr("asks for the Python object \"os system\""));
  EXPECT_THAT(error_of_pickle("\x80\x04"s + text("builtins") + text("eval") + "\x93."), HasSubstr("\"builtins eval\""));
  EXPECT_FALSE(std::filesystem::exists(proof));
}

TEST_F(Pth, BombsAreRefused) {
  const std::string deep = "\x80\x02"s + ")" + std::string(1'500'000, '\x85') + ".";
  EXPECT_THAT(error_of_pickle(deep), HasSubstr("holds no dictionary of tensors"));
  EXPECT_THAT(error_of_pickle("\x80\x02"s + std::string(3'000'000, 'N') + "."), HasSubstr("more than 2000000 values"));
  EXPECT_THAT(error_of_pickle("\x80\x02X\xff\xff\xff\xff."s), HasSubstr("ends in the middle"));
  EXPECT_THAT(error_of_pickle("\x80\x02\x8a\x0a" + std::string(10, 'x') + "."), HasSubstr("more than 64 bits"));
  // A dictionary inside itself.
  EXPECT_THAT(error_of_pickle("\x80\x02}q\x00"s + text("me") + "h\x00s."s),
              HasSubstr("holds no dictionary of tensors"));
  // More elements than the storage holds, by stride 0 or by size.
  EXPECT_THAT(error_of_pickle("\x80\x02}"s + text("a") + tensor("0", 100, 100, 6, false) + "s."),
              HasSubstr("does not fit"));
  EXPECT_THAT(
      error_of(write_zip("compressed.pth",
                         {{"data.pkl", state_dict_pickle(false)}, {"data/0", std::string(1 << 20, '\0')}}, true)),
      HasSubstr("is compressed"));
}

TEST_F(Pth, WrongFilesAreExplained) {
  EXPECT_THAT(error_of(folder_ / "absent.pth"), HasSubstr("there is no such file"));
  EXPECT_THAT(error_of(folder_), HasSubstr("it is a folder"));
  EXPECT_THAT(error_of(write("empty.pth", "")), HasSubstr("it is empty"));
  EXPECT_THAT(error_of(write("text.pth", "this is some text that is no file of weights")),
              HasSubstr("neither .safetensors nor a .pth"));
  EXPECT_THAT(error_of(write_zip("other.zip", {{"a.txt", "a"}})), HasSubstr("without data.pkl"));
  EXPECT_THAT(error_of(write_zip("big.pth", {{"data.pkl", state_dict_pickle(false)}, {"byteorder", "big"}})),
              HasSubstr("big-endian"));
  EXPECT_THAT(
      error_of(write_zip("few.pth",
                         {{"data.pkl", state_dict_pickle(false)}, {"data/0", floats(5, 0)}, {"data/1", floats(2, 0)}})),
      HasSubstr("has 20 bytes, not the 6 elements"));
  const std::string legacy = legacy_file();
  EXPECT_THAT(error_of(write("cut.pth", legacy.substr(0, legacy.size() - 3))), HasSubstr("it ends inside its numbers"));
}

/// One of the ways in which files break, chosen by the generator.
std::string mutated(std::string bytes, std::mt19937_64& random) {
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  switch (below(5)) {
    case 0:
      bytes.resize(below(bytes.size()));
      break;
    case 1:
      bytes.insert(below(bytes.size()), bytes.substr(below(bytes.size()), 1 + below(40)));
      break;
    case 2:
      bytes.erase(below(bytes.size()), 1 + below(20));
      break;
    case 3: {
      const std::string huge = number(below(2) == 0 ? ~std::uint64_t{0} : random() >> below(60));
      bytes.replace(below(bytes.size()), huge.size(), huge);
      break;
    }
    default:
      for (std::size_t n = 1 + below(6); n > 0; --n) bytes[below(bytes.size())] = static_cast<char>(random());
  }
  return bytes;
}

TEST_F(Pth, FiveThousandMutationsOfEachFormatEndInTensorsOrOneError) {
  const TensorMap tensors = read_tensors(good_zip());
  write_tensors(folder_ / "good.safetensors", tensors, {{"key", "value"}});
  for (const std::string& bytes :
       {legacy_file(), read_file(folder_ / "good.pth"), read_file(folder_ / "good.safetensors")}) {
    std::mt19937_64 random(20);
    int refused = 0;
    for (int i = 0; i < 5000; ++i) {
      const std::filesystem::path file = folder_ / "mutated";
      {
        std::unique_ptr<FILE, decltype(&std::fclose)> out(std::fopen(file.c_str(), "wb"), &std::fclose);
        const std::string changed = mutated(bytes, random);
        std::fwrite(changed.data(), 1, changed.size(), out.get());
      }
      try {
        for (const auto& [name, t] : read_tensors(file)) EXPECT_LE(t.numel(), 4096);
      } catch (const Error& e) {
        EXPECT_THAT(e.what(), HasSubstr("cannot read weights from " + file.string()));
        ++refused;
      }
    }
    EXPECT_GT(refused, 2000);
  }
}

TEST_F(Pth, RandomBytesAndHugeHeadersAreRefused) {
  // Beginnings of a pickle, a zip, a zip's end, a safetensors header of plausible and of huge length.
  const std::vector<std::string> beginnings{"",
                                            "\x80\x02\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19.",
                                            "PK\x03\x04",
                                            "PK\x05\x06",
                                            number(std::uint64_t{64}) + "{",
                                            number(~std::uint64_t{0}) + "{",
                                            number(std::uint64_t{1} << 40) + "{\"a\":"};
  std::mt19937_64 random(31);
  for (int i = 0; i < 2100; ++i) {
    std::string bytes = beginnings[static_cast<std::size_t>(i) % beginnings.size()];
    for (std::size_t n = random() % 300; n > 0; --n) bytes += static_cast<char>(random());
    const std::filesystem::path file = write("random", bytes);
    EXPECT_THAT(error_of(file), HasSubstr("cannot read weights from " + file.string()));
  }
}

TEST_F(Pth, WhatPythonSaves) {
  const char* python = std::getenv("NEPHRON_PEERS");
  if (python == nullptr) GTEST_SKIP() << "no Python with torch (NEPHRON_PEERS)";
  const std::string script = R"(
import sys, torch
from collections import OrderedDict
from safetensors.torch import save_file
out = sys.argv[1]
torch.manual_seed(1)
net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
base = torch.arange(24.).reshape(4, 6)
odd = OrderedDict(t=base.t(), part=base[1:3, 2:], half=base.half(), bf=base.bfloat16(), flag=base > 5,
                  small=base.to(torch.int8), long=base.long(), double=base.double(),
                   one=torch.tensor(3.5), none=torch.zeros(0, 2))
for name, d in (("net", net.state_dict()), ("odd", odd)):
    save_file({k: v.clone().contiguous() for k, v in d.items()}, f"{out}/{name}.safetensors")
    for how in (True, False):
        torch.save(d, f"{out}/{name}-{how}.pth", _use_new_zipfile_serialization=how)
opt = torch.optim.Adam(net.parameters())
net(torch.randn(2, 3, 8, 8)).sum().backward(); opt.step()
save_file({k: v.clone() for k, v in net.state_dict().items()}, f"{out}/step.safetensors")
for how in (True, False):
    torch.save({"epoch": 3, "loss": 0.5, "name": "run", "optimizer": opt.state_dict(),
                "state_dict": {"module." + k: v for k, v in net.state_dict().items()}}, f"{out}/step-{how}.pth",
               _use_new_zipfile_serialization=how)
    torch.save(dict(net.named_parameters()), f"{out}/parameters-{how}.pth", _use_new_zipfile_serialization=how)
)";
  write("save.py", script);
  ASSERT_EQ(std::system((std::string(python) + " " + (folder_ / "save.py").string() + " " + folder_.string()).c_str()),
            0);
  for (const std::string how : {"True", "False"}) {
    for (const std::string name : {"net", "odd", "step"}) {
      const TensorMap expected = read_tensors(folder_ / (name + ".safetensors"));
      const TensorMap tensors = read_tensors(folder_ / (name + "-" + how + ".pth"));
      ASSERT_EQ(tensors.size(), expected.size()) << name << how;
      for (const auto& [key, t] : expected) {
        ASSERT_TRUE(tensors.contains(key)) << key;
        EXPECT_EQ(tensors.at(key).scalar_type(), t.scalar_type()) << key;
        EXPECT_TRUE(at::equal(tensors.at(key), t)) << key;
      }
    }
    EXPECT_EQ(read_tensors(folder_ / ("parameters-" + how + ".pth")).size(), 4U);
  }
}

}  // namespace
}  // namespace nephron::host
