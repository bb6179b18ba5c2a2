#include <host/weights/tensors.hpp>

#include <exception>
#include <fstream>
#include <string_view>

#include <nephron/error.hpp>

#include <host/weights/formats.hpp>

namespace nephron::host {

namespace {

enum class Format { safetensors, zip, legacy };

/// The first bytes tell the formats apart; names of files do not.
Format format_of(const std::filesystem::path& file) {
  std::error_code failed;
  if (std::filesystem::is_directory(file, failed)) throw Error("it is a folder");
  const auto type = std::filesystem::status(file, failed).type();  // a pipe would be waited for, a device has no end
  if (type != std::filesystem::file_type::regular && std::filesystem::exists(file, failed))
    throw Error("it is no plain file");
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error(std::filesystem::exists(file, failed) ? "it cannot be opened" : "there is no such file");
  char bytes[16] = {};
  in.read(bytes, sizeof bytes);
  const std::string_view head(bytes, static_cast<std::size_t>(in.gcount()));
  if (head.empty()) throw Error("it is empty");
  if (head.starts_with(std::string_view("PK\x03\x04", 4))) return Format::zip;
  // A pickle of protocol 2 that begins with a ten-byte integer: the magic number of the format before zip.
  if (head.starts_with(std::string_view("\x80\x02\x8a\x0a", 4))) return Format::legacy;
  if (head.size() > 9 && head[8] == '{') return Format::safetensors;
  throw Error("it is neither .safetensors nor a .pth that torch.save wrote",
              "in Python: safetensors.torch.save_file(model.state_dict(), \"FILE.safetensors\")");
}

}  // namespace

TensorMap read_tensors(const std::filesystem::path& file, std::map<std::string, std::string>* metadata) {
  const std::string where = "cannot read weights from " + file.string() + ": ";
  try {
    switch (format_of(file)) {
      case Format::safetensors:
        return read_safetensors(file, metadata);
      case Format::zip:
        return read_zip_pickle(file);
      case Format::legacy:
        return read_legacy_pickle(file);
    }
    throw Error("unknown format");
  } catch (const Error& e) {
    throw Error(where + e.what(), e.hint());
  } catch (const std::bad_alloc&) {
    throw Error(where + "there is not enough memory for it");
  } catch (const std::exception& e) {  // c10::Error among them, whose backtrace helps nobody here
    const std::string text = e.what();
    throw Error(where + text.substr(0, text.find('\n')));
  }
}

std::string shape_text(at::IntArrayRef shape) {
  if (shape.empty()) return "scalar";
  std::string text;
  for (const std::int64_t side : shape) text.append(text.empty() ? "" : "x").append(std::to_string(side));
  return text;
}

std::int64_t elements_of(const std::vector<std::int64_t>& shape) noexcept {
  std::int64_t n = 1;
  bool none = false;
  for (const std::int64_t side : shape) {
    if (side < 0) return -1;
    none = none || side == 0;
    if (side > 0 && __builtin_mul_overflow(n, side, &n)) return -1;
  }
  return none ? 0 : n;
}

}  // namespace nephron::host
