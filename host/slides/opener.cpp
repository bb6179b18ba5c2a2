#include <host/slides/opener.hpp>

#include <algorithm>
#include <fstream>

#include <nephron/error.hpp>

#include <host/plugins/guard.hpp>
#include <host/util/log.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t head_bytes = 4096;

/// Empty for a folder: some formats are folders.
std::string head_of(const fs::path& file) {
  std::error_code failed;
  const fs::file_status status = fs::status(file, failed);
  if (!fs::exists(status)) throw Error("there is no slide file " + file.string());
  if (fs::is_directory(status)) return {};
  std::ifstream in(file, std::ios::binary);
  std::string head(head_bytes, '\0');
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  if (!in && !in.eof()) throw Error("slide file " + file.string() + " cannot be read", "may it be read by you?");
  head.resize(static_cast<std::size_t>(in.gcount()));
  return head;
}

std::string region_text(const Region& r) {
  return "region " + std::to_string(r.x) + ", " + std::to_string(r.y) + " of " + std::to_string(r.width) + " x " +
         std::to_string(r.height) + " pixels";
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& n : names) (out += out.empty() ? "" : ", ") += n;
  return out;
}

/// A slide file of a plugin. An Error of the reader is about the file and passes; anything else names the plugin.
class GuardedSlide final : public SlideFile {
 public:
  GuardedSlide(OpenedBy by, std::shared_ptr<Reader> reader, std::unique_ptr<SlideFile> slide)
      : by_(std::move(by)), reader_(std::move(reader)), slide_(std::move(slide)), header_(slide_->header()) {
    if (header_.levels.empty() || header_.levels.front().size.empty() || header_.levels.front().size != slide_->size())
      throw Error("the reader of " + by_.file.string() +
                  " gave a header without a size, or with another one than size()");
  }
  Size size() const noexcept override { return header_.levels.front().size; }
  const SlideHeader& header() const noexcept override { return header_; }
  const OpenedBy& by() const noexcept { return by_; }

  void read(const Region& region, const ImageView& out) const override {
    require(0, region, out);
    call(region, [&] { slide_->read(region, out); });
  }
  void read_level(int level, const Region& region, const ImageView& out) const override {
    require(level, region, out);
    call(region, [&] { slide_->read_level(level, region, out); });
  }

 private:
  void require(int level, const Region& region, const ImageView& out) const {
    const auto count = static_cast<int>(header_.levels.size());
    if (level < 0 || level >= count)
      throw Error("slide " + by_.file.string() + " has no level " + std::to_string(level) + "; it has " +
                  std::to_string(count));
    const Size size = header_.levels[static_cast<std::size_t>(level)].size;
    if (region.empty() || region.clipped({0, 0, size.width, size.height}) != region)
      throw Error(region_text(region) + " leaves slide " + by_.file.string() + ", level " + std::to_string(level) +
                  ", of " + std::to_string(size.width) + " x " + std::to_string(size.height) + " pixels");
    if (out.size() != region.size() || out.channels != 3 || out.depth != Depth::u8)
      throw Error(region_text(region) + " of slide " + by_.file.string() + " was asked for into a view of " +
                  std::to_string(out.width) + " x " + std::to_string(out.height) + " pixels with " +
                  std::to_string(out.channels) + " channels; expected the region's size, 8-bit RGB");
  }

  template <class F>
  void call(const Region& region, F&& f) const {
    try {
      f();
    } catch (const Error&) {
      throw;
    } catch (...) {
      Origin origin = origin_of(*reader_);
      origin.doing = "in " + region_text(region) + " of " + by_.file.string();
      rethrow_with(origin);
    }
  }

  OpenedBy by_;
  std::shared_ptr<Reader> reader_;  // before the slide: destroyed after it
  std::unique_ptr<SlideFile> slide_;
  SlideHeader header_;
};

