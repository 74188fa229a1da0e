#include "routing/server_session.hpp"

#include "protocol/backend/command_complete.hpp"
#include "protocol/body_writer.hpp"
#include "tests/support/catch.hpp"

namespace pgweir::test {
namespace {

// What becomes of these bytes while a check of ours is under way and no client has the server.
UnlinkedEvent answer_to_check(const std::string& bytes) {
    const TrackedParameters tracked;
    ServerSession server(tracked);
    server.begin_own_query();
    Bytes input = bytes;
    return server.on_unlinked_bytes(input);
}

const std::string complete = to_message(backend::CommandComplete{"SELECT 1"});

}  // namespace

TEST_CASE("a check is done with its ReadyForQuery") {
    CHECK(answer_to_check(complete) == UnlinkedEvent::nothing);
    CHECK(answer_to_check(complete + to_message(backend::ReadyForQuery{TransactionStatus::idle})) == UnlinkedEvent::done);
    CHECK(answer_to_check(complete + to_message(backend::ReadyForQuery{TransactionStatus::failed})) == UnlinkedEvent::failed);
}

TEST_CASE("a server whose ReadyForQuery says nothing, too much or nonsense is dirty") {
    for (const std::string& body : {std::string(), std::string("X"), std::string("II"), std::string(5000, 'I')}) {
        CAPTURE(body.size());
        std::string ready(1, static_cast<char>(backend::Type::ready_for_query));
        ready.append(4, '\0').append(body);
        patch_length(ready, 1);
        CHECK(answer_to_check(complete + ready) == UnlinkedEvent::dirty);
    }
}

}  // namespace pgweir::test
