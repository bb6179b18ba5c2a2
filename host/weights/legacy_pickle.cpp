#include <cstring>
#include <map>
#include <set>

#include <ATen/ops/empty.h>

#include <nephron/error.hpp>

#include <host/util/files.hpp>
#include <host/weights/byte_reader.hpp>
#include <host/weights/formats.hpp>
#include <host/weights/pickle.hpp>

// What torch.save wrote before 1.6 (and writes still with _use_new_zipfile_serialization=False): five pickles in a row,
// the magic number, the protocol, facts of the machine, the object and the list of storage keys; then for each
// key a count and its elements.

namespace nephron::host {

namespace {

constexpr std::string_view magic("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e", 15);
constexpr std::int64_t legacy_protocol = 1001;

Pickle next_pickle(ByteReader& in, std::string_view bytes) {
  Pickle pickle = read_pickle(bytes.substr(in.position()));
  in.take(pickle.used);
  return pickle;
}

bool little_endian(const Pickle& facts) {
  const Pickle::Node& top = facts.top();
  for (std::size_t i = 0; i + 1 < top.items.size(); i += 2)
    if (facts.nodes[top.items[i]].text == "little_endian") return facts.nodes[top.items[i + 1]].number != 0;
  return false;
}

}  // namespace

TensorMap read_legacy_pickle(const std::filesystem::path& file) {
  const std::string bytes = read_file(file);
  ByteReader in(bytes);
  if (in.take(std::min(bytes.size(), magic.size())) != magic)
    throw Error("it begins like a .pth, but its magic number is wrong");
  const Pickle protocol = next_pickle(in, bytes);
  if (protocol.top().kind != Pickle::Kind::integer || protocol.top().number != legacy_protocol)
    throw Error("it has another protocol than " + std::to_string(legacy_protocol));
  if (!little_endian(next_pickle(in, bytes)))
    throw Error("it does not say that it was written on a little-endian machine");
  const Pickle object = next_pickle(in, bytes);
  const Pickle keys = next_pickle(in, bytes);

  std::map<std::string, const Pickle::Storage*> described;
  for (const Pickle::Storage& s : object.storages) described.emplace(s.key, &s);
  std::map<std::string, std::string_view> data;
  for (const Pickle::Id id : keys.top().items) {
    const std::string& key = keys.nodes[id].text;
    const auto found = described.find(key);
    if (found == described.end() || data.contains(key)) throw Error("its list of storages does not match its tensors");
    const auto count = in.number<std::int64_t>();
    if (count != found->second->elements)
      throw Error("a storage has " + std::to_string(count) + " elements where its tensors say " +
                  std::to_string(found->second->elements) + ": it is damaged");
    const auto one = static_cast<std::int64_t>(c10::elementSize(found->second->type));
    if (count > static_cast<std::int64_t>(in.left()) / one)
      throw Error("it ends inside its numbers: " + std::to_string(in.left()) + " bytes are left for " +
                  std::to_string(count) + " elements");
    data.emplace(key, in.take(static_cast<std::uint64_t>(count * one)));
  }
  return tensors_of(object, [&](const Pickle::Storage& storage) {
    const auto found = data.find(storage.key);
    if (found == data.end()) throw Error("a storage that its tensors need is not in it");
    at::Tensor t = at::empty({storage.elements}, storage.type);
    if (!found->second.empty()) std::memcpy(t.mutable_data_ptr(), found->second.data(), found->second.size());
    return t;
  });
}

}  // namespace nephron::host
