#include <host/registry/index_database.hpp>

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include <host/util/file_range.hpp>

namespace nephron::host {

namespace fs = std::filesystem;

namespace {

/// A file of another one is made anew. Raise it with every change of what follows, and of what is read from runs.
constexpr std::int64_t version = 4;

// folders: roots (parent 0) and the experiments' folders in them. runs: what lies there, runs or not yet (is_run).
// facts: a column of the table of all runs lies together, since that is what filters and lists read.
constexpr const char* tables = R"(
CREATE TABLE folders (number INTEGER PRIMARY KEY, parent INTEGER, path TEXT UNIQUE, mtime INTEGER, looked INTEGER);
CREATE TABLE runs (number INTEGER PRIMARY KEY, folder INTEGER, name TEXT, is_run INTEGER, settled INTEGER,
  mtime INTEGER, validation INTEGER, looked INTEGER, stamps TEXT, UNIQUE (folder, name));
CREATE TABLE keys (number INTEGER PRIMARY KEY, name TEXT UNIQUE);
CREATE TABLE facts (key INTEGER, run INTEGER, source INTEGER, value, PRIMARY KEY (key, run)) WITHOUT ROWID;
CREATE INDEX facts_of_run ON facts (run, source);
CREATE TABLE uses (kind INTEGER, value TEXT, run INTEGER, source INTEGER, how TEXT);
CREATE INDEX uses_of_value ON uses (kind, value);
CREATE INDEX uses_of_run ON uses (run, source);
CREATE TABLE problems (run INTEGER, source INTEGER, text TEXT, PRIMARY KEY (run, source)) WITHOUT ROWID;
CREATE TABLE own (number INTEGER PRIMARY KEY, labels INTEGER);
)";

std::int64_t version_of(Database& database) {
  Statement ask(database, "PRAGMA user_version");
  return ask.step() ? ask.integer(0) : 0;
}

void set_up(Database& database) {
  // Nothing that is lost with the power is missed: it is read again.
  database.run("PRAGMA synchronous = OFF; PRAGMA cache_size = -65536; PRAGMA mmap_size = 268435456");
  sqlite3_db_config(database.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

}  // namespace

bool is_damage(const DatabaseError& error) {
  switch (error.code()) {
    case SQLITE_ERROR:  // tables are missing
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
    case SQLITE_SCHEMA:
    case SQLITE_IOERR:  // cut short
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
      return true;
    default:
      return false;
  }
}

bool is_busy(const DatabaseError& error) {
  return error.code() == SQLITE_BUSY || error.code() == SQLITE_LOCKED || error.code() == SQLITE_PROTOCOL;
}

void open_tables(Database& database, const fs::path& file) {
  set_up(database);
  if (version_of(database) == version) return;
  const IndexLock lock(file);
  const std::int64_t found = version_of(database);
  if (found == version) return;
  if (found != 0) throw DatabaseError(SQLITE_CORRUPT, "it was made by another version");
  // Readers and a writer go side by side.
  if (!file.empty()) database.run("PRAGMA journal_mode = WAL");
  Transaction transaction(database);
  database.run(tables);
  database.run("PRAGMA user_version = " + std::to_string(version));
  transaction.commit();
}

std::uint64_t identity_of(const fs::path& file) {
  struct stat info = {};
  return ::stat(file.c_str(), &info) == 0 ? info.st_ino : 0;
}

void remove_index(const fs::path& file, std::uint64_t identity) {
  const IndexLock lock(file);
  if (identity_of(file) != identity) return;
  std::error_code ignored;
  for (const char* suffix : {"-wal", "-shm", ""}) fs::remove(file.string() + suffix, ignored);
}

IndexLock::IndexLock(const fs::path& index) {
  if (index.empty()) return;
  fd_ = ::open((index.string() + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd_ < 0) return;
  lock_range(fd_, file_range(F_WRLCK));  // where the disk knows no locks, two may read what one would
}

IndexLock::~IndexLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace nephron::host
