// A server's connection over TCP on the loopback, whose bytes go on in small pieces and only as far as a test allows.
#pragma once

#include "tests/unit/proxy/test_line.hpp"

namespace pgweir::test {

class TcpLine : public TestLine {
public:
    TcpLine();
    ~TcpLine() override;
    TcpLine(const TcpLine&) = delete;
    TcpLine& operator=(const TcpLine&) = delete;

    Transport take_transport() override { return Transport(relay_end_); }
    void send(Bytes bytes) override { output_.append(bytes); }
    void receive(std::string& into) override;
    bool is_closed() override { return closed_; }
    bool is_dead() const override { return dead_; }
    // Another piece goes on its way, as PostgreSQL sends a long answer.
    bool settle() override;
    std::string trouble() const override { return {}; }

    void end();    // the server dies

    std::size_t piece = 8192;
    std::size_t allowed = ~std::size_t{0};    // bytes that may have gone in all
    std::size_t sent() const { return sent_; }
    // How many bytes must be there before the relay is woken (SO_RCVLOWAT); 0: the relay has closed the socket.
    int mark() const;

private:
    int relay_end_ = -1;
    int test_end_ = -1;
    std::string output_;    // all that was ever to be sent
    std::size_t sent_ = 0;
    bool closed_ = false;
    bool dead_ = false;
};

}  // namespace pgweir::test
