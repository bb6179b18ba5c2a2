#include <host/queue/spool.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tests/support/scratch_folder.hpp>

namespace nephron::host {
namespace {

TEST(Spool, ALockIsHeldByOneAlone) {
  const ScratchFolder scratch("queue-spool");
  const Spool spool(scratch.path() / "spool");
  const UserFolder own(spool.folder(), ::geteuid());
  EXPECT_FALSE(own.held("some.lock"));
  auto first = spool.lock("some.lock", false);
  ASSERT_TRUE(first);
  EXPECT_TRUE(own.held("some.lock"));
  EXPECT_FALSE(spool.lock("some.lock", false));
  first.reset();
  EXPECT_FALSE(own.held("some.lock"));
  EXPECT_TRUE(spool.lock("some.lock", false));
}

TEST(Spool, WhoMayReadALockFileKeepsItsOwnerFromNothing) {
  const ScratchFolder scratch("queue-spool");
  const Spool spool(scratch.path() / "spool");
  const UserFolder own(spool.folder(), ::geteuid());
  ASSERT_TRUE(spool.lock("some.lock", false)) << "makes the file";
  const Descriptor of_another(::open((spool.own() / "some.lock").c_str(), O_RDONLY | O_CLOEXEC));
  struct flock reading = {};
  reading.l_type = F_RDLCK;
  reading.l_whence = SEEK_SET;
  ASSERT_EQ(::fcntl(of_another.get(), F_OFD_SETLK, &reading), 0);
  EXPECT_FALSE(own.held("some.lock"));
  const auto lock = spool.lock("some.lock", false);
  ASSERT_TRUE(lock);
  EXPECT_TRUE(own.held("some.lock"));
  EXPECT_FALSE(spool.lock("some.lock", false)) << "one alone, as always";
}

TEST(Spool, WhatIsWaitedForNobodyElseMayOpen) {
  const ScratchFolder scratch("queue-spool");
  const Spool spool(scratch.path() / "spool");
  ASSERT_TRUE(spool.lock("some.lock", true));
  struct stat info = {};
  ASSERT_EQ(::stat((spool.own() / "some.lock").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
}

}  // namespace
}  // namespace nephron::host
