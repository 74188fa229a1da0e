#include "tests/layering/layering_rules.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <initializer_list>
#include <optional>
#include <regex>

namespace pgweir::layering {

namespace {

// Left to right: a folder includes itself and those before it.
constexpr std::array<std::string_view, 4> layers{"protocol", "routing", "admin", "proxy"};

std::optional<std::size_t> layer_of(std::string_view path) {
    const auto folder = path.substr(0, path.find('/'));
    const auto* found = std::find(layers.begin(), layers.end(), folder);
    if (found == layers.end()) return std::nullopt;
    return static_cast<std::size_t>(found - layers.begin());
}

bool is_core(std::string_view path) { return path.starts_with("protocol/") || path.starts_with("routing/"); }

struct Include {
    std::string path;
    bool angled;
};

std::optional<Include> include_in(const std::string& line) {
    static const std::regex directive(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
    std::smatch match;
    if (!std::regex_search(line, match, directive)) return std::nullopt;
    return Include{match[2], match[1] == "<"};
}

bool starts_with_any(std::string_view text, std::initializer_list<std::string_view> prefixes) {
    return std::any_of(prefixes.begin(), prefixes.end(), [&](auto prefix) { return text.starts_with(prefix); });
}

bool is_any_of(std::string_view text, std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), text) != names.end();
}

// A header of the standard library has neither a folder nor an ending.
bool is_standard_header(std::string_view path) { return path.find_first_of("/.") == std::string_view::npos; }

bool is_standard_header_closed_to_the_core(std::string_view path) {
    return is_any_of(
        path, {"thread", "mutex", "shared_mutex", "condition_variable", "future", "semaphore", "latch", "barrier",
               "stop_token", "random", "ctime", "csignal", "iostream", "fstream", "filesystem", "coroutine"});
}

// What is no standard header must be named here, so that nothing new slips in.
bool may_include(std::string_view file, std::string_view path) {
    if (is_standard_header(path)) return !is_standard_header_closed_to_the_core(path);
    if (file.starts_with("protocol/"))
        return path.starts_with("boost/system/") ||
               is_any_of(path,
                         {"openssl/crypto.h", "openssl/evp.h", "openssl/hmac.h", "openssl/md5.h", "openssl/sha.h"});
    return starts_with_any(path, {"boost/system/", "fmt/"}) || path == "pg_query.h";
}

bool is_header_closed_to_admin(std::string_view path) {
    return starts_with_any(path, {"boost/asio", "boost/beast", "sys/socket", "sys/epoll", "sys/un", "netinet/", "arpa/",
                                  "netdb", "poll", "libpq", "openssl/ssl", "openssl/bio"});
}

struct ForbiddenName {
    std::string_view pattern;
    std::string_view rule;
};

// For protocol/ and routing/: names that give away what the includes alone do not.
constexpr auto names_closed_to_the_core = std::to_array<ForbiddenName>({
    {R"(\b(system_clock|steady_clock|high_resolution_clock|utc_clock|file_clock)\b)", "no clock: `now` is an argument"},
    {R"(\b(clock_gettime|gettimeofday|timespec_get|clock_nanosleep|nanosleep|usleep|sleep_for|sleep_until)\s*\()",
     "no clock: `now` is an argument"},
    {R"((^|[^\w.>]|\breturn\s+)(std::|::)?time\s*\(\s*(nullptr|NULL|0|&))", "no clock: `now` is an argument"},
    {R"(\b(random_device|mt19937(_64)?|default_random_engine)\b)", "no random device: a RandomSource is an argument"},
    {R"(\b(rand|srand|srandom|getrandom|getentropy|arc4random|RAND_bytes)\s*\(|\brandom\s*\(\s*\))",
     "no random device: a RandomSource is an argument"},
    {R"(\b(mutex|recursive_mutex|shared_mutex|lock_guard|unique_lock|scoped_lock|condition_variable|call_once|atomic_flag|pthread_\w+)\b)",
     "no lock: one thread at a time calls in"},
    {R"(\bstd::(jthread|thread|async|promise|future)\b|\bthread_local\b)", "no thread"},
    {R"((^|[^\w.>:])(::)?(socket|connect|accept4?|recv|recvmsg|sendmsg|sendto|listen|epoll_\w+)\s*\(\s*(\w*fd\b|\w*socket\b|AF_|PF_|EPOLL))",
     "no socket"},
    {R"(\b(AF_INET6?|AF_UNIX|SOCK_STREAM|EPOLLIN|EPOLLOUT|sockaddr\w*)\b)", "no socket"},
    {R"(\b(getenv|secure_getenv|setenv)\s*\()", "no environment: proxy/ passes settings in"},
    {R"(\b(fopen|fdopen|popen|ifstream|ofstream|FILE)\b)", "no file: proxy/ passes in what reads files"},
    {R"(\bstd::(cout|cerr|clog|cin)\b|\b(printf|fprintf|puts)\s*\(|\bfmt::print\b)",
     "no output: actions and values go out"},
});

struct Line {
    int number;
    std::string text;
};

std::vector<Line> lines_of(const std::string& text) {
    std::vector<Line> lines;
    std::size_t begin = 0;
    for (int number = 1; begin <= text.size(); ++number) {
        const auto end = std::min(text.find('\n', begin), text.size());
        lines.push_back({number, text.substr(begin, end - begin)});
        begin = end + 1;
    }
    return lines;
}

std::optional<std::string> rule_against(const std::string& file, const Include& include) {
    const auto own_layer = layer_of(file);
    if (!own_layer) return std::nullopt;
    if (const auto layer = layer_of(include.path); layer && *layer > *own_layer)
        return "a folder includes only folders to its left";
    if (starts_with_any(include.path, {"tests/", "bench/"})) return "the program includes no test";
    if (!include.angled && !layer_of(include.path)) return "own headers are included from the project root";
    if (include.angled && is_core(file) && !may_include(file, include.path))
        return file.substr(0, file.find('/')) + "/ may not use this header";
    if (file.starts_with("admin/") && is_header_closed_to_admin(include.path)) return "admin/ touches no socket";
    return std::nullopt;
}

void check_names(const SourceFile& file, const Line& line, std::vector<Breach>& out) {
    static const auto compiled = [] {
        std::vector<std::regex> patterns;
        for (const auto& name : names_closed_to_the_core) patterns.emplace_back(std::string{name.pattern});
        return patterns;
    }();
    std::smatch match;
    for (std::size_t i = 0; i < compiled.size(); ++i)
        if (std::regex_search(line.text, match, compiled[i]))
            out.push_back({file.path, line.number, std::string{names_closed_to_the_core[i].rule}, match.str()});
}

// Copies code and blanks the rest; one call steps over one construct.
class Blanker {
public:
    explicit Blanker(std::string_view text) : text_(text) {}