std::unique_ptr<SlideFile> open_with(const std::shared_ptr<Reader>& reader, const ComponentInfo& info,
                                     const fs::path& file, const std::string& others) {
  const std::string& name = info.name;
  const std::string hint = others.empty() ? "" : "not tried: " + others + " (name one as the reader to try it)";
  Origin origin = origin_of(*reader);
  origin.doing = "when it opened " + file.string();
  try {
    std::unique_ptr<SlideFile> slide = reader->open(file);
    if (slide == nullptr) throw Error("reader \"" + name + "\" gave no slide for " + file.string());
    return std::make_unique<GuardedSlide>(OpenedBy{file, name, info.version}, reader, std::move(slide));
  } catch (const Cancelled&) {
    throw;
  } catch (const Error& e) {
    const std::string own = e.hint();
    throw Error(std::string(e.what()) + " (reader \"" + name + "\")",
                own.empty() || hint.empty() ? own + hint : own + "; " + hint);
  } catch (...) {
    rethrow_with(origin);
  }
}

}  // namespace

std::optional<OpenedBy> opened_by(const SlideReader& slide) {
  const auto* guarded = dynamic_cast<const GuardedSlide*>(&slide);
  return guarded == nullptr ? std::nullopt : std::optional(guarded->by());
}

ReaderOpener::ReaderOpener(const Registry& registry) : registry_(registry) {}
ReaderOpener::~ReaderOpener() = default;

std::shared_ptr<ReaderOpener::Made> ReaderOpener::made(const std::string& name) {
  const std::lock_guard lock(mutex_);
  for (const auto& [known, made] : made_)
    if (known == name) return made;
  auto made = std::make_shared<Made>(name, "reader \"" + name + "\"");
  made->context.seed = 0;
  try {
    made->reader =
        registry_.create<Reader>({.type = name, .params = Value(Value::Table{}), .source = {}}, made->context);
  } catch (const Error& e) {
    made->unusable = e.what();
    log().warning("reader \"" + name + "\" cannot be used: " + e.what());
  }
  made_.emplace_back(name, made);
  return made;
}

std::shared_ptr<Reader> ReaderOpener::reader(const std::string& name) {
  registry_.find(Reader::kind, name);  // throws for an unknown name, with the known ones
  const std::shared_ptr<Made> pair = made(name);
  if (pair->reader == nullptr) throw Error(pair->unusable);
  return {pair, pair->reader.get()};
}

std::vector<ReaderRank> ReaderOpener::rank(const fs::path& file) {
  const std::string head = head_of(file);
  const std::vector<std::string> names = registry_.names(Reader::kind);
  if (names.empty())
    throw Error("slide file " + file.string() + " cannot be opened: no plugin that was found has a reader",
                "--plugin FILE or NEPHRON_PLUGIN_PATH adds plugins");
  std::vector<ReaderRank> out;
  for (const std::string& name : names) {
    const std::shared_ptr<Made> pair = made(name);
    if (pair->reader == nullptr) continue;
    const int suits = guarded(*pair->reader, "when it was asked whether it suits " + file.string(),
                              [&] { return pair->reader->suits(file, head); });
    if (suits > 0) out.push_back({name, suits});
  }
  if (out.empty()) {
    for (const Registry::Clash& c : registry_.clashes())
      if (c.kind == Reader::kind) throw c.error();
    throw Error("no reader suits slide file " + file.string() + "; asked: " + joined(names),
                "is it a slide? A reader that is named is used whatever it says of the file");
  }
  std::stable_sort(out.begin(), out.end(), [](const ReaderRank& a, const ReaderRank& b) { return a.suits > b.suits; });
  return out;
}

std::unique_ptr<SlideFile> ReaderOpener::open(const fs::path& file, std::string_view reader_name) {
  if (!reader_name.empty()) {
    head_of(file);
    return open_with(reader(std::string(reader_name)), registry_.find(Reader::kind, reader_name), file, "");
  }
  const std::vector<ReaderRank> ranks = rank(file);
  std::vector<std::string> others;
  for (std::size_t i = 1; i < ranks.size(); ++i) others.push_back(ranks[i].reader);
  const std::string& best = ranks.front().reader;
  std::unique_ptr<SlideFile> slide = open_with(reader(best), registry_.find(Reader::kind, best), file, joined(others));
  log().debug(file.string() + ": reader \"" + best + "\", " + slide->header().format);
  return slide;
}

}  // namespace nephron::host
