#include "routing/server_state.hpp"

namespace pgweir {

std::string_view to_string(CloseReason reason) {
    switch (reason) {
        case CloseReason::none: return "closed";
        case CloseReason::lifetime_over: return "server lifetime over";
        case CloseReason::idle_timeout: return "server idle timeout";
        case CloseReason::too_many_servers: return "too many servers in the pool";
        case CloseReason::evicted: return "evicted";
        case CloseReason::pause_mode: return "pause mode";
        case CloseReason::marked: return "close_needed";
        case CloseReason::target_changed: return "database configuration changed";
        case CloseReason::database_removed: return "database removed";
        case CloseReason::connect_failed: return "connect failed";
        case CloseReason::connect_timeout: return "connect timeout";
        case CloseReason::login_failed: return "login failed";
        case CloseReason::crashed: return "server conn crashed?";
        case CloseReason::dirty: return "idle server got dirty";
        case CloseReason::check_failed: return "test query failed";
        case CloseReason::reset_failed: return "reset query failed";
        case CloseReason::fault: return "session fault";
        case CloseReason::client_left: return "client disconnect while server was not ready";
        case CloseReason::replication_client_closed: return "replication client was closed";
        case CloseReason::cancel_given_up: return "a cancel request for it could not be finished";
        case CloseReason::uncertain: return "replies after a failed COPY could not be told apart";
        case CloseReason::pairing: return "internal error: pairing lost";
        case CloseReason::shutdown: return "server shutting down";
    }
    return "closed";
}

}  // namespace pgweir
