#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <nephron/geometry.hpp>

#include <host/labels/label_set.hpp>
#include <host/view/work_slots.hpp>

namespace nephron::host {

/// What lies over slides: true objects, those of a prediction, or those of a submission. Const calls are thread-safe.
class ViewLayer {
 public:
  enum class Kind { truth, prediction, submission };
  /// A probability map.
  struct Map {
    std::string class_name;
    std::filesystem::path file;
  };
  ViewLayer(std::string name, Kind kind) : name_(std::move(name)), kind_(kind) {}
  virtual ~ViewLayer() = default;

  const std::string& name() const noexcept { return name_; }
  void rename(std::string name) { name_ = std::move(name); }
  Kind kind() const noexcept { return kind_; }
  /// False when it has nothing of this slide.
  virtual bool knows(const std::string& id) const = 0;
  /// Objects or masks of a slide of this size in level-0 pixels. Throws Error that names the file.
  virtual LabelSet labels(const std::string& id, Size slide, const Stop& stop) const = 0;
  virtual std::vector<Map> maps(const std::string&) const { return {}; }
  virtual std::vector<std::string> classes() const { return {}; }
  /// Files that it is made of, as far as they are known: what no drawing may replace.
  virtual std::vector<std::filesystem::path> files() const { return {}; }

 private:
  std::string name_;
  Kind kind_;
};

/// What the first of several layers knows.
class FirstOfLayers final : public ViewLayer {
 public:
  FirstOfLayers(std::string name, Kind kind) : ViewLayer(std::move(name), kind) {}
  void add(std::shared_ptr<const ViewLayer> layer) { layers_.push_back(std::move(layer)); }
  bool empty() const noexcept { return layers_.empty(); }

  bool knows(const std::string& id) const override;
  LabelSet labels(const std::string& id, Size slide, const Stop& stop) const override;
  std::vector<std::string> classes() const override;
  std::vector<std::filesystem::path> files() const override;

 private:
  std::vector<std::shared_ptr<const ViewLayer>> layers_;
};

}  // namespace nephron::host
