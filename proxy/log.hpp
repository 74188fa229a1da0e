// The process's log, in PgBouncer's line shape: `2026-11-21 15:00:33.618 UTC [PID] LEVEL MESSAGE`.
//
// Levels: error, warning, log (always), debug (verbose ≥ 1), noise (≥ 2). Never a secret: callers pass what may be seen.
#pragma once

#include <string>
#include <string_view>

#include <fmt/core.h>

namespace pgweir {

enum class LogLevel { fatal, error, warning, log, debug, noise };

struct LogSettings {
    std::string logfile;        // empty: none
    bool to_stderr = true;
    int verbose = 0;
    bool json = false;
};

// Opens the log; called again at a reload, which also reopens the file. False: the file cannot be opened, and the log
// stays as it was.
bool open_log(const LogSettings& settings);
void close_log();
bool log_enabled(LogLevel level);
void write_log(LogLevel level, std::string_view message);

template <class... Args>
void log(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
    if (log_enabled(level)) write_log(level, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace pgweir
