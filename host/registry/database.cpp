#include <host/registry/database.hpp>

#include <utility>

#include <sqlite3.h>

namespace nephron::host {

namespace {

constexpr int patience_ms = 10000;

[[noreturn]] void fail(sqlite3* handle, int code) {
  throw DatabaseError(code & 0xff, handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(code));
}

}  // namespace

Database::Database(const std::filesystem::path& file) {
  const std::string name = file.empty() ? ":memory:" : file.string();
  const int code = sqlite3_open_v2(name.c_str(), &handle_,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code == SQLITE_OK) {
    sqlite3_busy_timeout(handle_, patience_ms);
    return;
  }
  const DatabaseError error(code & 0xff, handle_ != nullptr ? sqlite3_errmsg(handle_) : sqlite3_errstr(code));
  sqlite3_close(handle_);
  throw error;
}

Database::~Database() { sqlite3_close(handle_); }

void Database::run(const std::string& sql) {
  if (const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr); code != SQLITE_OK)
    host::fail(handle_, code);
}

Statement::Statement(Database& database, const std::string& sql) {
  const int code = sqlite3_prepare_v2(database.handle(), sql.c_str(), static_cast<int>(sql.size()), &handle_, nullptr);
  if (code != SQLITE_OK) host::fail(database.handle(), code);
}

Statement::Statement(Statement&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
Statement::~Statement() { sqlite3_finalize(handle_); }

void Statement::fail() const {
  sqlite3* const database = sqlite3_db_handle(handle_);
  host::fail(database, sqlite3_errcode(database));
}

void Statement::reset() { sqlite3_reset(handle_); }

void Statement::bind(int place, std::int64_t value) {
  if (sqlite3_bind_int64(handle_, place, value) != SQLITE_OK) fail();
}

void Statement::bind(int place, const std::string& value) {
  if (sqlite3_bind_text64(handle_, place, value.data(), value.size(), SQLITE_TRANSIENT, SQLITE_UTF8) != SQLITE_OK)
    fail();
}

void Statement::bind(int place, const FactValue& value) {
  if (const auto* const text = std::get_if<std::string>(&value)) return bind(place, *text);
  if (const auto* const whole = std::get_if<std::int64_t>(&value)) return bind(place, *whole);
  if (sqlite3_bind_double(handle_, place, std::get<double>(value)) != SQLITE_OK) fail();
}

bool Statement::step() {
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) fail();
  return false;
}

void Statement::execute() {
  while (step()) {}
  reset();  // lets go of the lock that a read holds
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(handle_, column); }

std::string Statement::text(int column) const {
  const auto* const text = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
  return text == nullptr ? std::string()
                         : std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column)));
}

FactValue Statement::value(int column) const {
  switch (sqlite3_column_type(handle_, column)) {
    case SQLITE_INTEGER:
      return integer(column);
    case SQLITE_FLOAT:
      return sqlite3_column_double(handle_, column);
    default:
      return text(column);
  }
}

Transaction::Transaction(Database& database) : database_(database) { database_.run("BEGIN IMMEDIATE"); }

Transaction::~Transaction() {
  if (!open_) return;
  try {
    database_.run("ROLLBACK");
  } catch (const DatabaseError&) {  // SQLite has taken it back itself
  }
}

void Transaction::commit() {
  database_.run("COMMIT");
  open_ = false;
}

}  // namespace nephron::host
