#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include <nephron/image.hpp>
#include <nephron/slide.hpp>

#include <host/store/reduction.hpp>

namespace nephron::host {

/// A slide so small that it fits into memory, made by a thread of its own, band by band from top to bottom: coarse
/// tiles of a slide whose file has no small level. Rows that are made can be read while the others are. Const calls are
/// thread-safe; the thread ends with the object, within a band.
class Overview {
 public:
  /// One level of the slide, divided by `reduction`.
  Overview(std::shared_ptr<const SlideFile> slide, int level, Reduction reduction);
  ~Overview();
  Overview(const Overview&) = delete;
  Overview& operator=(const Overview&) = delete;

  Size size() const noexcept { return pixels_.size(); }
  std::int64_t rows_made() const noexcept { return rows_; }
  bool whole() const noexcept { return rows_ == size().height; }
  /// Why it will never be whole; empty: it will.
  std::string problem() const;
  /// Copies a region; rows that are not made yet are grey. True when all were.
  bool read(const Region& region, const ImageView& out) const;

 private:
  void make(const SlideFile& slide, int level, Reduction reduction);

  Image pixels_;
  std::atomic<std::int64_t> rows_{0};
  std::atomic<bool> ends_{false};
  mutable std::mutex mutex_;
  std::string problem_;
  std::thread thread_;
};

}  // namespace nephron::host
