// Requests and replies are written as on the wire, a letter each: sent("PBES"), replies("12CZ"). What became of the
// replies comes back likewise: f(orward), s(wallow), x (mismatch), and a digit where an answer of ours is due.
#include "routing/reply_ledger.hpp"

#include <stdexcept>
#include <string>
#include <string_view>

#include "tests/support/catch.hpp"

namespace pgweir::test {
namespace {

RequestKind kind_of(char letter) {
    switch (letter) {
        case 'Q': return RequestKind::query;
        case 'F': return RequestKind::function_call;
        case 'S': return RequestKind::sync;
        case 'P': return RequestKind::parse;
        case 'B': return RequestKind::bind;
        case 'D': return RequestKind::describe_statement;
        case 'd': return RequestKind::describe_portal;
        case 'E': return RequestKind::execute;
        case 'C': return RequestKind::close;
        case 'c': return RequestKind::copy_end;
        default: throw std::invalid_argument("no such request");
    }
}

class LedgerScript {
public:
    explicit LedgerScript(std::string_view requests = {}) { sent(requests); }

    LedgerScript& sent(std::string_view requests, Disposition disposition = Disposition::forward) {
        for (const char letter : requests) ledger.push(kind_of(letter), disposition);
        return *this;
    }

    // With so many effects, by which the answer is known again.
    LedgerScript& answered(char request, std::uint16_t effects) {
        ledger.push(kind_of(request), Disposition::answer, effects);
        return *this;
    }

    std::string replies(std::string_view types) {
        std::string routes;
        for (const char type : types) {
            switch (ledger.on_reply(backend::Type{type})) {
                case ReplyRoute::forward: routes += 'f'; break;
                case ReplyRoute::swallow: routes += 's'; break;
                case ReplyRoute::mismatch: routes += 'x'; break;
            }
            routes += answers();
        }
        return routes;
    }

    // The answers that are due before anything else comes from the server.
    std::string answers() {
        std::string due;
        while (ledger.take_answer()) due += std::to_string(ledger.take_effects().settled);
        return due;
    }

