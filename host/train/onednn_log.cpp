#include <host/train/onednn_log.hpp>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <sstream>

#include <unistd.h>

#include <nephron/error.hpp>

// LibTorch exports it; the header that declares it includes Python's.
namespace torch::verbose {
__attribute__((visibility("default"))) int _mkldnn_set_verbose(int enable);
}

namespace nephron::host {

namespace {

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> out;
  std::istringstream in(line);
  for (std::string part; std::getline(in, part, ',');) out.push_back(part);
  return out;
}

}  // namespace

std::vector<OneDnnCall> onednn_calls(const std::string& text) {
  std::vector<OneDnnCall> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("onednn_verbose,")) continue;
    const std::vector<std::string> parts = split(line);
    // onednn_verbose,v1,primitive,exec,cpu,convolution,jit:avx2,forward_training,...,SHAPE,MILLISECONDS
    for (std::size_t i = 1; i + 6 < parts.size(); ++i) {
      if (parts[i] != "exec") continue;
      out.push_back({parts[i + 2], parts[i + 4], parts[i + 3], parts[parts.size() - 2],
                     std::strtod(parts.back().c_str(), nullptr) / 1e3});
      break;
    }
  }
  return out;
}

double gflops_of(const std::string& shape) {
  // Letters, then a number, again and again: g1mb8_ic64oc64_ih64oh64kh3sh1dh0ph1_iw64ow64kw3sw1dw0pw1.
  std::map<std::string, double> sizes;
  std::string name;
  for (std::size_t i = 0; i < shape.size();) {
    if (shape[i] >= 'a' && shape[i] <= 'z') name += shape[i++];
    else if (shape[i] >= '0' && shape[i] <= '9') {
      char* end = nullptr;
      sizes[name] = std::strtod(shape.c_str() + i, &end);
      i = static_cast<std::size_t>(end - shape.c_str());
      name.clear();
    } else {
      ++i;
    }
  }
  const auto size = [&](const char* key) {
    const auto found = sizes.find(key);
    return found == sizes.end() ? 1 : found->second;
  };
  return 2e-9 * size("mb") * size("oc") * size("oh") * size("ow") * size("ic") * size("kh") * size("kw") / size("g");
}

OneDnnLog::OneDnnLog() {
  std::fflush(stdout);
  std::string name = "/tmp/nephron-onednn-XXXXXX";
  file_ = ::mkstemp(name.data());
  if (file_ < 0) throw Error("cannot write to /tmp");
  ::unlink(name.c_str());
  shown_ = ::dup(STDOUT_FILENO);
  ::dup2(file_, STDOUT_FILENO);
  torch::verbose::_mkldnn_set_verbose(1);
}

OneDnnLog::~OneDnnLog() { finish(); }

std::string OneDnnLog::finish() {
  if (file_ < 0) return {};
  torch::verbose::_mkldnn_set_verbose(0);
  std::fflush(stdout);
  ::dup2(shown_, STDOUT_FILENO);
  ::close(shown_);
  std::string out;
  ::lseek(file_, 0, SEEK_SET);
  char part[1 << 16];
  for (ssize_t n; (n = ::read(file_, part, sizeof part)) > 0;) out.append(part, static_cast<std::size_t>(n));
  ::close(file_);
  file_ = -1;
  return out;
}

}  // namespace nephron::host
