// What a replication client's login asks of the server connection that is opened for it alone; on one worker's thread.
//
// The login's coroutine makes it and waits; the coroutine that opens the server looks it up by the session, logs in as it
// says, and calls `on_ready`. If the login gives up first, the attempt ends with it.
// Not here: whether and when the server is opened (Book).
#pragma once

#include <functional>

#include "proxy/worker.hpp"
#include "routing/start_up_parameters.hpp"

namespace pgweir {

class OwnServerRequest {
public:
    OwnServerRequest(Worker& worker, SessionId session, const StartUpParameters& client);
    OwnServerRequest(const OwnServerRequest&) = delete;
    OwnServerRequest& operator=(const OwnServerRequest&) = delete;
    ~OwnServerRequest();

    const ReplicationKind kind;
    const ParameterList parameters;    // of the start-up message: the client's own
    // The server has logged in: what it reports, and what it has sent since. Called once, from the other coroutine.
    std::function<void(ServerConnection& server, const ParameterList& reported, Bytes leftover)> on_ready;

private:
    Worker& worker_;
    SessionId session_;
};

}  // namespace pgweir
