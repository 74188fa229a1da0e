#include "tests/support/scripted_server.hpp"

#include <cstdlib>

#include "protocol/backend/authentication.hpp"
#include "protocol/backend/backend_key_data.hpp"
#include "protocol/backend/copy_done.hpp"
#include "protocol/backend/copy_out_response.hpp"
#include "tests/support/short_messages.hpp"

namespace pgweir::test {

std::size_t message_length(Bytes bytes) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length = length << 8 | static_cast<unsigned char>(bytes[i]);
    return length;
}

namespace {

Bytes text_of(Bytes body) { return body.substr(0, body.find('\0')); }

// The number behind "rows " and its like; 0: it is another statement.
int count_in(Bytes statement, Bytes word) {
    return statement.starts_with(word) ? std::atoi(std::string(statement.substr(word.size())).c_str()) : 0;
}

std::string numbered_row(int number) {
    std::string row = std::to_string(number) + ':';
    row.resize(53, 'x');  // with header, count and length: 64 bytes
    return row;
}

}  // namespace

void ScriptedServer::take(Bytes bytes) {
    input_.append(bytes);
    while (!terminated_ && (in_start_up_ ? take_start_up() : take_message())) {
    }
}

bool ScriptedServer::take_start_up() {
    if (input_.size() < 4 || input_.size() < message_length(input_)) return false;
    input_.erase(0, message_length(input_));
    in_start_up_ = false;
    output += std::string("R\0\0\0\x08\0\0\0\0", 9);
    output += parameter("server_version", "15.0") + parameter("client_encoding", "UTF8");
    output += to_message(backend::BackendKeyData{1, std::string(4, 'k')});
    ready();
    return true;
}

bool ScriptedServer::take_message() {
    if (input_.size() < 5) return false;
    const std::size_t size = 1 + message_length(Bytes(input_).substr(1));
    if (input_.size() < size) return false;
    const std::string message = input_.substr(0, size);
    input_.erase(0, size);
    on_message(message[0], Bytes(message).substr(5));
    return true;
}

void ScriptedServer::on_message(char type, Bytes body) {
    if (type == 'X') {
        terminated_ = true;
        return;
    }
    if (copying_in_) return on_copy(type);
    if (type == 'd' || type == 'c' || type == 'f') return;  // left over from a COPY that failed
    if (skipping_ && type != 'S') return;
    if (type != 'Q') unsynced_ = true;
    switch (type) {
        case 'Q':
            if (!run(text_of(body))) break;
            ready();
            break;
        case 'P':
            prepared_ = text_of(body.substr(body.find('\0') + 1));
            output += parse_complete;
            break;
        case 'B': output += bind_complete; break;
        case 'D': output += std::string("n\0\0\0\x04", 5); break;
        case 'E': run(prepared_); break;
        case 'C': output += std::string("3\0\0\0\x04", 5); break;
        case 'H': break;
        case 'S':
            unsynced_ = skipping_ = false;
            ready();
            break;
        default: trouble_ = std::string("a message of type ") + type;
    }
}

void ScriptedServer::on_copy(char type) {
    if (type == 'd') {
        ++copied_rows_;
        return;
    }
    if (type == 'S' || type == 'H') return;  // the manual: they are read past
    copying_in_ = false;
    if (type == 'c')
        output += complete("COPY " + std::to_string(copied_rows_));
    else
        fail(copy_is_extended_);
    if (!copy_is_extended_) ready();
}

// False: the statement goes on (COPY IN), or its error ends a series.
bool ScriptedServer::run(Bytes statement) {
    ++statements_;
    if (statement == "begin" || statement == "BEGIN") {
        status_ = 'T';
        output += complete("BEGIN");
    } else if (statement == "commit" || statement == "rollback" || statement == "ROLLBACK") {
        status_ = 'I';
        output += complete(statement == "commit" ? "COMMIT" : "ROLLBACK");
    } else if (statement == "fail") {
        fail(unsynced_);
    } else if (statement == "copy in") {
        copying_in_ = true;
        copy_is_extended_ = unsynced_;
        copied_rows_ = 0;
        output += copy_in_response;
        return false;
    } else if (const int rows = count_in(statement, "copy out ")) {
        output += to_message(backend::CopyOutResponse{});
        for (int i = 0; i < rows; ++i) output += to_message(backend::CopyData{numbered_row(i)});
        output += to_message(backend::CopyDone{}) + complete("COPY " + std::to_string(rows));
    } else if (const int rows_wanted = count_in(statement, "rows ")) {
        for (int i = 0; i < rows_wanted; ++i) output += data_row(numbered_row(i));
        output += complete("SELECT " + std::to_string(rows_wanted));
    } else {
        output += data_row(statement) + complete("SELECT 1");
    }
    return true;
}

void ScriptedServer::fail(bool in_series) {
    output += error();
    if (status_ == 'T') status_ = 'E';
    skipping_ = in_series;
}

void ScriptedServer::ready() { output += to_message(backend::ReadyForQuery{backend::TransactionStatus{status_}}); }

std::string direct_reply(Bytes request) {
    ScriptedServer server;
    server.take(request);
    return server.output;
}

}  // namespace pgweir::test
