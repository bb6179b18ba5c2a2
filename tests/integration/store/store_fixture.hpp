#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include <nephron/error.hpp>
#include <nephron/image_cv.hpp>

#include <host/data/store_places.hpp>
#include <host/data/store_slides.hpp>
#include <host/util/files.hpp>

namespace nephron::host {

inline Registry store_plugins() {
  PluginSearch search;
  std::stringstream files(NEPHRON_PLUGIN_FILES);
  for (std::string file; std::getline(files, file, ':');) search.command_line.emplace_back(file);
  search.folders = false;
  return Registry(search);
}

/// A folder of pictures with masks, an experiment on it, and a store.
class StoreFixture : public testing::Test {
 protected:
  StoreFixture()
      : root_(std::filesystem::temp_directory_path() / ("nephron_store_" + std::to_string(getpid()))),
        store_(root_ / "store"),
        registry_(store_plugins()) {
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_ / "images");
    std::filesystem::create_directories(root_ / "masks");
    experiment_.classes = {"healthy", "sclerotic"};
    experiment_.data.factor = 2;
    experiment_.data.factors = {4};
    experiment_.data.tile = 64;
    experiment_.data.store = store_;
    DatasetConfig d;
    d.name = "folder";
    Value params{Value::Table{}};
    params.set("root", root_.string());
    Value values{Value::Table{}};
    values.set("healthy", 1);
    values.set("sclerotic", 2);
    params.set("values", std::move(values));
    d.component = {"image_folder", std::move(params), {}};
    experiment_.datasets = {d};
    experiment_.sampler = {"uniform", Value(Value::Table{}), {}};
    experiment_.validation_sampler = {"grid", Value(Value::Table{}), {}};
  }
  ~StoreFixture() override {
    std::error_code ignored;
    std::filesystem::permissions(root_, std::filesystem::perms::owner_all, ignored);
    std::filesystem::remove_all(root_, ignored);
  }

  /// Noise with coloured discs, which are the labels.
  void write_pair(const std::string& name, int width, int height, bool mask = true) {
    cv::Mat image(height, width, CV_8UC3), labels(height, width, CV_8U, cv::Scalar(0));
    cv::RNG rng(static_cast<std::uint64_t>(width * 31 + height));
    rng.fill(image, cv::RNG::UNIFORM, 225, 256);
    for (int i = 0; i < 6; ++i) {
      const cv::Point at(rng.uniform(0, width), rng.uniform(0, height));
      cv::circle(labels, at, std::min(width, height) / 9, 1 + i % 2, -1);
      cv::circle(image, at, std::min(width, height) / 9, cv::Scalar(160, 60, 190), -1);
    }
    cv::imwrite((root_ / "images" / (name + ".png")).string(), image);
    if (mask) cv::imwrite((root_ / "masks" / (name + ".png")).string(), labels);
  }

  StoreOutcome prepare_all(const StoreRequest& request = {}) {
    const Listing listing(experiment_, registry_);
    return prepare_store(listing, request);
  }

  /// Every file of the store but its locks. Records without the time at which their file was made.
  std::map<std::string, std::string> contents() const {
    std::map<std::string, std::string> out;
    const std::regex time("\n  \"mtime_ns\": [0-9]+,");
    for (const auto& entry : std::filesystem::recursive_directory_iterator(store_)) {
      if (!entry.is_regular_file() || entry.path().filename() == ".lock") continue;
      std::string& text = out[std::filesystem::relative(entry.path(), store_).string()] = read_file(entry.path());
      if (entry.path().extension() == ".json") text = std::regex_replace(text, time, "");
    }
    return out;
  }

  /// The folders of a slide in a part of the store.
  std::vector<std::filesystem::path> folders(const std::string& part, const std::string& slide) const {
    std::vector<std::filesystem::path> out;
    if (std::filesystem::exists(store_ / part))
      for (const auto& entry : std::filesystem::directory_iterator(store_ / part))
        if (entry.path().filename().string().starts_with(slide + "-")) out.push_back(entry.path());
    return out;
  }
  PictureFolder picture_of(const std::string& slide) const { return PictureFolder(only(folders("pictures", slide))); }
  LabelsFolder labels_of(const std::string& slide) const { return LabelsFolder(only(folders("labels", slide))); }
  static std::filesystem::path only(const std::vector<std::filesystem::path>& found) {
    EXPECT_EQ(found.size(), 1U);
    return found.empty() ? std::filesystem::path() : found.front();
  }

  std::filesystem::path root_, store_;
  Registry registry_;
  Experiment experiment_;
};

}  // namespace nephron::host
