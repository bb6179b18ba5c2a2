// Compiled with today's headers, as a plugin is that was built before the later fields were thought of.
#include <algorithm>
#include <string>

#include <tests/integration/growth/grown_types.hpp>

namespace nephron {

namespace {

template <class T>
struct Copies final : Copier<T> {
  std::vector<T> copies(const T& value, int count) const override {
    std::vector<T> out;
    for (int i = 0; i < count; ++i) {
      T one = value;
      T other{};
      other = one;         // assigned
      out.push_back(one);  // copied, and moved when the vector grows
      out.insert(out.begin(), std::move(other));
      out.pop_back();
    }
    std::reverse(out.begin(), out.end());  // swapped
    return {out.begin(), out.end()};
  }
  T own() const override { return T{}; }
  std::size_t size() const override { return sizeof(T); }
};

template <class T>
void* copier() {
  static const Copies<T> it;
  return const_cast<Copier<T>*>(static_cast<const Copier<T>*>(&it));
}

}  // namespace

}  // namespace nephron

extern "C" NEPHRON_API void* growth_copier(const char* type) {
  using namespace nephron;  // NOLINT: the list spells names of it
#define NEPHRON_CASE(T)                                                                                                \
  if (std::string(type) == #T) return copier<T>();
  NEPHRON_GROWN_TYPES(NEPHRON_CASE)
  return nullptr;
}