    ReplyLedger ledger;
};

LedgerScript after(std::string_view requests) {
    return LedgerScript(requests);
}

// Every reply but the last leaves something owed; the last one settles.
void check_settles_with_the_last(std::string_view requests, std::string_view replies) {
    CAPTURE(requests, replies);
    LedgerScript script = after(requests);
    for (std::size_t i = 0; i < replies.size(); ++i) {
        CAPTURE(i);
        CHECK_FALSE(script.ledger.is_settled());
        CHECK(script.replies(replies.substr(i, 1)) == "f");
    }
    CHECK(script.ledger.is_settled());
    CHECK_FALSE(script.ledger.is_uncertain());
    CHECK_FALSE(script.ledger.owes_client());
}

}  // namespace

TEST_CASE("a new ledger is settled and owes nothing") {
    const ReplyLedger ledger{};
    CHECK(ledger.is_settled());
    CHECK(ledger.empty());
    CHECK_FALSE(ledger.needs_sync());
    CHECK_FALSE(ledger.owes_client());
}

TEST_CASE("memory for a huge pipeline is given back when all of it is answered") {
    LedgerScript script;
    const auto few = script.ledger.capacity();
    const std::string huge(10'000, 'P');
    script.sent(huge + "S");
    CHECK(script.ledger.capacity() > 10'000);
    CHECK(script.replies(std::string(huge.size(), '1')) == std::string(huge.size(), 'f'));
    CHECK(script.ledger.capacity() > 10'000);
    CHECK(script.replies("Z") == "f");
    CHECK(script.ledger.capacity() == few);
    CHECK(script.ledger.is_settled());
    CHECK(script.sent("PBES").replies("12CZ") == "ffff");

    LedgerScript failing;
    failing.sent(huge);
    CHECK(failing.replies("E") == "f");    // all of it is skipped
    CHECK(failing.ledger.capacity() == few);
}

TEST_CASE("a simple query is settled by its ReadyForQuery and nothing before it") {
    check_settles_with_the_last("Q", "TDDCZ");
    check_settles_with_the_last("Q", "CZ");
    check_settles_with_the_last("Q", "IZ");
    check_settles_with_the_last("Q", "EZ");
}

TEST_CASE("a query of several statements is settled once") {
    check_settles_with_the_last("Q", "TDCCTCTDDCZ");
    check_settles_with_the_last("Q", "CTDEZ");
}

TEST_CASE("pipelined queries are settled in their order") {
    LedgerScript script = after("QQQ");
    CHECK(script.replies("CZ") == "ff");
    CHECK_FALSE(script.ledger.is_settled());
    CHECK(script.replies("EZ") == "ff");
    CHECK_FALSE(script.ledger.is_settled());
    CHECK(script.replies("TDCZ") == "ffff");
    CHECK(script.ledger.is_settled());
}

TEST_CASE("a function call is settled by its ReadyForQuery, answered or failed") {
    check_settles_with_the_last("F", "VZ");
    check_settles_with_the_last("F", "EZ");
}

TEST_CASE("an extended series is settled by the ReadyForQuery of its Sync") {
    check_settles_with_the_last("PBdES", "12TDDCZ");
    check_settles_with_the_last("PDS", "1tTZ");
    check_settles_with_the_last("PDS", "1tnZ");
    check_settles_with_the_last("BdES", "2nCZ");
    check_settles_with_the_last("CCS", "33Z");
    check_settles_with_the_last("BES", "2IZ");
    check_settles_with_the_last("S", "Z");
}

TEST_CASE("every Sync of a pipeline has a ReadyForQuery of its own") {
    LedgerScript script = after("PBESBESS");
    CHECK(script.replies("12CZ") == "ffff");
    CHECK_FALSE(script.ledger.is_settled());
    CHECK(script.replies("2CZ") == "fff");
    CHECK_FALSE(script.ledger.is_settled());
    CHECK(script.replies("Z") == "f");
    CHECK(script.ledger.is_settled());
}

TEST_CASE("a portal that is suspended answers its Execute") {
    LedgerScript script = after("BEES");
    CHECK(script.replies("2DDsDCZ") == "fffffff");
    CHECK(script.ledger.is_settled());
}

TEST_CASE("messages without a Sync are not settled by their replies") {
    LedgerScript script = after("PBE");
    CHECK(script.ledger.needs_sync());
    CHECK(script.replies("12C") == "fff");
    CHECK(script.ledger.empty());
    CHECK_FALSE(script.ledger.is_settled());
    CHECK(script.ledger.needs_sync());
    script.sent("S");
    CHECK_FALSE(script.ledger.needs_sync());
    CHECK_FALSE(script.ledger.is_settled());
    CHECK(script.replies("Z") == "f");
    CHECK(script.ledger.is_settled());
}

TEST_CASE("a Query ends an unsynced series as a Sync does") {
    LedgerScript script = after("PBEQ");
    CHECK_FALSE(script.ledger.needs_sync());
    CHECK(script.replies("12CCZ") == "fffff");
    CHECK(script.ledger.is_settled());
}

TEST_CASE("an error drops the replies up to the Sync that was sent") {
    for (const auto replies : {"EZ", "1EZ", "12EZ", "12DDEZ"}) {
        CAPTURE(replies);
        LedgerScript script = after("PBES");
        script.replies(replies);
        CHECK(script.ledger.is_settled());
    }
}

TEST_CASE("an error in one batch leaves the next one's replies") {
    LedgerScript script = after("PBESPBES");
    CHECK(script.replies("1EZ") == "fff");
    CHECK_FALSE(script.ledger.is_settled());
    CHECK(script.replies("12CZ") == "ffff");
    CHECK(script.ledger.is_settled());
}

TEST_CASE("after an error the server skips to a Sync that is still to come") {
    LedgerScript script = after("PB");
    CHECK(script.replies("E") == "f");
    CHECK_FALSE(script.ledger.is_settled());
    CHECK(script.ledger.needs_sync());
    script.sent("EBE");
    CHECK(script.ledger.empty());
    script.sent("S");
    CHECK(script.replies("Z") == "f");
    CHECK(script.ledger.is_settled());
}

TEST_CASE("a Query sent while the server skips is never answered") {
    LedgerScript early = after("PBEQ");
    CHECK(early.replies("E") == "f");
    CHECK(early.ledger.empty());
    CHECK_FALSE(early.ledger.is_settled());
    CHECK(early.sent("S").replies("Z") == "f");
    CHECK(early.ledger.is_settled());

    LedgerScript late = after("PBE");
    CHECK(late.replies("E") == "f");
    late.sent("QF");
    CHECK(late.ledger.empty());
    CHECK(late.ledger.needs_sync());
    CHECK(late.sent("S").replies("Z") == "f");
    CHECK(late.ledger.is_settled());
}

TEST_CASE("an error of a Sync drops nothing behind it") {
    LedgerScript script = after("SPS");  // a deferred constraint fails at the implicit commit
    CHECK(script.replies("EZ") == "ff");
    CHECK_FALSE(script.ledger.is_settled());
    CHECK(script.replies("1Z") == "ff");
    CHECK(script.ledger.is_settled());
}

TEST_CASE("an error of a Query drops nothing behind it") {
    LedgerScript script = after("QPBES");
    CHECK(script.replies("EZ12CZ") == "ffffff");
    CHECK(script.ledger.is_settled());
}

TEST_CASE("an error that nobody asked for is forwarded and settles nothing") {
    LedgerScript script;
    CHECK(script.replies("E") == "f");
    CHECK(script.ledger.is_settled());
}

TEST_CASE("COPY out belongs to its request in both protocols") {
    check_settles_with_the_last("Q", "HddcCZ");
    check_settles_with_the_last("PBES", "12HddcCZ");
    check_settles_with_the_last("Q", "HdEZ");
    check_settles_with_the_last("Q", "WddcCZ");
}

TEST_CASE("COPY in of a simple query is settled behind its CopyDone") {
    LedgerScript script = after("Q");
    CHECK(script.replies("G") == "f");
    CHECK(script.ledger.copy_in());
    CHECK_FALSE(script.ledger.copy_in_is_extended());
    CHECK_FALSE(script.ledger.needs_sync());
    script.sent("c");
    CHECK_FALSE(script.ledger.copy_in());
    CHECK_FALSE(script.ledger.is_settled());
    CHECK(script.replies("CZ") == "ff");
    CHECK(script.ledger.is_settled());
}

TEST_CASE("COPY in of the extended protocol wants its Sync behind CopyDone") {
    LedgerScript script = after("PBE");
    CHECK(script.replies("12G") == "fff");
    CHECK(script.ledger.copy_in_is_extended());
    script.sent("cS");
    CHECK(script.replies("CZ") == "ff");
    CHECK(script.ledger.is_settled());
    CHECK_FALSE(script.ledger.is_uncertain());
}

TEST_CASE("a COPY whose CopyDone was sent before it began is settled all the same") {
    LedgerScript simple = after("Qc");
    CHECK(simple.replies("G") == "f");
    CHECK_FALSE(simple.ledger.copy_in());
    CHECK(simple.replies("CZ") == "ff");
    CHECK(simple.ledger.is_settled());

    LedgerScript extended = after("PBEcS");
    CHECK(extended.replies("12GCZ") == "fffff");
    CHECK(extended.ledger.is_settled());
}

TEST_CASE("several COPYs of one query take a CopyDone each") {
    LedgerScript script = after("Qcc");
    CHECK(script.replies("GCGCZ") == "fffff");
    CHECK(script.ledger.is_settled());

    LedgerScript waiting = after("Qc");
    CHECK(waiting.replies("GCG") == "fff");
    CHECK(waiting.ledger.copy_in());
}

TEST_CASE("a CopyDone for a query that began no COPY owes nothing") {
    LedgerScript script = after("QcQ");
    CHECK(script.replies("CZCZ") == "ffff");
    CHECK(script.ledger.is_settled());
}

TEST_CASE("a COPY reads past a Sync that was sent before it began") {
    LedgerScript script = after("PBES");
    CHECK(script.replies("12G") == "fff");
    CHECK(script.ledger.needs_sync());
    CHECK(script.ledger.copy_in_is_extended());
    script.sent("cS");
    CHECK(script.replies("C") == "f");
    CHECK_FALSE(script.ledger.is_settled());
    CHECK(script.replies("Z") == "f");
    CHECK(script.ledger.is_settled());
    CHECK_FALSE(script.ledger.is_uncertain());
}

TEST_CASE("a COPY reads past a Sync that is sent while it runs") {
    LedgerScript extended = after("PBE");
    CHECK(extended.replies("12G") == "fff");
    extended.sent("S");
    CHECK(extended.ledger.copy_in());
    CHECK(extended.ledger.needs_sync());
    extended.sent("cS");
    CHECK(extended.replies("CZ") == "ff");
    CHECK(extended.ledger.is_settled());

    LedgerScript simple = after("QS");
    CHECK(simple.replies("G") == "f");
    simple.sent("Sc");
    CHECK(simple.replies("CZ") == "ff");
    CHECK(simple.ledger.is_settled());
}

TEST_CASE("a COPY sent whole with an early Sync still wants the Sync behind CopyDone") {
    LedgerScript script = after("PBESc");
    CHECK(script.replies("12GC") == "ffff");
    CHECK_FALSE(script.ledger.is_settled());
    CHECK(script.ledger.needs_sync());
    CHECK(script.sent("S").replies("Z") == "f");
    CHECK(script.ledger.is_settled());

    LedgerScript complete = after("PBEScS");
    CHECK(complete.replies("12GCZ") == "fffff");
    CHECK(complete.ledger.is_settled());
}

TEST_CASE("a Sync behind the CopyDone of a COPY to come is not read past") {
    LedgerScript script = after("PBEcSPS");
    CHECK(script.replies("12GCZ") == "fffff");
    CHECK_FALSE(script.ledger.is_settled());
    CHECK(script.replies("1Z") == "ff");
    CHECK(script.ledger.is_settled());
}

TEST_CASE("a COPY of a simple query that fails is settled by its ReadyForQuery") {
    LedgerScript script = after("Q");
    CHECK(script.replies("GEZ") == "fff");
    CHECK(script.ledger.is_settled());
    CHECK_FALSE(script.ledger.is_uncertain());
    script.sent("c");  // sent before the error was seen: owes nothing
    CHECK(script.ledger.is_settled());
    CHECK(script.sent("Q").replies("CZ") == "ff");
    CHECK(script.ledger.is_settled());
}

TEST_CASE("a CopyDone on its way when the COPY fails owes nothing") {
    LedgerScript script = after("QcQ");
    CHECK(script.replies("GEZ") == "fff");
    CHECK_FALSE(script.ledger.is_settled());
    CHECK(script.replies("CZ") == "ff");
    CHECK(script.ledger.is_settled());
}

TEST_CASE("a COPY of the extended protocol that fails skips to the Sync") {
    LedgerScript late = after("PBE");
    CHECK(late.replies("12GE") == "ffff");
    CHECK_FALSE(late.ledger.copy_in());
    CHECK(late.ledger.needs_sync());
    CHECK(late.sent("cS").replies("Z") == "f");
    CHECK(late.ledger.is_settled());
    CHECK_FALSE(late.ledger.is_uncertain());

    LedgerScript early = after("PBE");
    CHECK(early.replies("12G") == "fff");
    CHECK(early.sent("cS").replies("EZ") == "ff");
    CHECK(early.ledger.is_settled());
    CHECK_FALSE(early.ledger.is_uncertain());
}

TEST_CASE("whose ReadyForQuery it is can't be told when a failed COPY may have left a Sync unread") {
    LedgerScript sent_before = after("PBES");
    CHECK(sent_before.replies("12GE") == "ffff");
    CHECK(sent_before.sent("cS").replies("Z") == "f");
    CHECK(sent_before.ledger.is_uncertain());

    LedgerScript sent_during = after("PBE");
    CHECK(sent_during.replies("12G") == "fff");
    CHECK(sent_during.sent("S").replies("E") == "f");
    CHECK(sent_during.sent("S").replies("Z") == "f");
    CHECK(sent_during.ledger.is_uncertain());

    LedgerScript simple = after("QS");
    CHECK(simple.replies("GEZ") == "fff");
    CHECK(simple.ledger.is_uncertain());
}

// COPY into a view, or a BEFORE STATEMENT trigger: PostgreSQL fails after CopyInResponse without having read a byte, so
// the early Sync is answered, and the one behind CopyDone too.
TEST_CASE("a failed COPY is as doubtful when its CopyDone was sent before the error came") {
    LedgerScript script = after("PBES");
    CHECK(script.replies("12G") == "fff");
    CHECK(script.sent("cS").replies("EZ") == "ff");
    CHECK(script.ledger.is_uncertain());

    LedgerScript sent_whole = after("PBEScS");
    CHECK(sent_whole.replies("12GEZ") == "fffff");
    CHECK(sent_whole.ledger.is_uncertain());
}

TEST_CASE("the early Sync of a failed COPY is told apart when no other was sent") {
    LedgerScript script = after("PBES");
    CHECK(script.replies("12GE") == "ffff");
    CHECK_FALSE(script.ledger.is_settled());
    CHECK(script.replies("Z") == "f");
    CHECK(script.ledger.is_settled());
    CHECK_FALSE(script.ledger.is_uncertain());
}

TEST_CASE("a second COPY is not in doubt because of the first") {
    LedgerScript script = after("PBES");
    CHECK(script.replies("12G") == "fff");
    CHECK(script.sent("cS").replies("CZ") == "ff");
    CHECK(script.sent("PBE").replies("12G") == "fff");
    CHECK(script.sent("cS").replies("EZ") == "ff");
    CHECK(script.ledger.is_settled());
    CHECK_FALSE(script.ledger.is_uncertain());
}

TEST_CASE("replies to our own requests are swallowed, those around them forwarded") {
    LedgerScript script;
    script.sent("Q", Disposition::swallow);
    CHECK(script.ledger.head_is_swallowed());
    CHECK_FALSE(script.ledger.owes_client());
    script.sent("Q");
    CHECK(script.ledger.owes_client());
    CHECK(script.replies("CCZ") == "sss");
    CHECK_FALSE(script.ledger.head_is_swallowed());
    CHECK(script.replies("CZ") == "ff");
    CHECK(script.ledger.is_settled());

    LedgerScript extended;
    extended.sent("P", Disposition::swallow).sent("BES");
    CHECK(extended.replies("12CZ") == "sfff");
    CHECK(extended.ledger.is_settled());
}

TEST_CASE("an error in a request of ours is swallowed and drops what waits for the Sync") {
    LedgerScript script;
    script.sent("P", Disposition::swallow).sent("BES");
    CHECK(script.replies("EZ") == "sf");
    CHECK(script.ledger.is_settled());
}

TEST_CASE("a Sync of ours is swallowed even behind the client's messages") {
    LedgerScript script = after("PB");
    script.sent("S", Disposition::swallow);
    CHECK(script.replies("1EZ") == "ffs");
    CHECK(script.ledger.is_settled());
}

TEST_CASE("an answer of ours comes at its place in the stream") {
    LedgerScript first;
    first.answered('P', 1).sent("BES");
    CHECK(first.answers() == "1");
    CHECK(first.replies("2CZ") == "fff");
    CHECK(first.ledger.is_settled());

    LedgerScript between;
    between.sent("PB").answered('P', 2).answered('C', 3).sent("BES");
    CHECK(between.answers().empty());
    CHECK(between.replies("12") == "ff23");
    CHECK(between.replies("2CZ") == "fff");

    LedgerScript last;
    last.sent("B").answered('C', 4).sent("S");
    CHECK(last.replies("2Z") == "f4f");
    CHECK(last.ledger.is_settled());
}

TEST_CASE("an answer of ours alone asks nothing of the server") {
    LedgerScript script;
    script.answered('P', 7);
    CHECK_FALSE(script.ledger.is_settled());
    CHECK(script.ledger.owes_client());
    CHECK_FALSE(script.ledger.needs_sync());
    CHECK(script.answers() == "7");
    CHECK(script.ledger.is_settled());
}

TEST_CASE("an error drops the answers of ours up to the Sync") {
    LedgerScript script;
    script.sent("B").answered('P', 1).sent("S").answered('P', 2).sent("S");
    CHECK(script.replies("E") == "f");
    CHECK(script.replies("Z") == "f2");
    CHECK(script.replies("Z") == "f");
    CHECK(script.ledger.is_settled());
}

TEST_CASE("effects hold when their request has succeeded, and are dropped with it") {
    LedgerScript script;
    script.ledger.push(RequestKind::parse, Disposition::forward, 2);
    script.ledger.push(RequestKind::parse, Disposition::inject, 1);
    script.sent("BES");
    CHECK(script.ledger.head_has_effects());
    CHECK(script.replies("1") == "f");
    CHECK(script.ledger.take_effects().settled == 2);
    CHECK(script.replies("1") == "s");
    const auto injected = script.ledger.take_effects();
    CHECK(injected.settled == 1);
    CHECK(injected.dropped == 0);
    CHECK_FALSE(script.ledger.head_has_effects());
    script.ledger.push(RequestKind::parse, Disposition::forward, 3);
    script.answered('C', 1).sent("S");
    script.ledger.push(RequestKind::parse, Disposition::forward, 1);
    CHECK(script.replies("2CZE") == "ffff");
    const auto failed = script.ledger.take_effects();
    CHECK(failed.settled == 0);
    CHECK(failed.dropped == 4);
    CHECK(script.replies("Z1") == "ff");
    CHECK(script.ledger.take_effects().settled == 1);
}

TEST_CASE("an injected request that fails is the client's failure") {
    LedgerScript script;
    script.ledger.push(RequestKind::parse, Disposition::inject, 1);
    script.sent("BES");
    CHECK(script.replies("EZ") == "ff");
    CHECK(script.ledger.is_settled());
    CHECK(script.ledger.take_effects().dropped == 1);
}

TEST_CASE("a series ends with its Sync or Query") {
    LedgerScript script;
    const auto first = script.ledger.series();
    script.sent("PB");
    CHECK(script.ledger.series() == first);
    script.sent("S");
    CHECK(script.ledger.series() == first + 1);
    script.sent("Q");
    CHECK(script.ledger.series() == first + 2);
}

TEST_CASE("an answer of ours is dropped while the server skips") {
    LedgerScript script = after("B");
    CHECK(script.replies("E") == "f");
    script.answered('P', 1).sent("S");
    CHECK(script.answers().empty());
    CHECK(script.replies("Z") == "f");
    CHECK(script.ledger.is_settled());
}

TEST_CASE("the order holds beyond sixteen requests, wherever the ring begins") {
    for (int done_before = 0; done_before < 20; ++done_before) {
        for (const int batches : {5, 6, 40, 300}) {
            CAPTURE(done_before, batches);
            LedgerScript script;
            for (int i = 0; i < done_before; ++i) REQUIRE(script.sent("Q").replies("Z") == "f");
            for (int i = 0; i < batches; ++i) {
                script.sent("PB").answered('C', static_cast<std::uint16_t>(i % 10));
                script.sent("ES", i % 2 == 0 ? Disposition::forward : Disposition::swallow);
            }
            for (int i = 0; i < batches; ++i) {
                const std::string answer = std::to_string(i % 10);
                REQUIRE_FALSE(script.ledger.is_settled());
                REQUIRE(script.replies("12CZ") == "ff" + answer + (i % 2 == 0 ? "ff" : "ss"));
            }
            CHECK(script.ledger.is_settled());
        }
    }
}

TEST_CASE("a long pipeline loses its replies to an error up to the right Sync") {
    LedgerScript script;
    for (int i = 0; i < 50; ++i) script.sent("PBE");
    script.sent("SPBES");
    CHECK(script.replies("12C1E") == "fffff");
    CHECK(script.replies("Z") == "f");
    CHECK_FALSE(script.ledger.is_settled());
    CHECK(script.replies("12CZ") == "ffff");
    CHECK(script.ledger.is_settled());
}

TEST_CASE("a reply that fits no request is reported") {
    struct Misfit {
        std::string_view requests;
        std::string_view replies;  // the last one does not fit
    };
    for (const auto& [requests, replies] :
         {Misfit{"", "Z"}, {"", "C"},   {"", "1"},         {"", "D"},   {"Q", "1"},   {"Q", "2"},    {"Q", "3"},
          {"Q", "t"},      {"Q", "n"},  {"Q", "s"},        {"Q", "V"},  {"Q", "CZZ"}, {"PS", "2"},   {"PS", "Z"},
          {"PS", "C"},     {"PS", "T"}, {"BS", "1"},       {"BS", "3"}, {"DS", "D"},  {"dS", "t"},   {"dS", "C"},
          {"ES", "T"},     {"ES", "2"}, {"ES", "n"},       {"ES", "Z"}, {"CS", "2"},  {"S", "C"},    {"S", "1"},
          {"F", "C"},      {"F", "D"},  {"PBES", "12CZZ"}, {"Q", "R"},  {"Q", "K"},   {"PB", "12Z"}, {"PB", "EZ"}}) {
        CAPTURE(requests, replies);
        LedgerScript script = after(requests);
        const auto routes = script.replies(replies);
        CHECK(routes.back() == 'x');
        CHECK(routes.find('x') == routes.size() - 1);
    }
}

TEST_CASE("a reply where an answer of ours is due is reported") {
    LedgerScript script;
    script.answered('P', 1).sent("S");
    CHECK(script.ledger.on_reply(backend::Type::parse_complete) == ReplyRoute::mismatch);
    CHECK(script.ledger.on_reply(backend::Type::ready_for_query) == ReplyRoute::mismatch);
}

}  // namespace pgweir::test
