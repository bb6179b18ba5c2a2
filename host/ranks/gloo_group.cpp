#include <host/ranks/gloo_group.hpp>

#include <cstdlib>

#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

namespace nephron::host {

c10::intrusive_ptr<c10d::Backend> gloo_group(const c10::intrusive_ptr<c10d::Store>& store, int rank, int count,
                                             std::chrono::milliseconds timeout) {
  using Group = c10d::ProcessGroupGloo;
  c10::intrusive_ptr<Group::Options> options;
  if (const char* const interface = std::getenv("GLOO_SOCKET_IFNAME"); interface != nullptr && *interface != 0) {
    options = Group::Options::create(timeout);
    options->devices.push_back(Group::createDeviceForInterface(interface));
  } else {
    options = Group::Options::create_default(timeout);
  }
  return c10::make_intrusive<Group>(store, rank, count, options);
}

}  // namespace nephron::host
