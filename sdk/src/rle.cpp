#include <nephron/rle.hpp>

#include <algorithm>
#include <charconv>

#include <nephron/error.hpp>

namespace nephron {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::string prefix(std::string_view where) { return where.empty() ? "" : std::string(where) + ": "; }

std::string text(const Run& run) { return std::to_string(run.start) + " + " + std::to_string(run.length); }

[[noreturn]] void refuse(std::string_view where, std::size_t run, const std::string& what) {
  throw Error(prefix(where) + "run " + std::to_string(run + 1) + " of the run lengths " + what);
}

/// Checks one run against its predecessor and the mask; `first` is the number that the text gives to the first pixel.
void require_fit(std::string_view where, std::size_t number, const Run& run, std::int64_t before, std::int64_t pixels,
                 std::int64_t first) {
  const Run shown{run.start + first, run.length};
  if (run.start < 0 || run.length < 1)
    refuse(where, number, "(" + text(shown) + ") begins before pixel " + std::to_string(first) + " or has no pixels");
  if (run.start > pixels || run.length > pixels - run.start)
    refuse(where, number,
           "(" + text(shown) + ") leaves the mask of " + std::to_string(pixels) +
               " pixels; was it made for another size?");
  if (run.start < before)
    refuse(
        where, number,
        "(" + text(shown) + ") begins before the end of the run ahead of it; expected runs in order, without overlap");
}

constexpr std::int64_t no_limit = std::int64_t{1} << 62;

std::int64_t pixels_of(Size mask) {
  if (mask.empty()) return no_limit;
  return mask.width > no_limit / mask.height ? no_limit : mask.area();
}

void append(Runs& runs, Run run) {
  if (!runs.empty() && runs.back().end() >= run.start)
    runs.back().length = std::max(runs.back().end(), run.end()) - runs.back().start;
  else runs.push_back(run);
}

/// Calls visit(start, end) for every stretch that both have.
template <class F>
void for_common(std::span<const Run> a, std::span<const Run> b, F&& visit) {
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const std::int64_t start = std::max(a[i].start, b[j].start), end = std::min(a[i].end(), b[j].end());
    if (start < end) visit(start, end);
    if (a[i].end() < b[j].end()) ++i;
    else ++j;
  }
}

}  // namespace

Runs parse_rle(std::string_view text, Size mask, std::string_view where) {
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto skip_blanks = [&] {
    while (at != end && is_blank(*at)) ++at;
  };
  const std::int64_t pixels = pixels_of(mask);
  Runs runs;
  runs.reserve(text.size() / 12);
  const auto number = [&] {
    std::int64_t value = 0;
    const auto [stop, fault] = std::from_chars(at, end, value);
    if (fault != std::errc() || (stop != end && !is_blank(*stop))) {
      const char* word = at;
      while (word != end && !is_blank(*word) && word - at < 20) ++word;
      refuse(where, runs.size(),
             "has \"" + std::string(at, word) +
                 "\" where a whole number was expected (\"start length start length ...\", counted from 1)");
    }
    at = stop;
    skip_blanks();
    return value;
  };
  skip_blanks();
  if (std::string_view word(at, static_cast<std::size_t>(end - at));
      word.size() >= 3 && (word.substr(0, 3) == "nan" || word.substr(0, 3) == "NaN") &&
      std::all_of(word.begin() + 3, word.end(), is_blank))
    return runs;
  for (std::int64_t before = 0; at != end; before = runs.back().end()) {
    const std::int64_t start = number();
    if (at == end)
      refuse(where, runs.size(), "has the start " + std::to_string(start) + " without a length; expected pairs");
    const Run run{start < 1 ? -1 : start - 1, number()};
    require_fit(where, runs.size(), run, before, pixels, 1);
    runs.push_back(run);
  }
  return runs;
}

std::string rle_text(std::span<const Run> runs) {
  constexpr std::size_t longest = 42;  // two numbers of 64 bits, two blanks
  std::string out(runs.size() * longest, '\0');
  char* at = out.data();
  char* const end = at + out.size();
  for (const Run& run : runs) {
    at = std::to_chars(at, end, run.start + 1).ptr;
    *at++ = ' ';
    at = std::to_chars(at, end, run.length).ptr;
    *at++ = ' ';
  }
  out.resize(runs.empty() ? 0 : static_cast<std::size_t>(at - out.data()) - 1);
  return out;
}

Runs normalised(Runs runs) {
  std::sort(runs.begin(), runs.end());
  Runs out;
  for (const Run& run : runs)
    if (run.length > 0) append(out, run);
  return out;
}

void require_valid(std::span<const Run> runs, std::int64_t pixels, std::string_view where) {
  std::int64_t before = 0;
  for (std::size_t i = 0; i < runs.size(); before = runs[i++].end()) require_fit(where, i, runs[i], before, pixels, 0);
}

std::int64_t area_of(std::span<const Run> runs) noexcept {
  std::int64_t sum = 0;
  for (const Run& run : runs) sum += run.length;
  return sum;
}

Runs union_of(std::span<const Run> a, std::span<const Run> b) {
  Runs out;
  out.reserve(std::max(a.size(), b.size()));
  for (std::size_t i = 0, j = 0; i < a.size() || j < b.size();)
    append(out, j == b.size() || (i < a.size() && a[i].start < b[j].start) ? a[i++] : b[j++]);
  return out;
}

Runs intersection_of(std::span<const Run> a, std::span<const Run> b) {
  Runs out;
  for_common(a, b, [&](std::int64_t start, std::int64_t end) { append(out, {start, end - start}); });
  return out;
}

std::int64_t common_area(std::span<const Run> a, std::span<const Run> b) noexcept {
  std::int64_t sum = 0;
  for_common(a, b, [&](std::int64_t start, std::int64_t end) { sum += end - start; });
  return sum;
}

double dice(std::span<const Run> a, std::span<const Run> b, double eps) noexcept {
  return (2 * static_cast<double>(common_area(a, b)) + eps) / (static_cast<double>(area_of(a) + area_of(b)) + eps);
}

}  // namespace nephron
