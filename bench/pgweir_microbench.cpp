// What do the parts of a transaction cost that are ours alone: scanning frames, lending a server, a session's decisions?
//
//   pgweir_microbench [CASE [COUNT]]    all cases, or those whose name contains CASE, COUNT times instead of for a while
//
// Each line is the median of eleven rounds. Instructions (user space) come from the processor's counter where the kernel
// lets us have it; elsewhere: valgrind --tool=callgrind pgweir_microbench CASE COUNT with two counts, and the difference.
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <vector>

#include <linux/perf_event.h>

#include "routing/book.hpp"
#include "routing/client_session.hpp"
#include "tests/support/short_messages.hpp"

namespace {

using namespace pgweir;
using namespace pgweir::test;

constexpr int rounds = 11;
constexpr double round_seconds = 0.05;

class InstructionCounter {
public:
    InstructionCounter() {
        perf_event_attr wanted{};
        wanted.size = sizeof wanted;
        wanted.type = PERF_TYPE_HARDWARE;
        wanted.config = PERF_COUNT_HW_INSTRUCTIONS;
        wanted.exclude_kernel = wanted.exclude_hv = 1;
        fd_ = static_cast<int>(::syscall(SYS_perf_event_open, &wanted, 0, -1, -1, 0));
    }
    ~InstructionCounter() { ::close(fd_); }
    bool is_there() const { return fd_ >= 0; }
    double read() const {
        std::uint64_t count = 0;
        return ::read(fd_, &count, sizeof count) == sizeof count ? static_cast<double>(count) : 0;
    }

private:
    int fd_;
};

// `run(n)` does the thing n times; one time is `things` of what is counted and `bytes` long.
struct Case {
    const char* name;
    const char* thing;
    std::size_t things;
    std::size_t bytes;
    std::function<void(long)> run;
};

double seconds_of(const Case& one, long count) {
    const auto begin = std::chrono::steady_clock::now();
    one.run(count);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

long count_for(const Case& one) {
    long count = 16;
    while (seconds_of(one, count) < round_seconds) count *= 2;
    return count;
}

void measure(const Case& one, const InstructionCounter& instructions, long count) {
    std::vector<double> nanoseconds;
    double counted = 0;
    const auto things = static_cast<double>(count) * static_cast<double>(one.things);
    for (int round = 0; round < rounds; ++round) {
        const double before = instructions.read();
        nanoseconds.push_back(seconds_of(one, count) * 1e9 / things);
        counted = (instructions.read() - before) / things;
    }
    std::sort(nanoseconds.begin(), nanoseconds.end());
    const double median = nanoseconds[rounds / 2];
    std::printf("%-34s %-12s %8.1f ns  (%.1f..%.1f)", one.name, one.thing, median, nanoseconds.front(),
                nanoseconds.back());
    if (instructions.is_there()) std::printf("  %8.0f instructions", counted);
    if (one.bytes > 0)
        std::printf("  %6.2f GB/s", static_cast<double>(one.bytes) / static_cast<double>(one.things) / median);
    std::printf("\n");
}

// Nothing here may be found out to be without effect.
void keep(std::size_t value) {
    [[maybe_unused]] static volatile std::size_t kept;
    kept = value;
}

Case scan(const char* name, const FrameRules& rules, const std::string& messages, std::size_t per_round,
          std::size_t times) {
    std::string stream;
    for (std::size_t i = 0; i < times; ++i) stream += messages;
    return {name, "message", per_round * times, stream.size(), [&rules, stream](long count) {
                std::size_t pieces = 0;
                while (count-- > 0) {
                    FrameScanner scanner;
                    Bytes rest = stream;
                    Frame frame;
                    while (scanner.next(rest, rules, frame) == ScanStatus::piece) ++pieces;
                }
                keep(pieces);
            }};
}

struct NoChance : RandomSource {
    void fill(void* out, std::size_t size) override { std::memset(out, 0, size); }
};

// A pool whose one server is open and idle.
struct OnePool {
    explicit OnePool(int session_count) : book(1, chance) {
        auto policy = std::make_shared<PoolPolicy>();
        policy->mode = PoolMode::transaction;
        policy->pool_size = 1;
        policy->server_lifetime = std::chrono::hours{1};
        const PoolId pool = book.pool_for("app", "alice", policy, now);
        for (int i = 0; i < session_count; ++i) sessions.push_back(book.add_session(pool, 0, now));
        book.check_out(sessions[0], now, out);
        server = out.begin()->server;
        out.clear();
        book.server_logged_in(server, now, out);
        give_back();
    }
    // The session that has it now; none: it is idle.
    SessionId give_back() {
        out.clear();
        book.check_in(server, now, out);
        return out.empty() ? SessionId{} : out.begin()->session;
    }
    void ask(SessionId session) {
        out.clear();
        book.check_out(session, now, out);
    }

    NoChance chance;
    Book book;
    TimePoint now{1'000'000'000};
    BookActions out;
    std::vector<SessionId> sessions;
    ServerId server;
};

Case lend_idle() {
    return {"book, an idle server", "transaction", 1, 0, [](long count) {
                OnePool pool(1);
                while (count-- > 0) {
                    pool.ask(pool.sessions[0]);
                    keep(pool.give_back().index);
                }
            }};
}

Case lend_to_waiting() {
    return {"book, a hundred wait", "transaction", 1, 0, [](long count) {
                OnePool pool(100);
                for (const SessionId session : pool.sessions) pool.ask(session);
                SessionId holder = pool.sessions[0];
                while (count-- > 0) {
                    const SessionId next = pool.give_back();
                    pool.ask(holder);
                    holder = next;
                }
                keep(holder.index);
            }};
}

Case transaction(const char* name, const std::string& request, const std::string& reply) {
    return {name, "transaction", 1, 0, [request, reply](long count) {
                auto policy = std::make_shared<SessionPolicy>();
                policy->mode = PoolMode::transaction;
                const TrackedParameters tracked;
                PoolCounters counters;
                TimePoint now{1'000'000'000};
                ClientSession session(policy, counters, nullptr, now);
                ServerSession server(tracked);
                SessionActions out;
                while (count-- > 0) {
                    now.us += 10;
                    out.clear();
                    session.on_client_bytes(request, nullptr, now, out);
                    out.clear();
                    session.on_granted(server, now, out);
                    session.on_client_bytes(request, &server, now, out);
                    out.clear();
                    session.on_server_bytes(reply, server, now, out);
                }
                if (session.phase() != ClientSession::Phase::idle) std::abort();  // it did not do what it should
            }};
}

}  // namespace

int main(int count, char** words) {
    const std::string row = data_row(std::string(53, 'x'));
    const Case cases[] = {
        scan("scan, a small reply", server_frames::of_query, data_row("1") + complete("SELECT 1") + ready, 3, 100),
        scan("scan, an extended series", client_frames, extended_series + test::sync, 4, 100),
        scan("scan, rows of 64 bytes", server_frames::of_query, row, 1, 512),
        lend_idle(),
        lend_to_waiting(),
        transaction("session, simple query", query("select abalance from pgbench_accounts where aid = 4711"),
                    data_row("0") + complete("SELECT 1") + ready),
        transaction("session, extended query", extended_series + test::sync, extended_replies + ready),
    };
    const InstructionCounter instructions;
    for (const Case& one : cases) {
        if (count > 1 && std::strstr(one.name, words[1]) == nullptr) continue;
        if (count > 2)
            one.run(std::atol(words[2]));
        else
            measure(one, instructions, count_for(one));
    }
}
