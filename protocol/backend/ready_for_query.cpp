#include "protocol/backend/ready_for_query.hpp"

namespace pgweir::backend {

Result<ReadyForQuery> ReadyForQuery::parse(BodyReader body) {
    const auto status = static_cast<TransactionStatus>(body.byte());
    const auto error = body.finish();
    if (error != ProtocolError::none) return error;
    switch (status) {
        case TransactionStatus::idle:
        case TransactionStatus::in_transaction:
        case TransactionStatus::failed: return ReadyForQuery{status};
    }
    return ProtocolError::unknown_transaction_status;
}

}  // namespace pgweir::backend
