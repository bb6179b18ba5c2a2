#include <nephron/coco_rle.hpp>

#include <vector>

#include <nephron/error.hpp>

namespace nephron {

namespace {

[[noreturn]] void refuse(std::string_view where, const std::string& what) {
  throw Error(std::string(where) + ": " + what);
}

}  // namespace

Runs runs_of_coco_counts(std::span<const std::int64_t> counts, std::int64_t pixels, std::string_view where) {
  Runs out;
  std::int64_t at = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] < 0 || counts[i] > pixels - at)
      refuse(where, "count " + std::to_string(i + 1) + " of the run lengths (" + std::to_string(counts[i]) +
                        ") leaves the mask of " + std::to_string(pixels) + " pixels");
    if (i % 2 == 1 && counts[i] > 0) out.push_back({at, counts[i]});
    at += counts[i];
  }
  if (at != pixels)
    refuse(where, "the run lengths cover " + std::to_string(at) + " pixels; expected the " + std::to_string(pixels) +
                      " of the mask");
  return normalised(std::move(out));
}

Runs parse_coco_rle(std::string_view text, std::int64_t pixels, std::string_view where) {
  std::vector<std::int64_t> counts;
  for (std::size_t at = 0; at < text.size();) {
    std::int64_t value = 0;
    int shift = 0, bits = 32;
    for (; (bits & 32) != 0; shift += 5) {
      if (at == text.size()) refuse(where, "the compressed run lengths end inside a number");
      bits = static_cast<unsigned char>(text[at++]) - 48;
      if (bits < 0 || bits > 63 || shift > 55)
        refuse(where, "character " + std::to_string(at) + " of the compressed run lengths is not of COCO's alphabet");
      value |= static_cast<std::int64_t>(bits & 31) << shift;
    }
    if ((bits & 16) != 0) value -= std::int64_t{1} << shift;
    if (counts.size() > 2) value += counts[counts.size() - 2];
    if (value < 0 || value > pixels)
      refuse(where, "count " + std::to_string(counts.size() + 1) + " of the run lengths (" + std::to_string(value) +
                        ") leaves the mask of " + std::to_string(pixels) + " pixels");
    counts.push_back(value);
  }
  return runs_of_coco_counts(counts, pixels, where);
}

std::string coco_rle_text(std::span<const Run> runs, std::int64_t pixels) {
  std::vector<std::int64_t> counts;
  std::int64_t at = 0;
  for (const Run& run : runs) {
    counts.push_back(run.start - at);
    counts.push_back(run.length);
    at = run.end();
  }
  if (at < pixels || counts.empty()) counts.push_back(pixels - at);
  std::string out;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    std::int64_t value = i > 2 ? counts[i] - counts[i - 2] : counts[i];
    for (bool more = true; more;) {
      int bits = static_cast<int>(value & 31);
      value >>= 5;
      more = (bits & 16) != 0 ? value != -1 : value != 0;
      if (more) bits |= 32;
      out += static_cast<char>(bits + 48);
    }
  }
  return out;
}

}  // namespace nephron
