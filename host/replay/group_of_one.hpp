#pragma once

#include <filesystem>

#include <sys/types.h>

namespace nephron::host {

/// Whether a group is that user's alone, as each user of many systems has one: of the same name, with no other member,
/// and no other user's own group by `users`, the file of the machine's users. (Users of a directory service are not
/// looked through: of such a one the group's members have to say it.)
bool is_group_of_one(gid_t group, uid_t user, const std::filesystem::path& users = "/etc/passwd");

}  // namespace nephron::host
