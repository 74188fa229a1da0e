// A connection whose every answer a test decides: the relay has one end through a TransportLayer, the test the other.
//
// Stands on a socket pair, so that epoll has something to watch, but the bytes go beside it: the socket carries one
// byte for each arrival (the edge) and is filled while a test says that it takes nothing. As with TLS, bytes that have
// been received and not read are in the layer, and no readiness tells of them.
// Checks what the relay promises to a layer: bytes that were not taken are offered again, unchanged.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/unit/proxy/test_line.hpp"

namespace pgweir::test {

// What a call may answer instead of what it would.
enum class Answer {
    again,        // read or write
    wants_other,  // read: wants to write first; write: wants to read first
    one_byte,     // read or written; the rest of what was received stays in the layer
    half,
    end,  // read: the peer is gone
    failed,
};

struct IoStep {
    bool is_read = false;
    bool moves_bytes = false;  // it would have moved some
    bool is_client = false;
};

// The answers of one run: which step gets another one. Counts the steps of all lines.
class AnswerPlan {
public:
    virtual ~AnswerPlan() = default;
    virtual std::optional<Answer> answer(int step, const IoStep& what) = 0;

    std::optional<Answer> next(const IoStep& what) {
        steps.push_back(what);
        return answer(static_cast<int>(steps.size()) - 1, what);
    }
    std::vector<IoStep> steps;
};

class FakeLine : public TestLine {
public:
    FakeLine(AnswerPlan& plan, bool is_client);
    ~FakeLine() override;
    FakeLine(const FakeLine&) = delete;
    FakeLine& operator=(const FakeLine&) = delete;

    Transport take_transport() override;
    void send(Bytes bytes) override;
    void receive(std::string& into) override;
    bool is_closed() override { return layer_is_gone_; }
    bool is_dead() const override { return dead_; }
    bool settle() override;
    std::string trouble() const override { return trouble_; }

    std::size_t read_max = 1 << 20;  // bytes that one read gives: a TLS record's, say
    std::size_t room = 16 * 1024;    // bytes that the socket takes before the test receives them

private:
    friend class FakeLayer;

    IoResult on_read(char* into, std::size_t size);
    IoResult on_write(Bytes bytes);
    IoResult give(char* into, std::size_t size);
    IoResult take(Bytes bytes, std::size_t most);
    IoResult die(IoStatus status);
    void pull();
    void block();
    void unblock();

    AnswerPlan& plan_;
    bool is_client_;
    int relay_end_ = -1;
    int test_end_ = -1;
    std::string arrived_;   // in the socket
    std::string received_;  // in the layer
    std::string written_;
    std::string not_taken_;  // must be offered again
    bool layer_is_gone_ = false;
    bool dead_ = false;
    bool blocked_ = false;    // the socket takes nothing
    bool edge_owed_ = false;  // bytes are on their way: half a record is here
    bool read_wants_write_ = false;
    bool write_wants_read_ = false;
    std::string trouble_;
};

}  // namespace pgweir::test
