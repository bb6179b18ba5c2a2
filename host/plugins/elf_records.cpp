#include <host/plugins/elf_records.hpp>

#include <cerrno>
#include <cstring>
#include <optional>
#include <set>

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nephron/error.hpp>
#include <nephron/nn/build.hpp>
#include <nephron/torch_record.hpp>

namespace nephron::host {

namespace {

using detail::ComponentRecord;
using detail::NnRecord;
using detail::PluginRecord;
using detail::TorchRecord;

#if defined(__x86_64__)
constexpr unsigned this_machine = EM_X86_64;
#elif defined(__aarch64__)
constexpr unsigned this_machine = EM_AARCH64;
#else
#error "nephron: name this processor's ELF machine here"
#endif

// More than any plugin has; keeps a forged header from asking for gigabytes.
constexpr std::uint64_t most_sections = 65536;
constexpr std::uint64_t most_bytes_a_section = std::uint64_t{16} << 20;

std::string decimal(std::uint64_t n) { return std::to_string(n); }

/// The file, read in pieces: a plugin may be large, its records are small, and a map would fault if it shrank.
class ElfFile {
 public:
  explicit ElfFile(const std::filesystem::path& file)
      : name_(file.string()), fd_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ < 0) throw Error("cannot read plugin " + name_ + ": " + std::strerror(errno));
    struct stat info = {};
    if (::fstat(fd_, &info) != 0 || !S_ISREG(info.st_mode)) {
      ::close(fd_);
      throw Error("cannot read plugin " + name_ + ": it is not a regular file");
    }
    size_ = static_cast<std::uint64_t>(info.st_size);
  }
  ~ElfFile() { ::close(fd_); }
  ElfFile(const ElfFile&) = delete;
  ElfFile& operator=(const ElfFile&) = delete;

  std::uint64_t size() const { return size_; }

  [[noreturn]] void refuse(const std::string& why, std::string hint = {}) const {
    throw Error(name_ + " " + why, std::move(hint));
  }

  void read(std::uint64_t offset, void* out, std::uint64_t size, const char* what) const {
    if (offset > size_ || size > size_ - offset)
      refuse("is cut short: its " + std::string(what) + " should be " + decimal(size) + " bytes at byte " +
                 decimal(offset) + ", but the file has " + decimal(size_),
             "build or copy the plugin again");
    std::uint64_t done = 0;
    while (done < size) {
      const ssize_t n = ::pread(fd_, static_cast<char*>(out) + done, size - done, static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) refuse("cannot be read: " + std::string(n == 0 ? "it shrank meanwhile" : std::strerror(errno)));
      done += static_cast<std::uint64_t>(n);
    }
  }

  std::string bytes(const Elf64_Shdr& section, const char* what) const {
    if (section.sh_type == SHT_NOBITS || (section.sh_flags & SHF_COMPRESSED) != 0)
      refuse("is damaged: its " + std::string(what) + " holds no plain bytes");
    if (section.sh_size > most_bytes_a_section)
      refuse("is damaged: its " + std::string(what) + " claims " + decimal(section.sh_size) + " bytes");
    if (section.sh_offset > size_ || section.sh_size > size_ - section.sh_offset)
      read(section.sh_offset, nullptr, section.sh_size, what);
    std::string out(section.sh_size, '\0');
    read(section.sh_offset, out.data(), out.size(), what);
    return out;
  }

 private:
  std::string name_;
  int fd_;
  std::uint64_t size_ = 0;
};

Elf64_Ehdr read_header(const ElfFile& file) {
  constexpr const char* expected = "a plugin is a shared object (.so) that nephron_add_plugin builds";
  if (file.size() == 0) file.refuse("is empty", expected);
  unsigned char magic[SELFMAG] = {};
  if (file.size() >= SELFMAG) file.read(0, magic, SELFMAG, "ELF header");
  if (std::memcmp(magic, ELFMAG, SELFMAG) != 0) file.refuse("is not an ELF file", expected);
  Elf64_Ehdr header = {};
  file.read(0, &header, sizeof header, "ELF header");
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_machine != this_machine)
    file.refuse("is built for another processor", "build the plugin on this machine's architecture");
  if (header.e_type != ET_DYN) file.refuse("is an ELF file, but not a shared object", expected);
  if (header.e_shentsize != sizeof(Elf64_Shdr) || header.e_shoff == 0)
    file.refuse("has no section table", "strip keeps it; sstrip and packers do not: use the plugin as it was built");
  return header;
}

