// What clients with prepared statements say, and what pgweir makes of it, in short.
#pragma once

#include "protocol/backend/close_complete.hpp"
#include "protocol/backend/no_data.hpp"
#include "protocol/backend/parameter_description.hpp"
#include "protocol/frontend/close.hpp"
#include "protocol/frontend/describe.hpp"
#include "routing/client_session.hpp"
#include "tests/support/session_script.hpp"
#include "tests/support/short_messages.hpp"

namespace pgweir::test {

inline SessionPolicy tracking(int max = 200) {
    SessionPolicy policy = transaction_pooling();
    policy.statements_max = max;
    return policy;
}

inline std::string parse_of(Bytes name, Bytes sql) { return to_message(frontend::Parse{name, sql, {}}); }
inline std::string bind_of(Bytes name) { return to_message(frontend::Bind{.portal = {}, .statement = name, .parameter_formats = {}, .values = {}, .result_formats = {}}); }
inline std::string describe_of(Bytes name) { return to_message(frontend::Describe{frontend::Target::statement, name}); }
inline std::string close_of(Bytes name) { return to_message(frontend::Close{frontend::Target::statement, name}); }
inline const std::string close_complete = to_message(backend::CloseComplete{});
inline const std::string described = to_message(backend::ParameterDescription{}) + to_message(backend::NoData{});
inline const std::string run_replies = bind_complete + complete("SELECT 0");

// On servers a statement goes by this name.
inline std::string name_of(SessionScript& script, Bytes sql) {
    return script.statements().intern(std::string(sql) + std::string("\0\0\0", 3))->name;
}
inline std::string parse_on(SessionScript& script, Bytes sql) { return parse_of(name_of(script, sql), sql); }
inline std::string bind_on(SessionScript& script, Bytes sql) { return bind_of(name_of(script, sql)); }

inline std::string told(Fault fault, Bytes argument = {}) {
    std::string out;
    append_fault(out, fault, argument, false, "ERROR");
    return out;
}

// The client has prepared `sql` under `name`, and the server has it.
inline void prepare(SessionScript& script, Bytes name, Bytes sql) {
    script.client_sends(parse_of(name, sql), sync).expect_check_out().expect_forwarded(parse_on(script, sql), sync);
    script.server_sends(parse_complete, ready).expect_check_in().expect_client_gets(parse_complete, ready);
}

}  // namespace pgweir::test
