// The contract between Relay and TransportLayer: whatever a read or write answers, at whichever step of a conversation.
#include <unistd.h>

#include <filesystem>
#include <iterator>
#include <random>

#include "tests/support/catch.hpp"
#include "tests/support/short_messages.hpp"
#include "tests/unit/proxy/fake_line.hpp"
#include "tests/unit/proxy/relay_world.hpp"

namespace pgweir::test {
namespace {

// One step gets another answer.
struct OneOther : AnswerPlan {
    OneOther(int at, Answer what) : step(at), other(what) {}
    std::optional<Answer> answer(int at, const IoStep&) override {
        return at == step ? std::optional(other) : std::nullopt;
    }
    int step;
    Answer other;
};

// Many steps get an answer by chance; `fatal_at` ends its line.
struct Weather : AnswerPlan {
    Weather(unsigned seed, int fatal_step) : chance(seed), fatal_at(fatal_step) {}
    std::optional<Answer> answer(int at, const IoStep& what) override {
        if (at == fatal_at) return Answer::failed;
        const auto roll = chance() % 10;
        if (roll < 1) return Answer::again;
        if (roll < 2) return Answer::wants_other;
        if (roll < 3 && what.moves_bytes) return Answer::one_byte;
        if (roll < 5 && what.moves_bytes) return Answer::half;
        return std::nullopt;
    }
    std::minstd_rand chance;
    int fatal_at;
};

const OneOther calm(-1, Answer::again);

struct Shape {
    const char* name;
    std::size_t read_max;
    std::size_t room;
};
// A sanitized build takes thirty times as long: it looks at every seventh step and seed.
#ifdef PGWEIR_SANITIZED
constexpr unsigned stride = 7;
#else
constexpr unsigned stride = 1;
#endif

constexpr Shape plain{"as a socket", 1 << 20, 16 * 1024};
constexpr Shape records{"in records of 1,000 bytes", 1000, 16 * 1024};
constexpr Shape crumbs{"three bytes at a time", 3, 5};

std::string series(Bytes statement) {
    return parse() + bind() + execute() + to_message(frontend::Parse{{}, statement, {}}) + bind() + execute() + sync;
}

// A transaction of every kind, while another client waits for the only server.
const Requests every_kind{
    query("select 'simple'"),
    series("select 'first'") + series("rows 3") + query("select 'behind'"),
    query("rows 1500"),
    query("begin"),
    query("copy in"),
    copy_row(std::string(40'000, 'a')) + copy_row("b") + copy_row(std::string(5000, 'c')) + copy_done,
    query("copy out 600"),
    parse("") + flush_request,
    bind() + execute() + sync,
    query("fail"),
    query("rollback"),
};
const Requests a_few{query("select 'I am the other'"), series("rows 2"), query("select 'still the other'"),
                     terminate_request};

struct Outcome {
    std::string verdict;
    std::vector<IoStep> steps;
};

Outcome tell(AnswerPlan& plan, const Shape& shape, bool disturbed, const Requests& requests = every_kind) {
    Outcome outcome;
    {
        RelayWorld world(1, [&](bool is_client) {
            auto line = std::make_unique<FakeLine>(plan, is_client);
            line->read_max = shape.read_max;
            line->room = shape.room;
            return line;
        });
        world.add_client(requests);
        world.add_client(a_few);
        world.run();
        outcome.verdict = world.verdict(disturbed);
    }
    outcome.steps = std::move(plan.steps);
    return outcome;
}

std::ptrdiff_t open_descriptors() {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return std::distance(begin(all), end(all));
}

const char* text_of(Answer answer) {
    static constexpr const char* names[] = {"again", "wants the other direction", "one byte", "half", "end", "failed"};
    return names[static_cast<int>(answer)];
}

bool is_possible(Answer answer, const IoStep& step) {
    if (answer == Answer::end) return step.is_read;
    return step.moves_bytes || (answer != Answer::one_byte && answer != Answer::half);
}

void replace_each_step(const Shape& shape, std::initializer_list<Answer> answers, bool disturbed) {
    OneOther undisturbed = calm;
    const Outcome usual = tell(undisturbed, shape, false);
    REQUIRE(usual.verdict.empty());
    REQUIRE(usual.steps.size() > 50);
    const auto descriptors = open_descriptors();
    for (std::size_t step = 0; step < usual.steps.size(); step += stride) {
        for (const Answer answer : answers) {
            if (!is_possible(answer, usual.steps[step])) continue;
            OneOther plan(static_cast<int>(step), answer);
            const Outcome outcome = tell(plan, shape, disturbed);
            INFO(shape.name << ", step " << step << (usual.steps[step].is_read ? ": read " : ": write ")
                            << (usual.steps[step].is_client ? "of a client: " : "of a server: ") << text_of(answer));
            REQUIRE(outcome.verdict == "");
        }
    }
    CHECK(open_descriptors() == descriptors);
}

}  // namespace

TEST_CASE("clients get their own server's bytes however the transport cuts them") {
    for (const Shape& shape : {plain, records, crumbs}) {
        OneOther undisturbed = calm;
        INFO(shape.name);
        CHECK(tell(undisturbed, shape, false).verdict == "");
    }
}

TEST_CASE("no byte is lost or late when any one read or write has to wait") {
    for (const Shape& shape : {plain, records})
        replace_each_step(shape, {Answer::again, Answer::wants_other, Answer::one_byte, Answer::half}, false);
}

TEST_CASE("a connection that ends at any step ends alone: the other client is served, nothing leaks") {
    for (const Shape& shape : {plain, records}) replace_each_step(shape, {Answer::end, Answer::failed}, true);
}

TEST_CASE("no byte is lost or late when many reads and writes have to wait") {
    for (unsigned seed = 1; seed <= 300; seed += stride) {
        for (const Shape& shape : {plain, records}) {
            Weather weather(seed, -1);
            INFO(shape.name << ", seed " << seed);
            REQUIRE(tell(weather, shape, false).verdict == "");
        }
    }
}

TEST_CASE("a connection that ends while many reads and writes wait ends alone") {
    for (unsigned seed = 1; seed <= 300; seed += stride) {
        Weather weather(seed, static_cast<int>(seed));
        INFO("seed " << seed);
        REQUIRE(tell(weather, records, true).verdict == "");
    }
}

}  // namespace pgweir::test