std::vector<Elf64_Shdr> read_sections(const ElfFile& file, Elf64_Ehdr& header) {
  Elf64_Shdr first = {};
  file.read(header.e_shoff, &first, sizeof first, "section table");
  const std::uint64_t count = header.e_shnum != 0 ? header.e_shnum : first.sh_size;  // ELF's way to say over 65,279
  if (count == 0 || count > most_sections) file.refuse("is damaged: its header claims " + decimal(count) + " sections");
  std::vector<Elf64_Shdr> sections;
  const std::uint64_t size = count * sizeof(Elf64_Shdr);
  if (size > file.size()) file.read(header.e_shoff, nullptr, size, "section table");
  sections.resize(count);
  file.read(header.e_shoff, sections.data(), size, "section table");
  if (header.e_shstrndx == SHN_XINDEX && first.sh_link < count)
    header.e_shstrndx = static_cast<Elf64_Half>(first.sh_link);
  if (header.e_shstrndx >= count) file.refuse("is damaged: its table of section names does not exist");
  return sections;
}

/// The text that begins at `offset` of a string table; nothing when it does not end inside.
std::optional<std::string_view> text_at(const std::string& table, std::uint64_t offset) {
  if (offset >= table.size()) return std::nullopt;
  const std::size_t end = table.find('\0', offset);
  if (end == std::string::npos) return std::nullopt;
  return std::string_view(table).substr(offset, end - offset);
}

/// UTF-8 without control characters: what may go to a terminal and into JSON.
bool printable(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = [&](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U; };
    const unsigned lead = byte(i);
    if (lead < 0x80) {
      if (lead < 0x20 || lead == 0x7f) return false;
      ++i;
      continue;
    }
    const std::size_t more = lead >= 0xf0 && lead < 0xf5   ? 3
                             : lead >= 0xe0 && lead < 0xf0 ? 2
                             : lead >= 0xc2 && lead < 0xe0 ? 1
                                                           : 0;
    if (more == 0) return false;
    std::uint32_t code = lead & (0x3fU >> more);
    for (std::size_t k = 1; k <= more; ++k) {
      if ((byte(i + k) & 0xc0U) != 0x80) return false;
      code = code << 6 | (byte(i + k) & 0x3fU);
    }
    constexpr std::uint32_t least[] = {0, 0xa0, 0x800, 0x10000};
    if (code < least[more] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
    i += more + 1;
  }
  return true;
}

template <std::size_t N>
std::string text_of(const ElfFile& file, const char (&chars)[N], const char* field, bool may_be_empty = false) {
  const std::size_t length = ::strnlen(chars, N);
  const std::string_view out(chars, length);
  if (length == N || !printable(out) || (out.empty() && !may_be_empty))
    file.refuse("is damaged: the " + std::string(field) + " in its plugin record is not a text");
  return std::string(out);
}

template <class Record>
std::vector<Record> records_of(const ElfFile& file, const std::string& bytes, const char* section) {
  if (bytes.size() % sizeof(Record) != 0)
    file.refuse("is damaged: section " + std::string(section) + " has " + decimal(bytes.size()) +
                " bytes, which is no multiple of its record's " + decimal(sizeof(Record)));
  std::vector<Record> records(bytes.size() / sizeof(Record));
  if (!bytes.empty()) std::memcpy(static_cast<void*>(records.data()), bytes.data(), bytes.size());
  for (const Record& r : records)
    if (r.magic != detail::record_magic || r.size != sizeof(Record))
      file.refuse("is damaged: a record of section " + std::string(section) + " has not the layout of this SDK");
  return records;
}

