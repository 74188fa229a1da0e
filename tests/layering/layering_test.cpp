// The layers hold in the whole tree, and each rule is seen to catch what it is there for.

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/layering/layering_rules.hpp"
#include "tests/support/catch.hpp"

namespace fs = std::filesystem;
using namespace pgweir::layering;

namespace {

std::string contents_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::vector<SourceFile> files_under(const fs::path& root, std::string_view folder) {
    std::vector<SourceFile> files;
    if (!fs::exists(root / folder)) return files;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
        const auto ending = entry.path().extension();
        if (entry.is_regular_file() && (ending == ".hpp" || ending == ".cpp"))
            files.push_back({fs::relative(entry.path(), root).string(), contents_of(entry.path())});
    }
    return files;
}

std::string told(const std::vector<Breach>& breaches) {
    std::ostringstream text;
    for (const auto& breach : breaches)
        text << breach.path << ':' << breach.line << ": " << breach.rule << ": " << breach.found << '\n';
    return text.str();
}

std::string breaches_in(const std::string& path, const std::string& text) { return told(breaches_of({path, text})); }

struct Snippet {
    const char* path;
    const char* text;
};

}  // namespace

TEST_CASE("every file of the program keeps to its layer") {
    std::vector<SourceFile> all;
    for (const auto* folder : {"protocol", "routing", "admin", "proxy"}) {
        const auto files = files_under(PGWEIR_SOURCE_DIR, folder);
        all.insert(all.end(), files.begin(), files.end());
        for (const auto& file : files) CHECK(told(breaches_of(file)) == "");
    }
    CHECK(all.size() > 4);  // an empty walk would prove nothing
    CHECK(told(breaches_among(all)) == "");
}

TEST_CASE("each forbidden include is reported") {
    const auto bad = GENERATE(values<Snippet>({
        {"protocol/a.hpp", "#include \"routing/pool.hpp\""},
        {"protocol/a.hpp", "#include \"proxy/worker.hpp\""},
        {"protocol/scram/a.cpp", "#  include \"routing/ids.hpp\""},
        {"routing/a.cpp", "#include \"admin/console.hpp\""},
        {"routing/a.cpp", "#include <proxy/worker.hpp>"},
        {"admin/a.cpp", "#include \"proxy/worker.hpp\""},
        {"routing/a.hpp", "#include \"pool.hpp\""},
        {"routing/a.cpp", "#include \"tests/support/catch.hpp\""},
        {"proxy/main.cpp", "#include \"bench/timer.hpp\""},
        {"protocol/a.cpp", "#include <sys/socket.h>"},
        {"routing/a.cpp", "#include <unistd.h>"},
        {"routing/a.cpp", "#include <boost/asio/ip/tcp.hpp>"},
        {"routing/a.cpp", "#include <boost/asio.hpp>"},
        {"routing/a.cpp", "#include <openssl/evp.h>"},
        {"protocol/a.cpp", "#include <openssl/ssl.h>"},
        {"protocol/a.cpp", "#include <openssl/rand.h>"},
        {"protocol/a.cpp", "#include <fmt/format.h>"},
        {"protocol/a.cpp", "#include <pg_query.h>"},
        {"routing/a.cpp", "#include <spdlog/spdlog.h>"},
        {"routing/a.cpp", "#include <thread>"},
        {"routing/a.cpp", "#include <mutex>"},
        {"routing/a.cpp", "#include <shared_mutex>"},
        {"routing/a.cpp", "#include <condition_variable>"},
        {"routing/a.cpp", "#include <random>"},
        {"routing/a.cpp", "#include <iostream>"},
        {"routing/a.cpp", "#include <fstream>"},
        {"admin/a.cpp", "#include <boost/asio/ip/tcp.hpp>"},
        {"admin/a.cpp", "#include <boost/beast/http.hpp>"},
        {"admin/a.cpp", "#include <sys/socket.h>"},
        {"admin/a.cpp", "#include <netinet/in.h>"},
        {"admin/a.cpp", "#include <libpq-fe.h>"},
    }));
    CHECK_THAT(breaches_in(bad.path, bad.text), Catch::StartsWith(std::string{bad.path} + ":1: "));
}

