// One console session: messages in, bytes to send and things to do out.
//
// Answers what it can by itself. For the rest it asks: `needs` for values to show, `order` for something to be carried
// out; proxy/ then calls `answer`, or `done` or `failed`. Until it has, no further message may be handed in.
// Promises: each Query and Sync gets one ReadyForQuery; a stats user only looks; columns are known without rows.
// Beyond PgBouncer it also answers the extended protocol, without parameters, so that any driver works.
// Not here: sockets, logins, the welcome; gathering values and carrying out orders (proxy/).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/console_command.hpp"
#include "admin/inventory.hpp"
#include "admin/order.hpp"
#include "admin/result_writer.hpp"
#include "protocol/frontend/bind.hpp"
#include "protocol/frontend/close.hpp"
#include "protocol/frontend/describe.hpp"
#include "protocol/frontend/execute.hpp"
#include "protocol/frontend/parse.hpp"
#include "protocol/message_type.hpp"
#include "routing/client_fault.hpp"
#include "routing/client_login.hpp"

namespace pgweir {

// A descriptor that goes with the byte at `offset`.
struct PassedDescriptor {
    std::size_t offset = 0;
    std::shared_ptr<const int> handle;
};

// What to do now, in this order.
struct ConsoleStep {
    std::string bytes = {};                // send these
    std::vector<PassedDescriptor> descriptors = {};   // … with these, in order
    std::string log = {};                  // a LOG line about this connection; empty: none
    std::string error = {};                // an error has been sent: log it as ERROR and as `pooler error: …`
    Needs needs = Needs::none;             // gather these, then call `answer`
    std::optional<Order> order = {};       // carry it out
    Fault fault = Fault::none;             // send this and close; `none` with `closes`: just close
    bool closes = false;                   // the client said goodbye
};

class Console {
public:
    // `is_owner`: the OS user that runs the process, over the Unix socket: SHOW FDS hands the sockets themselves over.
    explicit Console(ConsoleRole role, bool is_owner = false) : role_(role), is_owner_(is_owner) {}

    // A Query message's text.
    ConsoleStep on_query(std::string_view text);
    // Any message; Query and Terminate too.
    ConsoleStep on_message(frontend::Type type, Bytes body);

    // The values asked for are here.
    ConsoleStep answer(const Inventory& inventory);
    // The order has been carried out, or cannot be; a notice goes to the client before the answer. Without effect when
    // nobody waits for it any more.
    ConsoleStep done(std::string_view notice = {});
    ConsoleStep failed(OrderError error);
    ConsoleStep failed(std::string_view message, std::string_view sqlstate);

    // A cancel request for this session. Ends the wait for PAUSE or SUSPEND, which are resumed, and for WAIT_CLOSE.
    ConsoleStep on_cancel();
    // The client is gone. A SUSPEND of its own must not outlive it: an order to resume, to be carried out if the process
    // is still suspended.
    ConsoleStep on_gone();

    // An answer of the proxy is due.
    bool is_waiting() const { return pending_.has_value(); }

private:
    // A command under way, and where its result goes.
    struct Pending {
        Command command;
        Order order = {};
        std::optional<std::string> portal = {};   // none: it came as a Query
        std::int32_t max_rows = 0;
    };
    struct Portal {
        Command command;
        std::vector<std::int16_t> formats = {};
        bool has_run = false;
        std::vector<Row> rows = {};
        std::size_t next_row = 0;
    };

    ConsoleStep run(Pending pending);
    ConsoleStep show(ShowKind kind, Pending pending);
    ConsoleStep give_order(Pending pending);
    ConsoleStep complete(const Pending& pending, std::string_view tag, std::string bytes);
    ConsoleStep refuse(bool is_query, std::string_view message, std::string_view sqlstate);
    ConsoleStep refuse(bool is_query, OrderError error, const Order& order);

    ConsoleStep on_parse(const frontend::Parse& parse);
    ConsoleStep on_bind(const frontend::Bind& bind);
    ConsoleStep on_describe(const frontend::Describe& describe);
    ConsoleStep on_execute(const frontend::Execute& execute);
    ConsoleStep on_close(const frontend::Close& close);
    ConsoleStep on_sync();
    ConsoleStep send_rows(Portal& portal, std::int32_t max_rows);
    template <class Message>
    ConsoleStep read(Bytes body, ConsoleStep (Console::*handler)(const Message&));

    ConsoleRole role_;
    bool is_owner_;
    bool skips_to_sync_ = false;    // after an error in the extended protocol
    bool has_suspended_ = false;
    std::optional<Pending> pending_;
    std::map<std::string, Command, std::less<>> statements_;
    std::map<std::string, Portal, std::less<>> portals_;
};

}  // namespace pgweir
