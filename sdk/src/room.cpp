#include <nephron/room.hpp>

namespace nephron {

Room::Later::~Later() = default;

void Room::keep(std::unique_ptr<Later> later) noexcept { drop(std::exchange(later_, later.release())); }

Room::Later* Room::copy(const Later& later) { return later.clone().release(); }

void Room::drop(Later* later) noexcept { delete later; }

}  // namespace nephron