TEST_CASE("each forbidden name is reported in protocol and in routing") {
    const std::string folder = GENERATE("protocol", "routing");
    const std::string bad = GENERATE(values<const char*>({
        "auto now = std::chrono::steady_clock::now();",
        "auto now = std::chrono::system_clock::now();",
        "clock_gettime(CLOCK_MONOTONIC, &ts);",
        "auto t = time(nullptr);",
        "return time(NULL);",
        "return std::time(0);",
        "::time(&t);",
        "std::this_thread::sleep_for(1ms);",
        "std::random_device device;",
        "std::mt19937_64 engine(1);",
        "int dice = rand();",
        "long dice = random();",
        "getrandom(buffer, size, 0);",
        "RAND_bytes(out, 16);",
        "std::mutex lock_;",
        "std::lock_guard guard(lock_);",
        "std::atomic_flag busy;",
        "pthread_mutex_lock(&lock_);",
        "std::thread worker;",
        "std::jthread worker;",
        "thread_local int depth = 0;",
        "const int listener = ::socket(AF_INET, SOCK_STREAM, 0);",
        "recv(fd, data, size, 0);",
        "sockaddr_in address;",
        "const char* home = getenv(\"HOME\");",
        "FILE* file = fopen(\"users.txt\", \"r\");",
        "std::ifstream file(path);",
        "std::cout << 1;",
        "std::printf(\"x\");",
        "fmt::print(\"x\");",
    }));
    CHECK_THAT(breaches_in(folder + "/a.cpp", "\n" + bad + "\n"), Catch::StartsWith(folder + "/a.cpp:2: "));
    CHECK(breaches_in("proxy/a.cpp", bad) == "");
}

TEST_CASE("what is allowed passes") {
    const auto good = GENERATE(values<Snippet>({
        {"protocol/a.hpp", "#include \"protocol/result.hpp\"\n#include <boost/system/result.hpp>\n#include <chrono>"},
        {"protocol/scram/a.cpp", "#include <openssl/evp.h>"},
        {"routing/a.cpp",
         "#include \"protocol/result.hpp\"\n#include <fmt/format.h>\n#include <atomic>\n#include <map>"},
        {"routing/classify.cpp", "extern \"C\" {\n#include <pg_query.h>\n}"},
        {"admin/a.cpp", "#include \"routing/ids.hpp\"\n#include <prometheus/registry.h>\n#include <boost/json.hpp>"},
        {"proxy/a.cpp", "#include \"admin/console.hpp\"\n#include <boost/asio.hpp>\n#include <mutex>"},
        {"routing/a.cpp", "// no mutex, no steady_clock, never time(nullptr)\n/* std::mutex\n#include <mutex>\n*/"},
        {"routing/a.cpp",
         "const char* text = \"std::mutex \\\" getenv(\"; auto more = R\"(std::thread)\"; int n = 1'000;"},
        {"routing/a.cpp",
         "TimePoint time() const; x.time(0); wait->connect(server); std::string random(8, ' '); struct Listen {};"},
        {"routing/a.cpp", "pool.connect(id); session.listen(socket); runtime(0); statement_time(nullptr);"},
        {"tests/unit/a.cpp", "#include <thread>\n#include \"proxy/worker.hpp\"\nstd::mutex lock;"},
    }));
    CHECK(breaches_in(good.path, good.text) == "");
}

TEST_CASE("PostgreSQL's grammar may be called from one file, and a second one is reported") {
    const SourceFile first{"routing/classify.cpp", "#include <pg_query.h>"};
    const SourceFile second{"admin/queries.cpp", "\n#include <pg_query.h>"};
    CHECK(told(breaches_among({first})) == "");
    CHECK(breaches_among({first, second}).size() == 2);
}

TEST_CASE("a breach is told with its own line, after comments and literals that span lines") {
    const std::string text =
        "/* a\nb */ int a;\nauto text = R\"x(\n)\" )x\";\nchar quote = '\"';\nstd::mutex m;  // here\n";
    CHECK(breaches_in("routing/a.cpp", text) == "routing/a.cpp:6: no lock: one thread at a time calls in: mutex\n");
}
