#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nephron/reader.hpp>

#include <host/plugins/host_context.hpp>
#include <host/plugins/registry.hpp>

namespace nephron::host {

/// How well a reader suits a file.
struct ReaderRank {
  std::string reader;
  int suits = 0;  ///< 1 to 100
};

/// What an open slide comes of.
struct OpenedBy {
  std::filesystem::path file;
  std::string reader;   ///< component
  std::string version;  ///< of its plugin
};
/// Nothing for a slide that no ReaderOpener opened.
std::optional<OpenedBy> opened_by(const SlideReader& slide);

/// Opens slide files with the readers of a registry, which must outlive it; the slides that it opened may outlive it.
/// Readers are made when the first file is asked for. Thread-safe.
class ReaderOpener final : public SlideOpener {
 public:
  explicit ReaderOpener(const Registry& registry);
  ~ReaderOpener() override;

  /// What is read is guarded (SDK rule 6), and regions and views are checked before the reader sees them.
  std::unique_ptr<SlideFile> open(const std::filesystem::path& file, std::string_view reader = {}) override;

  /// The readers that suit a file, best first. Throws Error when the file cannot be read or none suits.
  std::vector<ReaderRank> rank(const std::filesystem::path& file);

 private:
  struct Made {
    Made(const std::string& name, const std::string& place) : context(name, place) {}
    HostContext context;  // first: destroyed last
    std::shared_ptr<Reader> reader;
    std::string unusable;  ///< why there is no reader
  };
  std::shared_ptr<Reader> reader(const std::string& name);
  std::shared_ptr<Made> made(const std::string& name);

  const Registry& registry_;
  std::mutex mutex_;
  std::vector<std::pair<std::string, std::shared_ptr<Made>>> made_;
};

}  // namespace nephron::host
