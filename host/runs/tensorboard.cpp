#include <host/runs/tensorboard.hpp>

#include <array>
#include <bit>
#include <chrono>
#include <cstring>

#include <unistd.h>

#include <nephron/error.hpp>

namespace nephron::host {

namespace {

constexpr std::array<std::uint32_t, 256> crc_table = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78U : 0U);
    table[i] = crc;
  }
  return table;
}();

/// TFRecord rotates and shifts its checksums, so that a checksum of data that holds checksums stays useful.
std::uint32_t masked(std::uint32_t crc) noexcept { return std::rotr(crc, 15) + 0xa282ead8U; }

/// The few encodings of protocol buffers that an Event needs. Numbers are little-endian, as this machine's are.
class Proto {
 public:
  Proto& varint(int field, std::uint64_t v) {
    raw_varint(static_cast<std::uint64_t>(field) << 3);
    raw_varint(v);
    return *this;
  }
  Proto& fixed64(int field, double v) { return tag(field, 1).raw(&v, sizeof v); }
  Proto& fixed32(int field, float v) { return tag(field, 5).raw(&v, sizeof v); }
  Proto& bytes(int field, std::string_view v) {
    tag(field, 2).raw_varint(v.size());
    out_ += v;
    return *this;
  }
  const std::string& str() const noexcept { return out_; }

 private:
  Proto& tag(int field, unsigned type) {
    raw_varint(static_cast<std::uint64_t>(field) << 3 | type);
    return *this;
  }
  Proto& raw(const void* data, std::size_t n) {
    out_.append(static_cast<const char*>(data), n);
    return *this;
  }
  void raw_varint(std::uint64_t v) {
    for (; v >= 0x80; v >>= 7) out_ += static_cast<char>(v | 0x80);
    out_ += static_cast<char>(v);
  }
  std::string out_;
};
static_assert(std::endian::native == std::endian::little);

double wall_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Field numbers of tensorflow/core/util/event.proto and framework/summary.proto.
constexpr int event_wall_time = 1, event_step = 2, event_file_version = 3, event_summary = 5, event_session_log = 7;
constexpr int session_status = 1, session_start = 1;
constexpr int summary_value = 1, value_tag = 1, value_simple = 2;

}  // namespace

std::uint32_t crc32c(std::string_view bytes) noexcept {
  std::uint32_t crc = ~0U;
  for (const char c : bytes) crc = crc_table[(crc ^ static_cast<unsigned char>(c)) & 255] ^ crc >> 8;
  return ~crc;
}

TensorBoardWriter::TensorBoardWriter(const std::filesystem::path& folder, std::int64_t resumed_at) {
  char host[256] = "unknown";
  gethostname(host, sizeof host - 1);
  const auto seconds = static_cast<long long>(wall_time());
  // TensorBoard reads the files of a folder in the order of their names; the counter keeps two of one second in order.
  for (int n = 0; file_.empty() || std::filesystem::exists(file_); ++n) {
    char name[400];
    std::snprintf(name, sizeof name, "events.out.tfevents.%010lld.%s.%d.%d", seconds + n, host,
                  static_cast<int>(getpid()), n);
    file_ = folder / name;
  }
  out_.open(file_, std::ios::binary);
  if (!out_) throw Error("cannot write " + file_.string() + ": " + std::strerror(errno));
  record(Proto().fixed64(event_wall_time, wall_time()).bytes(event_file_version, "brain.Event:2").str());
  if (resumed_at >= 0)
    record(Proto()
               .fixed64(event_wall_time, wall_time())
               .varint(event_step, static_cast<std::uint64_t>(resumed_at))
               .bytes(event_session_log, Proto().varint(session_status, session_start).str())
               .str());
  flush();
}

void TensorBoardWriter::scalars(std::int64_t step, const std::vector<std::pair<std::string, double>>& values) {
  Proto summary;
  for (const auto& [tag, value] : values)
    summary.bytes(summary_value, Proto().bytes(value_tag, tag).fixed32(value_simple, static_cast<float>(value)).str());
  record(Proto()
             .fixed64(event_wall_time, wall_time())
             .varint(event_step, static_cast<std::uint64_t>(step))
             .bytes(event_summary, summary.str())
             .str());
}

void TensorBoardWriter::flush() {
  if (!out_.flush()) throw Error("cannot write " + file_.string() + ": is the disk full?");
}

void TensorBoardWriter::record(std::string_view event) {
  const auto length = static_cast<std::uint64_t>(event.size());
  const std::string_view length_bytes(reinterpret_cast<const char*>(&length), sizeof length);
  const std::uint32_t length_crc = masked(crc32c(length_bytes)), data_crc = masked(crc32c(event));
  out_.write(length_bytes.data(), sizeof length);
  out_.write(reinterpret_cast<const char*>(&length_crc), sizeof length_crc);
  out_.write(event.data(), static_cast<std::streamsize>(event.size()));
  out_.write(reinterpret_cast<const char*>(&data_crc), sizeof data_crc);
}

}  // namespace nephron::host
