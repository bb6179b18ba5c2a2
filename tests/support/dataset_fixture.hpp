#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nephron/dataset.hpp>
#include <nephron/error.hpp>

#include <host/labels/painter.hpp>
#include <host/plugins/host_context.hpp>
#include <host/plugins/registry.hpp>
#include <tests/support/error_of.hpp>
#include <tests/support/fake_slides.hpp>
#include <tests/support/shared_data.hpp>

namespace nephron::host {

/// A folder of its own, the plugin under test, and a log that is kept.
class DatasetFixture : public testing::Test {
 protected:
  explicit DatasetFixture(std::string component) : component_(std::move(component)) {
    root_ = std::filesystem::temp_directory_path() / ("nephron_" + component_ + "_" + std::to_string(getpid()));
    std::filesystem::create_directories(root_);
    context_.opener = &opener_;
  }
  ~DatasetFixture() override { std::filesystem::remove_all(root_); }

  std::shared_ptr<Dataset> make(Value::Table params = {}) {
    bool rooted = false;
    for (const auto& entry : params) rooted = rooted || entry.key == "root";
    if (!rooted) params.push_back({"root", root_.string(), {}});
    return registry_.create<Dataset>(ComponentSpec{component_, Value(std::move(params)), {}}, context_);
  }
  void slide(const std::string& name, Size size) { FakeOpener::write(root_ / name, size); }
  void write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name, std::ios::binary) << text;
  }
  /// A GeoJSON list of square objects: class name, x, y, side.
  struct Square {
    std::string name;
    int x, y, side;
  };
  static std::string objects(const std::vector<Square>& squares) {
    std::string out;
    for (const auto& [name, x, y, side] : squares) {
      const auto p = [](int a, int b) { return "[" + std::to_string(a) + "," + std::to_string(b) + "]"; };
      out += (out.empty() ? "" : ",") + std::string(R"({"type":"Feature","properties":{)") +
             (name.empty() ? "" : R"("classification":{"name":")" + name + "\"}") +
             R"(},"geometry":{"type":"Polygon","coordinates":[[)" + p(x, y) + "," + p(x + side, y) + "," +
             p(x + side, y + side) + "," + p(x, y + side) + "]]}}";
    }
    return "[" + out + "]";
  }
  static const SlideInfo& find(const std::vector<SlideInfo>& slides, const std::string& id) {
    for (const SlideInfo& s : slides)
      if (s.id == id) return s;
    throw Error("no slide " + id);
  }
  /// Labels of a slide as the host draws them.
  Image labels(const Dataset& d, const std::string& id, const std::vector<std::string>& classes) {
    const auto slides = d.slides(classes);
    const SlideInfo& info = find(slides, id);
    LabelPainter painter(info.size, static_cast<int>(classes.size()));
    d.annotate(info, classes, painter);
    return painter.empty() ? Image(info.size, 1) : painter.labels(1);
  }
  static int at(const Image& labels, std::int64_t x, std::int64_t y) { return labels.view().row<std::uint8_t>(y)[x]; }
  static std::int64_t count(const Image& labels, int value) {
    std::int64_t n = 0;
    for (std::int64_t y = 0; y < labels.size().height; ++y)
      for (std::int64_t x = 0; x < labels.size().width; ++x) n += at(labels, x, y) == value;
    return n;
  }
  template <class F>
  static std::string error_of(F&& call) {
    return error_and_hint_of(call);
  }
  /// What the component logs, with the levels' names.
  struct KeptLog final : Log {
    std::string text;
    void write(Level level, std::string_view line) override {
      static constexpr const char* names[] = {"debug", "info", "warning", "error"};
      text += std::string(names[static_cast<int>(level)]) + ": " + std::string(line) + "\n";
    }
  };
  /// The host's context with that log.
  struct LoggedContext final : Context {
    explicit LoggedContext(const std::string& name) : host(name, "dataset[0]") {}
    HostContext host;
    KeptLog kept;
    SlideOpener* opener = nullptr;
    std::string_view component() const noexcept override { return host.component(); }
    Log& log() override { return kept; }
    Rng rng(std::string_view purpose) const override { return host.rng(purpose); }
    std::string_view device() const noexcept override { return host.device(); }
    ThreadPool& threads() override { return host.threads(); }
    bool cancelled() const noexcept override { return false; }
    void metric(std::string_view, double) override {}
    SlideOpener& slides() override { return *opener; }
  };

  std::string component_;
  std::filesystem::path root_;
  FakeOpener opener_;
  Registry registry_{PluginSearch{{NEPHRON_PLUGIN_FILE}, {}, false}};
  LoggedContext context_{component_};
};

}  // namespace nephron::host
