#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <c10/core/ScalarType.h>

#include <host/weights/tensors.hpp>

namespace nephron::host {

/// A pickle read as data. Values live in one vector and refer to each other by number, so that neither deep nor
/// circular values can exhaust the call stack, and their count is bounded.
struct Pickle {
  using Id = std::uint32_t;
  enum class Kind : std::uint8_t { none, boolean, integer, real, text, tuple, list, dict, global, storage, tensor };
  struct Node {
    Kind kind = Kind::none;
    std::int64_t number = 0;  ///< boolean, integer; index of a storage or tensor
    std::string text;         ///< text; "module name" of a global
    std::vector<Id> items;    ///< tuple, list; keys and values in turn of a dict
  };
  /// What the bytes of tensors lie in; they come from elsewhere in the file.
  struct Storage {
    std::string key;
    c10::ScalarType type = c10::ScalarType::Float;
    std::int64_t elements = 0;
  };
  struct Tensor {
    std::size_t storage = 0;
    std::int64_t offset = 0;
    std::vector<std::int64_t> shape, strides;
  };

  std::vector<Node> nodes;
  std::vector<Storage> storages;
  std::vector<Tensor> tensors;
  Id root = 0;
  std::size_t used = 0;  ///< bytes read

  const Node& top() const { return nodes[root]; }
};

/// Reads one pickle of protocol 0 to 4 as far as torch.save needs it. Executes nothing: only the names that rebuild
/// tensors and ordered dictionaries are understood, and what they would do is done here. Throws Error otherwise.
Pickle read_pickle(std::string_view bytes);

/// The named tensors of a pickle: of its dictionary or, where that holds none, of its "state_dict", "model_state_dict"
/// or "model". A "module." before every name (DataParallel) is taken off. Each storage is loaded once.
TensorMap tensors_of(const Pickle& pickle, const std::function<at::Tensor(const Pickle::Storage&)>& load);

}  // namespace nephron::host
