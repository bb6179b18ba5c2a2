#include <host/replay/group_of_one.hpp>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <grp.h>
#include <pwd.h>

namespace nephron::host {

namespace {

/// A line is NAME:PASSWORD:USER:GROUP:...
bool is_anothers_own(gid_t group, const std::string& name, const std::filesystem::path& users) {
  std::ifstream file(users);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::vector<std::string> of_line;
    for (std::string word; of_line.size() < 4 && std::getline(words, word, ':');) of_line.push_back(word);
    if (of_line.size() == 4 && of_line[3] == std::to_string(group) && of_line[0] != name) return true;
  }
  return false;
}

}  // namespace

bool is_group_of_one(gid_t group, uid_t user, const std::filesystem::path& users) {
  char of_user[4096], of_group[4096];
  passwd person = {}, *found = nullptr;
  if (::getpwuid_r(user, &person, of_user, sizeof of_user, &found) != 0 || found == nullptr) return false;
  struct group entry = {}, *known = nullptr;
  if (::getgrgid_r(group, &entry, of_group, sizeof of_group, &known) != 0 || known == nullptr) return false;
  const std::string name = person.pw_name;
  if (person.pw_gid != group || name != entry.gr_name) return false;
  for (char** member = entry.gr_mem; *member != nullptr; ++member)
    if (name != *member) return false;
  return !is_anothers_own(group, name, users);
}

}  // namespace nephron::host
