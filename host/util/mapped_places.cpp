#include <host/util/mapped_places.hpp>

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include <sys/mman.h>
#include <unistd.h>

namespace nephron::host {

namespace {

struct Place {
  std::atomic<const char*> begin{nullptr};
  std::atomic<std::size_t> size{0};
  std::atomic<char*> file{nullptr};
  std::atomic<bool> lost{false};
};

// Known at compile time, so that a signal handler may read them.
constinit std::array<Place, 8192> places{};
constinit std::atomic<char*> advice{nullptr};
constinit std::mutex writing;
constinit thread_local bool bearable = false;

Place* place_of(const void* address) noexcept {
  const char* const wanted = static_cast<const char*>(address);
  for (Place& place : places) {
    const char* const begin = place.begin.load();
    if (begin != nullptr && wanted >= begin && wanted < begin + place.size.load()) return &place;
  }
  return nullptr;
}

}  // namespace

const std::atomic<bool>* note_mapping(const void* at, std::size_t size, const char* file) noexcept {
  const std::lock_guard lock(writing);
  for (Place& place : places) {
    if (place.begin.load() != nullptr) continue;
    std::free(place.file.exchange(::strdup(file)));
    place.size = size;
    place.lost = false;
    place.begin = static_cast<const char*>(at);
    return &place.lost;
  }
  return nullptr;
}

void forget_mapping(const void* at) noexcept {
  const std::lock_guard lock(writing);
  for (Place& place : places)
    if (place.begin.load() == at) place.begin = nullptr;
}

const char* mapped_file_at(const void* address) noexcept {
  const Place* const place = place_of(address);
  return place == nullptr ? nullptr : place->file.load();
}

LossBearable::LossBearable() noexcept : before_(bearable) { bearable = true; }

LossBearable::~LossBearable() { bearable = before_; }

bool bear_loss_at(const void* address) noexcept {
  Place* const place = bearable ? place_of(address) : nullptr;
  if (place == nullptr) return false;
  const char* const begin = place->begin.load();
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t from = static_cast<std::size_t>(static_cast<const char*>(address) - begin) / page * page;
  void* const at = const_cast<char*>(begin) + from;
  const std::size_t bytes = place->size.load() - from;
  if (::mmap(at, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) return false;
  place->lost = true;
  return true;
}

void set_mapping_advice(const char* text) noexcept { std::free(advice.exchange(::strdup(text))); }

const char* mapping_advice() noexcept {
  const char* const text = advice.load();
  return text == nullptr ? "" : text;
}

}  // namespace nephron::host
