#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nephron/component.hpp>
#include <nephron/plugin.hpp>
#include <nephron/slide.hpp>

namespace nephron {

/// Opens slide files of some formats. Const calls are thread-safe.
class NEPHRON_API Reader : public Component {
 public:
  static constexpr std::string_view kind = "reader";
  ~Reader() override;

  /// How well this reader suits a file, from its name and its first bytes (`head`, up to 4096), without opening it:
  /// 0 not at all, 50 as any reader of that format, 100 made for it. The host asks the best first; a tie goes to the
  /// name that comes first in the alphabet.
  virtual int suits(const std::filesystem::path& file, std::string_view head) const = 0;
  /// Throws Error that names the file, what is wrong with it, and what was expected.
  virtual std::unique_ptr<SlideFile> open(const std::filesystem::path& file) const = 0;
};

}  // namespace nephron
