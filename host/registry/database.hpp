#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>

#include <host/registry/fact.hpp>

struct sqlite3;
struct sqlite3_stmt;

namespace nephron::host {

/// What SQLite refuses. It concerns a file that can be made again, so nobody but the registry sees it.
class DatabaseError : public std::runtime_error {
 public:
  DatabaseError(int code, const std::string& what) : std::runtime_error(what), code_(code) {}
  int code() const noexcept { return code_; }

 private:
  int code_;
};

/// A connection to a SQLite file. One thread at a time. Whoever finds it locked waits, for seconds at most.
class Database {
 public:
  /// `file`: empty for one in memory. Throws DatabaseError.
  explicit Database(const std::filesystem::path& file);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// One or several commands without results.
  void run(const std::string& sql);
  sqlite3* handle() noexcept { return handle_; }

 private:
  sqlite3* handle_ = nullptr;
};

/// A prepared command: bind, step through its rows, read columns; bind again.
class Statement {
 public:
  Statement(Database& database, const std::string& sql);
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;

  /// Begins anew with these values for its question marks.
  template <class... Values>
  Statement& with(const Values&... values) {
    reset();
    int place = 0;
    (bind(++place, values), ...);
    return *this;
  }
  /// True when it stands on a row.
  bool step();
  /// Steps to its end.
  void execute();

  std::int64_t integer(int column) const;
  std::string text(int column) const;
  FactValue value(int column) const;

 private:
  void reset();
  void bind(int place, std::int64_t value);
  void bind(int place, int value) { bind(place, static_cast<std::int64_t>(value)); }
  void bind(int place, const std::string& value);
  void bind(int place, const FactValue& value);
  [[noreturn]] void fail() const;
  sqlite3_stmt* handle_ = nullptr;
};

/// BEGIN IMMEDIATE ... COMMIT, or ROLLBACK where commit() was not reached.
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace nephron::host
