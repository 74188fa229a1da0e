// The type bytes of protocol 3, by who sends them (PostgreSQL manual, "Message Formats").
#pragma once

#include <cstdint>
#include <initializer_list>

namespace pgweir {

namespace frontend {
enum class Type : char {
    bind = 'B',
    close = 'C',
    copy_data = 'd',
    copy_done = 'c',
    copy_fail = 'f',
    describe = 'D',
    execute = 'E',
    flush = 'H',
    function_call = 'F',
    parse = 'P',
    password = 'p',   // PasswordMessage, SASLInitialResponse, SASLResponse, GSSResponse: told apart by what was asked
    query = 'Q',
    sync = 'S',
    terminate = 'X',
};
}  // namespace frontend

namespace backend {
enum class Type : char {
    authentication = 'R',
    backend_key_data = 'K',
    bind_complete = '2',
    close_complete = '3',
    command_complete = 'C',
    copy_data = 'd',
    copy_done = 'c',
    copy_in_response = 'G',
    copy_out_response = 'H',
    copy_both_response = 'W',
    data_row = 'D',
    empty_query_response = 'I',
    error_response = 'E',
    function_call_response = 'V',
    negotiate_protocol_version = 'v',
    no_data = 'n',
    notice_response = 'N',
    notification_response = 'A',
    parameter_description = 't',
    parameter_status = 'S',
    parse_complete = '1',
    portal_suspended = 's',
    ready_for_query = 'Z',
    row_description = 'T',
};
}  // namespace backend

// A set of type bytes; membership is one load.
class TypeSet {
public:
    constexpr TypeSet() = default;

    template <class Type>
    constexpr TypeSet(std::initializer_list<Type> types) {
        for (const Type type : types) add(static_cast<char>(type));
    }

    constexpr void add(char type) { has_[static_cast<unsigned char>(type)] = true; }
    constexpr bool contains(char type) const { return has_[static_cast<unsigned char>(type)]; }

private:
    bool has_[256] = {};
};

}  // namespace pgweir
