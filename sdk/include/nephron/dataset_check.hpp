#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <nephron/export.hpp>

namespace nephron {

/// Where a dataset puts what a person should know of its files.
class NEPHRON_API DatasetFindings {
 public:
  virtual ~DatasetFindings();
  /// What is wrong in all likelihood, such as a mask without a picture.
  virtual void finding(const std::string& text) = 0;
  /// What may be meant, such as pictures without a mask, which are not trained on.
  virtual void note(const std::string& text) = 0;
};

/// What a dataset knows of its files beyond the slides that it lists: what is particular to a layout. A Dataset
/// inherits it besides; `nephron data check` asks for it with dynamic_cast. Sentences name the files, a few of many
/// (names_of()). Const calls are thread-safe.
class NEPHRON_API DatasetCheck {
 public:
  virtual ~DatasetCheck();
  /// Names of files are looked at, and their content is not: data check reads that with the slides.
  virtual void check_files(const std::vector<std::string>& classes, DatasetFindings& findings) const = 0;
};

/// "a", "b", "c" and 4 more, `most` of them by name: for sentences about many things.
NEPHRON_API std::string names_of(const std::vector<std::string>& names, std::size_t most = 3);

}  // namespace nephron
