// A PostgreSQL that follows a script: bytes of a client in, bytes of replies out, no data and no clock.
//
// A statement's text says what comes back, so whoever reads a reply knows whose it is:
//   begin, commit, rollback   as named            rows N       N rows of 64 bytes
//   copy in                   COPY FROM STDIN     copy out N   N rows of COPY data
//   fail                      an error            anything else: one row, the text itself
// Speaks simple and extended queries, pipelines, errors that skip to Sync, COPY both ways, and a login without password.
// Not here: sockets (whoever drives it).
#pragma once

#include <string>

#include "protocol/result.hpp"

namespace pgweir::test {

class ScriptedServer {
public:
    enum class Begin { start_up_packet, logged_in };

    explicit ScriptedServer(Begin begin = Begin::logged_in) : in_start_up_(begin == Begin::start_up_packet) {}

    // Bytes of the client; replies are appended to `output`.
    void take(Bytes bytes);
    std::string output;

    bool is_terminated() const { return terminated_; }
    // Every message was whole, every series has had its Sync, no transaction is open.
    bool is_at_rest() const { return input_.empty() && status_ == 'I' && !unsynced_ && !copying_in_; }
    // What came that no client may send; empty: nothing.
    const std::string& trouble() const { return trouble_; }
    int statements() const { return statements_; }

private:
    bool take_start_up();
    bool take_message();
    void on_message(char type, Bytes body);
    void on_copy(char type);
    bool run(Bytes statement);
    void fail(bool in_series);
    void ready();

    std::string input_;
    std::string prepared_;  // the unnamed statement
    std::string trouble_;
    char status_ = 'I';
    bool in_start_up_;
    bool unsynced_ = false;
    bool skipping_ = false;  // up to Sync, after an error
    bool copying_in_ = false;
    bool copy_is_extended_ = false;
    bool terminated_ = false;
    int statements_ = 0;
    int copied_rows_ = 0;
};

// The length field at the beginning of these bytes; it counts itself.
std::size_t message_length(Bytes bytes);

// What a client gets for these bytes from a server of its own.
std::string direct_reply(Bytes request);

}  // namespace pgweir::test
