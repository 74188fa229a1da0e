#include "proxy/own_server.hpp"

namespace pgweir {
namespace {

// CONTRACT of PgBouncer, "Replication connections": the tracked values, and `options` as the client sent it.
ParameterList parameters_of(const StartUpParameters& client) {
    ParameterList parameters{{"replication", client.replication == ReplicationKind::logical ? "database" : "true"}};
    if (!client.options.empty()) parameters.emplace_back("options", client.options);
    parameters.insert(parameters.end(), client.tracked.begin(), client.tracked.end());
    return parameters;
}

}  // namespace

OwnServerRequest::OwnServerRequest(Worker& worker, SessionId session, const StartUpParameters& client)
    : kind(client.replication), parameters(parameters_of(client)), worker_(worker), session_(session) {
    worker_.own_requests[session_] = this;
}

OwnServerRequest::~OwnServerRequest() {
    worker_.own_requests.erase(session_);
    worker_.abandon_own(session_);
}

}  // namespace pgweir