void read_imports(const ElfFile& file, const std::vector<Elf64_Shdr>& sections, PluginRecords& out) {
  for (const Elf64_Shdr& s : sections) {
    if (s.sh_type != SHT_DYNSYM || s.sh_entsize != sizeof(Elf64_Sym) || s.sh_link >= sections.size()) continue;
    const std::string table = file.bytes(s, "symbol table");
    const std::string names = file.bytes(sections[s.sh_link], "symbol names");
    for (std::size_t at = 0; at + sizeof(Elf64_Sym) <= table.size(); at += sizeof(Elf64_Sym)) {
      Elf64_Sym symbol = {};
      std::memcpy(&symbol, table.data() + at, sizeof symbol);
      if (symbol.st_shndx != SHN_UNDEF) continue;
      if (const auto name = text_at(names, symbol.st_name); name && !name->empty()) out.imports.emplace_back(*name);
    }
    return;
  }
}

void fill(const ElfFile& file, const PluginRecord& from, PluginRecords& out) {
  out.name = text_of(file, from.name.chars, "name");
  out.version = text_of(file, from.version.chars, "version");
  out.sdk_major = from.sdk_major;
  out.sdk_minor = from.sdk_minor;
  out.torch = text_of(file, from.torch.chars, "LibTorch build", true);
  out.compiler = text_of(file, from.compiler.chars, "compiler");
  out.cxx_abi = text_of(file, from.cxx_abi.chars, "C++ ABI");
  out.build = text_of(file, from.build.chars, "build type");
}

/// "a and b": of one kind of record there should be one.
std::string joined(const std::set<std::string>& builds) {
  std::string out;
  for (const std::string& build : builds) out += (out.empty() ? "" : " and ") + build;
  return out;
}

}  // namespace

PluginRecords read_records(const std::filesystem::path& path) {
  const ElfFile file(path);
  Elf64_Ehdr header = read_header(file);
  const std::vector<Elf64_Shdr> sections = read_sections(file, header);
  const std::string names = file.bytes(sections[header.e_shstrndx], "table of section names");

  PluginRecords out;
  std::vector<PluginRecord> plugins;
  std::set<std::string> torch, nn;  // builds, versions
  for (const Elf64_Shdr& section : sections) {
    const auto name = text_at(names, section.sh_name);
    if (name == "nephron_plugin") {
      for (auto& r : records_of<PluginRecord>(file, file.bytes(section, "plugin record"), "nephron_plugin"))
        plugins.push_back(r);
    } else if (name == "nephron_torch") {
      for (const auto& r : records_of<TorchRecord>(file, file.bytes(section, "LibTorch records"), "nephron_torch"))
        torch.insert(text_of(file, r.torch, "LibTorch build"));
    } else if (name == "nephron_nn") {
      for (const auto& r : records_of<NnRecord>(file, file.bytes(section, "nn records"), "nephron_nn"))
        nn.insert(text_of(file, r.version, "version of nn/"));
    } else if (name == "nephron_text") {
      for (const auto& r : records_of<ComponentRecord>(file, file.bytes(section, "component records"), "nephron_text"))
        out.components.push_back({text_of(file, r.kind.chars, "kind"), text_of(file, r.name.chars, "component name"),
                                  text_of(file, r.doc.chars, "doc", true)});
    }
  }
  constexpr const char* once = "a plugin says NEPHRON_PLUGIN(\"name\", \"version\") once, in one of its sources";
  if (plugins.empty() && !out.components.empty())
    file.refuse("has components (" + out.components.front().kind + " \"" + out.components.front().name +
                    "\"), but none of its sources says NEPHRON_PLUGIN",
                once);
  if (plugins.empty())
    file.refuse("is a shared object, but not a nephron plugin (it has no section nephron_plugin)", once);
  if (plugins.size() > 1) file.refuse("says NEPHRON_PLUGIN " + decimal(plugins.size()) + " times; once is right");
  fill(file, plugins.front(), out);
  if (!out.torch.empty()) torch.insert(out.torch);
  out.torch = joined(torch);
  out.nn = joined(nn);
  read_imports(file, sections, out);
  return out;
}

}  // namespace nephron::host
