#include <host/labels/bench_rle.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>

#include <nlohmann/json.hpp>

#include <nephron/error.hpp>
#include <nephron/rle.hpp>

#include <host/util/files.hpp>

namespace nephron::host {

namespace {

template <class F>
double best(int repeats, F&& job) {
  double least = std::numeric_limits<double>::max();
  for (int i = 0; i < repeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    job();
    least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return least;
}

Image read_mask(const std::filesystem::path& file) {
  const std::string bytes = read_file(file);
  const std::int64_t side = std::llround(std::sqrt(static_cast<double>(bytes.size())));
  if (side < 1 || side * side != static_cast<std::int64_t>(bytes.size()))
    throw Error(file.string() + " has " + std::to_string(bytes.size()) + " bytes; expected those of a square mask");
  Image mask({side, side}, 1);
  std::memcpy(mask.view().data, bytes.data(), bytes.size());
  return mask;
}

double peak_rss_mb() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == "VmHWM:") {
      double kilobytes = 0;
      status >> kilobytes;
      return kilobytes / 1024;
    }
  return 0;
}

}  // namespace

std::string bench_rle(const BenchRleRequest& request) {
  const Image truth = read_mask(request.truth), found = read_mask(request.found);
  const Size size = truth.size();
  if (!(size == found.size())) throw Error("the two masks differ in size");
  std::string text;
  const double encode_s = best(request.repeats, [&] { text = rle_text(encode_rle(truth.view())); });
  const std::string other = rle_text(encode_rle(found.view()));
  // As the peer does: into memory that is fresh each time, and without keeping two masks.
  Image decoded;
  const double decode_s = best(request.repeats, [&] {
    decoded = {};
    decoded = Image(size, 1);
    decode_rle(parse_rle(text, size), decoded.view());
  });
  if (std::memcmp(decoded.view().data, truth.view().data, static_cast<std::size_t>(size.area())) != 0)
    throw Error("the decoded mask is not the encoded one; expected a mask of 0 and 1");
  double overlap = 0;
  const double dice_s = best(request.repeats, [&] { overlap = dice(parse_rle(text, size), parse_rle(other, size)); });
  return nlohmann::ordered_json{{"job", "rle"},
                                {"size", size.width},
                                {"runs", (std::count(text.begin(), text.end(), ' ') + 1) / 2},
                                {"text_bytes", text.size()},
                                {"encode_s", encode_s},
                                {"decode_row_major_s", decode_s},
                                {"dice_runs_s", dice_s},
                                {"dice", overlap},
                                {"peak_rss_mb", peak_rss_mb()}}
      .dump();
}

}  // namespace nephron::host
