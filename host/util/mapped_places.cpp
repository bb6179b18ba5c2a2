#include <host/util/mapped_places.hpp>

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>

namespace nephron::host {

namespace {

struct Place {
  std::atomic<const char*> begin{nullptr};
  std::atomic<std::size_t> size{0};
  std::atomic<char*> file{nullptr};
};

// Known at compile time, so that a signal handler may read them.
constinit std::array<Place, 8192> places{};
constinit std::atomic<char*> advice{nullptr};
constinit std::mutex writing;

}  // namespace

void note_mapping(const void* at, std::size_t size, const char* file) noexcept {
  const std::lock_guard lock(writing);
  for (Place& place : places) {
    if (place.begin.load() != nullptr) continue;
    std::free(place.file.exchange(::strdup(file)));
    place.size = size;
    place.begin = static_cast<const char*>(at);
    return;
  }
}

void forget_mapping(const void* at) noexcept {
  const std::lock_guard lock(writing);
  for (Place& place : places)
    if (place.begin.load() == at) place.begin = nullptr;
}

const char* mapped_file_at(const void* address) noexcept {
  const char* const wanted = static_cast<const char*>(address);
  for (const Place& place : places) {
    const char* const begin = place.begin.load();
    if (begin != nullptr && wanted >= begin && wanted < begin + place.size.load()) return place.file.load();
  }
  return nullptr;
}

void set_mapping_advice(const char* text) noexcept { std::free(advice.exchange(::strdup(text))); }

const char* mapping_advice() noexcept {
  const char* const text = advice.load();
  return text == nullptr ? "" : text;
}

}  // namespace nephron::host
