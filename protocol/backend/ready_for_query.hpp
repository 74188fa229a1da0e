// ReadyForQuery (backend): the server has finished a request and says whether a transaction is open.
// Check-in hangs on it: only `TransactionStatus::idle` with nothing owed frees the server connection.
#pragma once

#include "protocol/message.hpp"
#include "protocol/message_type.hpp"

namespace pgweir::backend {

enum class TransactionStatus : char { idle = 'I', in_transaction = 'T', failed = 'E' };

struct ReadyForQuery {
    static constexpr auto type = Type::ready_for_query;

    TransactionStatus transaction;

    static Result<ReadyForQuery> parse(BodyReader body);
    void serialize(BodyWriter& body) const { body.byte(static_cast<char>(transaction)); }

    bool operator==(const ReadyForQuery&) const = default;
};

}  // namespace pgweir::backend
