#include <host/util/slide_file_name.hpp>

namespace nephron::host {

std::string file_name_of_slide(const std::string& id) {
  std::string out;
  for (const char c : id) out += c == '/' || c == '\\' || static_cast<unsigned char>(c) < 32 ? '_' : c;
  return out.empty() || out.front() == '.' ? "_" + out : out;
}

}  // namespace nephron::host
