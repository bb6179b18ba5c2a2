#include <memory>

#include <ATen/ops/empty.h>
#include <zip.h>

#include <nephron/error.hpp>

#include <host/weights/formats.hpp>
#include <host/weights/pickle.hpp>

// What torch.save has written since 1.6: a zip archive ROOT/{data.pkl, byteorder, version, data/KEY}, nothing in it
// compressed.

namespace nephron::host {

namespace {

constexpr std::uint64_t largest_pickle = 64 << 20;

class Archive {
 public:
  explicit Archive(const std::filesystem::path& file) : size_(std::filesystem::file_size(file)) {
    int code = 0;
    zip_.reset(zip_open(file.c_str(), ZIP_RDONLY, &code));
    if (zip_ != nullptr) return;
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    const std::string why = zip_error_strerror(&error);
    zip_error_fini(&error);
    throw Error("its zip archive is damaged or cut off (" + why + ")");
  }

  /// The entry that ends in "data.pkl" tells the folder that all others lie in.
  std::string root() const {
    const zip_int64_t n = zip_get_num_entries(zip_.get(), 0);
    for (zip_int64_t i = 0; i < n; ++i) {
      const char* name = zip_get_name(zip_.get(), static_cast<zip_uint64_t>(i), ZIP_FL_ENC_RAW);
      const std::string text = name != nullptr ? name : "";
      if (text == "data.pkl") return "";
      if (text.ends_with("/data.pkl")) return text.substr(0, text.size() - 8);
    }
    throw Error("it is a zip archive without data.pkl, so torch.save did not write it");
  }

  bool has(const std::string& name) const { return zip_name_locate(zip_.get(), name.c_str(), ZIP_FL_ENC_RAW) >= 0; }

  /// Size of an entry, which has to be stored as it is: an archive cannot unpack to more than its own size.
  std::uint64_t size(const std::string& name) const {
    zip_stat_t info;
    zip_stat_init(&info);
    if (zip_stat(zip_.get(), name.c_str(), ZIP_FL_ENC_RAW, &info) != 0 || (info.valid & ZIP_STAT_SIZE) == 0)
      throw Error("its entry \"" + name + "\" is missing");
    if (info.comp_method != ZIP_CM_STORE || info.size > size_)
      throw Error("its entry \"" + name + "\" is compressed or larger than the file, which torch.save never does");
    return info.size;
  }

  void read(const std::string& name, char* to, std::uint64_t n) const {
    const std::unique_ptr<zip_file_t, decltype(&zip_fclose)> in(zip_fopen(zip_.get(), name.c_str(), ZIP_FL_ENC_RAW),
                                                                &zip_fclose);
    if (in == nullptr) throw Error("its entry \"" + name + "\" cannot be read (" + zip_strerror(zip_.get()) + ")");
    for (std::uint64_t done = 0; done < n;) {
      const zip_int64_t got = zip_fread(in.get(), to + done, n - done);
      if (got <= 0) throw Error("its entry \"" + name + "\" is damaged or cut off");
      done += static_cast<std::uint64_t>(got);
    }
    char beyond = 0;  // reading past the end makes libzip compare the checksum
    if (zip_fread(in.get(), &beyond, 1) != 0) throw Error("the checksum of its entry \"" + name + "\" is wrong");
  }

  std::string text(const std::string& name, std::uint64_t most) const {
    const std::uint64_t n = size(name);
    if (n > most)
      throw Error("its entry \"" + name + "\" has " + std::to_string(n) + " bytes, more than " + std::to_string(most));
    std::string bytes(static_cast<std::size_t>(n), '\0');
    read(name, bytes.data(), n);
    return bytes;
  }

 private:
  std::uint64_t size_;
  std::unique_ptr<zip_t, decltype(&zip_discard)> zip_{nullptr, &zip_discard};
};

}  // namespace

TensorMap read_zip_pickle(const std::filesystem::path& file) {
  const Archive archive(file);
  const std::string root = archive.root();
  if (archive.has(root + "byteorder") && archive.text(root + "byteorder", 16) != "little")
    throw Error("it was written on a big-endian machine");
  const Pickle pickle = read_pickle(archive.text(root + "data.pkl", largest_pickle));
  return tensors_of(pickle, [&](const Pickle::Storage& storage) {
    const std::string name = root + "data/" + storage.key;
    const std::uint64_t bytes = archive.size(name);
    const auto one = static_cast<std::uint64_t>(c10::elementSize(storage.type));
    if (bytes % one != 0 || bytes / one != static_cast<std::uint64_t>(storage.elements))
      throw Error("its entry \"" + name + "\" has " + std::to_string(bytes) + " bytes, not the " +
                  std::to_string(storage.elements) + " elements of " + std::to_string(one) +
                  " bytes that the pickle says");
    at::Tensor t = at::empty({storage.elements}, storage.type);
    archive.read(name, static_cast<char*>(t.mutable_data_ptr()), bytes);
    return t;
  });
}

}  // namespace nephron::host
