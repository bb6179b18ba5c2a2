#include <host/compare/json_lines.hpp>

#include <string_view>

#include <nephron/error.hpp>

#include <host/util/files.hpp>

namespace nephron::host {

namespace {

constexpr std::size_t longest_line = std::size_t{1} << 20;

}  // namespace

void read_json_lines(const std::filesystem::path& file, const std::string& hint,
                     const std::function<void(const JsonNode&, std::size_t)>& line) {
  std::string open;  // the line that has not ended
  std::size_t number = 1;
  const auto place = [&] { return file.string() + ":" + std::to_string(number); };
  const auto take = [&](std::string_view more) {
    if (open.size() + more.size() > longest_line)
      throw Error(place() + " is a line of over 1 MiB: no validation writes such", hint);
    open += more;
  };
  read_in_pieces(file, [&](const void* bytes, std::size_t size) {
    std::string_view rest(static_cast<const char*>(bytes), size);
    for (std::size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
      take(rest.substr(0, end));
      rest.remove_prefix(end + 1);
      line(JsonNode::parse(open, place(), hint), number);
      open.clear(), ++number;
    }
    take(rest);
  });
  if (!open.empty()) throw Error(place() + " is torn: the file ends within the line", hint);
}

}  // namespace nephron::host
