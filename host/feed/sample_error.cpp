#include <host/feed/sample_error.hpp>

#include <host/plugins/guard.hpp>

namespace nephron::host {

std::exception_ptr with_sample(const std::exception_ptr& error, const std::string& sample) {
  const std::string where = " (while the sample \"" + sample + "\" was made)";
  try {
    std::rethrow_exception(error);
  } catch (const Cancelled&) {
    return error;
  } catch (const PluginError& e) {
    return std::make_exception_ptr(PluginError(e.what() + where, e.hint(), e.of_parameters()));
  } catch (const Error& e) {
    return std::make_exception_ptr(Error(e.what() + where, e.hint()));
  } catch (...) {
    return std::make_exception_ptr(Error(describe_exception() + where));
  }
}

}  // namespace nephron::host
