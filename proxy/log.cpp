#include "proxy/log.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <vector>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "proxy/log_text.hpp"

namespace pgweir {
namespace {

spdlog::level::level_enum spdlog_level(LogLevel level) {
    switch (level) {
        case LogLevel::fatal: return spdlog::level::critical;
        case LogLevel::error: return spdlog::level::err;
        case LogLevel::warning: return spdlog::level::warn;
        case LogLevel::log: return spdlog::level::info;
        case LogLevel::debug: return spdlog::level::debug;
        case LogLevel::noise: return spdlog::level::trace;
    }
    return spdlog::level::info;
}

// PgBouncer's words for the levels.
class LevelWord : public spdlog::custom_flag_formatter {
public:
    void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
        static constexpr const char* words[] = {"NOISE", "DEBUG", "LOG", "WARNING", "ERROR", "FATAL", ""};
        const std::string_view word = words[message.level];
        out.append(word.data(), word.data() + word.size());
    }
    std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<LevelWord>(); }
};

class ZoneWord : public spdlog::custom_flag_formatter {
public:
    void format(const spdlog::details::log_msg&, const std::tm& at, spdlog::memory_buf_t& out) override {
        char zone[16];
        const auto size = std::strftime(zone, sizeof zone, "%Z", &at);
        out.append(zone, zone + size);
    }
    std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<ZoneWord>(); }
};

std::unique_ptr<spdlog::formatter> line_formatter(bool json) {
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<LevelWord>('*').add_flag<ZoneWord>('&');
    formatter->set_pattern(json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","pid":%P,"level":"%*","message":"%v"})"
                                : "%Y-%m-%d %H:%M:%S.%e %& [%P] %* %v");
    return formatter;
}

std::shared_ptr<spdlog::logger> logger;    // set before other threads start, swapped under spdlog's own sinks at a reload
std::atomic<bool> json_lines{false};

}  // namespace

bool open_log(const LogSettings& settings) {
    std::vector<spdlog::sink_ptr> sinks;
    if (settings.to_stderr) sinks.push_back(std::make_shared<spdlog::sinks::stderr_sink_mt>());
    try {
        if (!settings.logfile.empty()) sinks.push_back(std::make_shared<spdlog::sinks::basic_file_sink_mt>(settings.logfile));
    } catch (const spdlog::spdlog_ex&) {
        return false;
    }
    auto opened = std::make_shared<spdlog::logger>("pgweir", sinks.begin(), sinks.end());
    opened->set_formatter(line_formatter(settings.json));
    opened->set_level(settings.verbose >= 2 ? spdlog::level::trace : settings.verbose == 1 ? spdlog::level::debug : spdlog::level::info);
    opened->flush_on(spdlog::level::trace);
    json_lines = settings.json;
    std::atomic_store(&logger, std::move(opened));
    return true;
}

void close_log() { std::atomic_store(&logger, std::shared_ptr<spdlog::logger>()); }

bool log_enabled(LogLevel level) {
    const auto current = std::atomic_load(&logger);
    return current && current->should_log(spdlog_level(level));
}

void write_log(LogLevel level, std::string_view message) {
    const auto current = std::atomic_load(&logger);
    if (!current) return;
    const auto is_plain = [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; };
    if (std::all_of(message.begin(), message.end(), is_plain))
        current->log(spdlog_level(level), "{}", message);
    else
        current->log(spdlog_level(level), "{}", json_lines ? as_json_text(message) : as_log_text(message));
}

}  // namespace pgweir
