#include <algorithm>
#include <cstring>
#include <fstream>
#include <limits>
#include <vector>

#include <ATen/ops/empty.h>
#include <nlohmann/json.hpp>

#include <nephron/error.hpp>

#include <host/util/files.hpp>
#include <host/weights/dtypes.hpp>
#include <host/weights/formats.hpp>

// https://huggingface.co/docs/safetensors: u64 length of the header, the header in JSON, the bytes of all tensors.

namespace nephron::host {

namespace {

using Json = nlohmann::json;

constexpr std::uint64_t longest_header = 100'000'000;  // the limit of the reference implementation

struct Entry {
  std::string name;
  c10::ScalarType type = c10::ScalarType::Float;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

Entry entry_of(const std::string& name, const Json& json) {
  const auto bad = [&](const std::string& why) { return Error("tensor \"" + name + "\" " + why); };
  if (!json.is_object() || !json.contains("dtype") || !json.contains("shape") || !json.contains("data_offsets"))
    throw bad("lacks dtype, shape or data_offsets");
  Entry entry;
  entry.name = name;
  const Json& dtype = json["dtype"];
  const auto type = dtype.is_string() ? dtype_of_safetensors(dtype.get_ref<const std::string&>()) : std::nullopt;
  if (!type) throw bad("has the element type " + dtype.dump() + ", which is not supported");
  entry.type = *type;
  const Json& shape = json["shape"];
  if (!shape.is_array() || shape.size() > 16) throw bad("has no list of at most 16 sides as its shape");
  for (const Json& side : shape) {
    if (!side.is_number_unsigned() || side.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max())
      throw bad("has a shape that is not made of whole numbers");
    entry.shape.push_back(side.get<std::int64_t>());
  }
  const Json& offsets = json["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
      !offsets[1].is_number_unsigned())
    throw bad("has no pair of whole numbers as data_offsets");
  entry.begin = offsets[0].get<std::uint64_t>();
  entry.end = offsets[1].get<std::uint64_t>();
  const std::int64_t elements = elements_of(entry.shape);
  std::int64_t bytes = 0;
  if (elements < 0 || __builtin_mul_overflow(elements, static_cast<std::int64_t>(c10::elementSize(entry.type)), &bytes))
    throw bad("has an impossibly large shape");
  if (entry.begin > entry.end || entry.end - entry.begin != static_cast<std::uint64_t>(bytes))
    throw bad("of shape " + shape_text(entry.shape) + " needs " + std::to_string(bytes) +
              " bytes, but its data_offsets are " + offsets.dump());
  return entry;
}

Json parse_header(const std::string& text) {
  // The parser itself is not recursive, but printing and destroying deep values is costly: a header has three levels.
  const auto shallow = [](int depth, Json::parse_event_t, Json&) {
    if (depth > 4) throw Error("its header is nested deeper than a safetensors header is");
    return true;
  };
  try {
    Json header = Json::parse(text, shallow);
    if (!header.is_object()) throw Error("its header is not a JSON object");
    return header;
  } catch (const Json::exception&) {
    throw Error("its header is not valid JSON");
  }
}

/// In the order of the bytes. Together they fill the data without holes and overlaps, as the format demands; so a
/// small file cannot ask for much memory.
std::vector<Entry> entries_of(const Json& header, std::uint64_t data_bytes) {
  std::vector<Entry> entries;
  for (const auto& [name, json] : header.items())
    if (name != "__metadata__") entries.push_back(entry_of(name, json));
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
  std::uint64_t at = 0;
  for (const Entry& e : entries) {
    if (e.begin != at || e.end > data_bytes)
      throw Error("tensor \"" + e.name + "\" lies at bytes " + std::to_string(e.begin) + " to " +
                  std::to_string(e.end) + ", but the next of " + std::to_string(data_bytes) + " bytes is " +
                  std::to_string(at) + ": the file is damaged or cut off");
    at = e.end;
  }
  if (at != data_bytes)
    throw Error("its tensors have " + std::to_string(at) + " bytes, but the file holds " + std::to_string(data_bytes));
  return entries;
}

void read_metadata(const Json& header, std::map<std::string, std::string>& metadata) {
  const auto found = header.find("__metadata__");
  if (found == header.end()) return;
  if (!found->is_object()) throw Error("its __metadata__ is not an object of strings");
  for (const auto& [key, value] : found->items()) {
    if (!value.is_string()) throw Error("its __metadata__ \"" + key + "\" is not a string");
    metadata[key] = value.get<std::string>();
  }
}

void append_number(std::string& out, std::uint64_t n) { out.append(reinterpret_cast<const char*>(&n), sizeof n); }

}  // namespace

TensorMap read_safetensors(const std::filesystem::path& file, std::map<std::string, std::string>* metadata) {
  std::ifstream in(file, std::ios::binary);
  in.seekg(0, std::ios::end);
  const auto size = static_cast<std::uint64_t>(std::max<std::streamoff>(in.tellg(), 0));
  in.seekg(0);
  std::uint64_t length = 0;
  if (!in.read(reinterpret_cast<char*>(&length), sizeof length)) throw Error("it is too short for a safetensors file");
  if (length > longest_header || length > size - 8)
    throw Error("its header claims " + std::to_string(length) + " bytes; the file has " + std::to_string(size) +
                " and at most " + std::to_string(longest_header) + " are allowed");
  std::string text(static_cast<std::size_t>(length), '\0');
  if (!in.read(text.data(), static_cast<std::streamsize>(length))) throw Error("it ends inside its header");
  const Json header = parse_header(text);
  if (metadata != nullptr) read_metadata(header, *metadata);
  TensorMap tensors;
  for (const Entry& e : entries_of(header, size - 8 - length)) {
    at::Tensor t = at::empty(e.shape, e.type);
    if (e.end > e.begin &&
        !in.read(static_cast<char*>(t.mutable_data_ptr()), static_cast<std::streamsize>(e.end - e.begin)))
      throw Error("it ends inside tensor \"" + e.name + "\"");
    tensors.emplace(e.name, std::move(t));
  }
  return tensors;
}

void write_tensors(const std::filesystem::path& file, const TensorMap& tensors,
                   const std::map<std::string, std::string>& metadata) {
  struct Part {
    const std::string* name;
    at::Tensor tensor;
  };
  std::vector<Part> parts;
  for (const auto& [name, tensor] : tensors) {
    if (safetensors_name(tensor.scalar_type()).empty())
      throw Error("cannot write " + file.string() + ": tensor \"" + name + "\" has the element type " +
                  std::string(c10::toString(tensor.scalar_type())) + ", which safetensors has not");
    parts.push_back({&name, tensor.detach().cpu().contiguous()});
  }
  // Wide elements first, so that each tensor is aligned for readers that map the file.
  std::stable_sort(parts.begin(), parts.end(),
                   [](const Part& a, const Part& b) { return a.tensor.element_size() > b.tensor.element_size(); });
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::size_t at = 0;
  for (const auto& [name, tensor] : parts) {
    header[*name] = {{"dtype", safetensors_name(tensor.scalar_type())},
                     {"shape", tensor.sizes().vec()},
                     {"data_offsets", {at, at + tensor.nbytes()}}};
    at += tensor.nbytes();
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  std::string bytes;
  bytes.reserve(8 + text.size() + at);
  append_number(bytes, text.size());
  bytes += text;
  for (const Part& part : parts)
    bytes.append(static_cast<const char*>(part.tensor.const_data_ptr()), part.tensor.nbytes());
  write_file_atomically(file, bytes);
}

}  // namespace nephron::host
