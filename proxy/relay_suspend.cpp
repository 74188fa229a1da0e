// SUSPEND: sockets are not read once nothing is kept for them.
#include "proxy/log.hpp"
#include "proxy/names.hpp"
#include "proxy/relay.hpp"

namespace pgweir {

void Relay::suspend() { suspended_ = true; }

// Everything that came meanwhile lies in the sockets, and its events have passed.
void Relay::resume() {
    if (!suspended_) return;
    suspended_ = false;
    each_client([&](ClientConnection& client) {
        if (client.edge_missed || client.resumes) make_ready(client);
    });
    each_server([&](ServerConnection& server) {
        if (server.edge_missed) make_ready(server);
    });
}

bool Relay::is_flushed(const ClientConnection& client) const {
    if (!client.input.empty() || !client.output.empty()) return false;
    return client.server == nullptr || (client.server->input.empty() && client.server->output.empty());
}

int Relay::unflushed_clients() {
    int unflushed = 0;
    each_client([&](const ClientConnection& client) { unflushed += is_flushed(client) ? 0 : 1; });
    return unflushed;
}

void Relay::end_unflushed_clients(Fault fault) {
    for (std::uint32_t i = 0; i < clients_.index_end(); ++i) {
        if (!clients_.holds(i) || is_flushed(clients_.at(i))) continue;
        log(LogLevel::warning, "{} {}", name_of(clients_.at(i)), fault_message(fault));    // half a result may keep the client from hearing it
        end_client(clients_.at(i), fault);
        // It had its time to read: nothing waits for its last words.
        if (clients_.holds(i) && clients_.at(i).closing) bury(clients_.at(i));
    }
    bury_dead();
}

}  // namespace pgweir
