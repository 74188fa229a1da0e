// A connection over a socket pair as it is.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/proxy/test_line.hpp"

namespace pgweir::test {

class PlainLine : public TestLine {
public:
    PlainLine() { ended_ = ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends_) != 0; }
    ~PlainLine() override { ::close(ends_[1]); }
    PlainLine(const PlainLine&) = delete;
    PlainLine& operator=(const PlainLine&) = delete;

    Transport take_transport() override { return Transport(ends_[0]); }
    void send(Bytes bytes) override { ::send(ends_[1], bytes.data(), bytes.size(), MSG_NOSIGNAL); }
    void receive(std::string& into) override {
        char buffer[65536];
        for (;;) {
            const auto count = ::recv(ends_[1], buffer, sizeof buffer, 0);
            if (count == 0) ended_ = true;
            if (count <= 0) return;
            into.append(buffer, static_cast<std::size_t>(count));
        }
    }
    bool is_closed() override { return ended_; }
    bool is_dead() const override { return dead_; }
    // The test's end says nothing more, as a client that is gone.
    void end() {
        dead_ = true;
        ::shutdown(ends_[1], SHUT_WR);
    }
    bool settle() override { return false; }
    std::string trouble() const override { return {}; }

private:
    int ends_[2] = {-1, -1};
    bool ended_ = false;
    bool dead_ = false;
};

}  // namespace pgweir::test
