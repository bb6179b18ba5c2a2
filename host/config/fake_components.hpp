#pragma once

// For the tests of this folder: components without plugins, and experiment files in a folder of their own.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <unistd.h>

#include <gtest/gtest.h>

#include <host/config/components.hpp>
#include <host/config/load.hpp>
#include <tests/support/put_file.hpp>

namespace nephron::host {

struct FakeLossParams {
  double gamma = 2;
  static void describe(Schema<FakeLossParams>& s) {
    s.field("gamma", &FakeLossParams::gamma, "an exponent").range(0, 10);
  }
};
struct FakeFolderParams {
  std::filesystem::path root;
  static void describe(Schema<FakeFolderParams>& s) {
    s.field("root", &FakeFolderParams::root, "a folder").must_exist().required();
  }
};
/// A component with a parameter that no experiment could give it.
struct FakeHeavyParams {
  double weight = 4;
  static void describe(Schema<FakeHeavyParams>& s) { s.field("weight", &FakeHeavyParams::weight, "of its own"); }
};
/// A component that names another one.
struct FakeMixParams {
  std::vector<ComponentSpec> losses;
  static void describe(Schema<FakeMixParams>& s) {
    s.field("losses", &FakeMixParams::losses, "what is mixed").of_kind("loss");
  }
};

class FakeComponents final : public Components {
 public:
  std::vector<std::string> names(std::string_view kind) const override {
    static const std::map<std::string, std::vector<std::string>, std::less<>> known{
        {"dataset", {"folder", "made"}},
        {"sampler", {"grid", "uniform"}},
        {"augmentation", {"flip", "blur", "normalise", "one_of", "sequence", "some_of"}},
        {"batch_augmentation", {"mix-batches", "one_of", "sequence", "some_of"}},
        {"reader", {}},
        {"encoder", {"net18", "net34"}},
        {"decoder", {"unet"}},
        {"loss", {"bce", "focal", "mix", "broken", "heavy"}},
        {"metric", {}}};
    return known.at(std::string(kind));
  }
  std::string doc(std::string_view, std::string_view name) const override { return "about " + std::string(name); }
  const SchemaBase& schema(std::string_view, std::string_view name) const override {
    if (name == "focal") return schema_of<FakeLossParams>();
    if (name == "folder") return schema_of<FakeFolderParams>();
    if (name == "heavy") return schema_of<FakeHeavyParams>();
    if (name == "mix") return schema_of<FakeMixParams>();
    if (name == "some_of") return schema_of<SomeOfParams>();
    if (name == "broken") throw Error("plugin broken.so cannot be loaded", "build it again");
    return schema_of<NoParams>();
  }
};

/// A folder that is gone after the test.
class ConfigTest : public testing::Test {
 protected:
  ConfigTest() { std::filesystem::create_directories(folder); }
  ~ConfigTest() override { std::filesystem::remove_all(folder); }

  std::filesystem::path write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((folder / name).parent_path());
    put_file(folder / name, text);
    return folder / name;
  }
  /// As load_experiment() does, without plugins; faults as "line:column: message" of the leaf file, others in full.
  Experiment load(const std::string& name, const std::vector<std::string>& set = {}) {
    faults.clear();
    Value resolved = resolve_experiment(folder / name, set, faults);
    return decode_experiment(folder / name, std::move(resolved), FakeComponents(), faults);
  }
  std::vector<std::string> messages() const {
    std::vector<std::string> out;
    for (const Diagnostic& d : faults) {
      std::string where = d.source.str();
      const std::string prefix = folder.string() + "/";
      if (where.starts_with(prefix)) where = where.substr(prefix.size());
      out.push_back(where + ": " + d.message);
    }
    return out;
  }

  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / ("nephron_config_" + std::to_string(::getpid()));
  Diagnostics faults;

  /// A small experiment that is good.
  inline static const std::string good = R"(classes = ["healthy", "sick"]
[[dataset]]
type = "made"
[[dataset]]
type = "made"
name = "second"
share = 0.25
[sampler]
type = "uniform"
[[augmentation]]
type = "one_of"
p = 0.5
of = [ { type = "flip" }, { type = "blur", p = 0.25 } ]
[model]
encoder = { type = "net18" }
decoder = { type = "unet" }
[loss]
class_weights = [1.0, 0.2]
terms = [ { type = "focal", gamma = 3 }, { type = "bce", weight = 0.5 } ]
)";
};

}  // namespace nephron::host
