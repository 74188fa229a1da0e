// A connection between the relay and a test, as the test sees it.
#pragma once

#include <string>

#include "protocol/result.hpp"
#include "proxy/transport.hpp"

namespace pgweir::test {

class TestLine {
public:
    virtual ~TestLine() = default;

    // The relay's end; once.
    virtual Transport take_transport() = 0;

    // The test's end.
    virtual void send(Bytes bytes) = 0;
    virtual void receive(std::string& into) = 0;  // appends what the relay has written
    virtual bool is_closed() = 0;                 // by the relay
    virtual bool is_dead() const = 0;             // the test has ended it
    // What the test has put off happens. False: nothing was.
    virtual bool settle() = 0;
    // How the relay broke its promises; empty: not at all.
    virtual std::string trouble() const = 0;
};

}  // namespace pgweir::test