    std::string run() {
        while (at_ < text_.size()) step();
        return std::move(out_);
    }

private:
    void step() {
        if (starts("//")) return blank_to(text_.find('\n', at_));
        if (starts("/*")) return blank_past(text_.find("*/", at_ + 2), 2);
        if (starts("#") && only_blanks_before()) return copy_to(text_.find('\n', at_), true);
        if (starts("R\"") && !after_word()) return blank_raw_string();
        if (starts("\"")) return blank_quoted('"');
        if (starts("'") && !after_word()) return blank_quoted('\'');  // after a digit it separates thousands
        out_ += text_[at_++];
    }

    bool starts(std::string_view with) const { return text_.substr(at_).starts_with(with); }
    bool after_word() const {
        return at_ > 0 && (std::isalnum(static_cast<unsigned char>(text_[at_ - 1])) || text_[at_ - 1] == '_');
    }

    bool only_blanks_before() const {
        const auto line_break = out_.rfind('\n');
        return out_.find_first_not_of(" \t", line_break == std::string::npos ? 0 : line_break + 1) == std::string::npos;
    }

    // A directive is kept with its quotes, but not a comment that follows it.
    void copy_to(std::size_t end, bool until_comment) {
        end = std::min(end, text_.size());
        if (until_comment) end = std::min({end, text_.find("//", at_), text_.find("/*", at_)});
        out_ += text_.substr(at_, end - at_);
        at_ = end;
    }

    void blank_to(std::size_t end) {
        for (end = std::min(end, text_.size()); at_ < end; ++at_) out_ += text_[at_] == '\n' ? '\n' : ' ';
    }
    void blank_past(std::size_t found, std::size_t length) {
        blank_to(found == std::string_view::npos ? text_.size() : found + length);
    }

    void blank_quoted(char quote) {
        std::size_t end = at_ + 1;
        while (end < text_.size() && text_[end] != quote && text_[end] != '\n') end += text_[end] == '\\' ? 2 : 1;
        blank_to(end + 1);
    }

    void blank_raw_string() {
        const auto open = text_.find('(', at_);
        if (open == std::string_view::npos) return blank_to(text_.size());
        const auto closing = ")" + std::string{text_.substr(at_ + 2, open - at_ - 2)} + "\"";
        blank_past(text_.find(closing, open), closing.size());
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::string out_;
};

}  // namespace

std::string without_comments_and_literals(std::string_view text) { return Blanker{text}.run(); }

std::vector<Breach> breaches_of(const SourceFile& file) {
    std::vector<Breach> breaches;
    for (const auto& line : lines_of(without_comments_and_literals(file.text))) {
        if (const auto include = include_in(line.text)) {
            if (const auto rule = rule_against(file.path, *include))
                breaches.push_back({file.path, line.number, *rule, include->path});
        } else if (is_core(file.path)) {
            check_names(file, line, breaches);
        }
    }
    return breaches;
}

std::vector<Breach> breaches_among(const std::vector<SourceFile>& files) {
    std::vector<Breach> users;
    for (const auto& file : files)
        for (const auto& line : lines_of(without_comments_and_literals(file.text)))
            if (const auto include = include_in(line.text); include && starts_with_any(include->path, {"pg_query"}))
                users.push_back({file.path, line.number, "libpg_query is called from one file only", include->path});
    return users.size() > 1 ? users : std::vector<Breach>{};
}

}  // namespace pgweir::layering
