#include "routing/server_session.hpp"

#include "protocol/backend/error_response.hpp"
#include "protocol/backend/parameter_status.hpp"

namespace pgweir {

void ServerSession::begin_own_query() {
    request_failed = false;
    own_error.clear();
    ledger.push(RequestKind::query, Disposition::swallow);
}

bool ServerSession::note_parameter(const Frame& frame) {
    if (!frame.begins || !frame.ends) return false;
    const auto status = backend::ParameterStatus::parse(BodyReader{frame.body()});
    if (!status) return false;
    const int place = tracked->find(status->name);
    if (place < 0) return false;
    if (parameters && parameters->has(place) && parameters->values[static_cast<std::size_t>(place)] == status->value) return true;
    parameters = with_parameter(parameters, place, status->value, true);
    if (catalog != nullptr) parameters = catalog->intern(std::move(parameters));
    return true;
}

void ServerSession::note_error(const Frame& frame) {
    request_failed = true;
    if (!frame.ends) return;
    const auto error = backend::ErrorResponse::parse(BodyReader{frame.body()});
    if (!error) return;
    const auto severity = error->fields.field(backend::error_field::severity_nonlocalized);
    if (severity == "FATAL" || severity == "PANIC") fatal_seen = true;
}

void ServerSession::note_own_error(const Frame& frame) {
    note_error(frame);
    if (!frame.ends) return;
    const auto error = backend::ErrorResponse::parse(BodyReader{frame.body()});
    if (!error) return;
    own_error = error->fields.field(backend::error_field::severity);
    own_error += ": ";
    own_error += error->fields.field(backend::error_field::message);
}

bool ServerSession::note_completion(const Frame& frame) {
    if (!frame.ends) return false;
    const Bytes tag = frame.body();
    if (tag != Bytes("DEALLOCATE ALL\0", 15) && tag != Bytes("DISCARD ALL\0", 12)) return false;
    statements.clear();
    return true;
}

UnlinkedEvent ServerSession::on_unlinked_bytes(Bytes& input) {
    using enum backend::Type;
    Frame frame;
    for (;;) {
        const auto status = scanner.next(input, server_frames::usual, frame);
        if (status == ScanStatus::more) return UnlinkedEvent::nothing;
        if (status == ScanStatus::error) return UnlinkedEvent::dirty;
        if (!frame.begins) continue;
        const auto type = backend::Type{frame.type};
        if (type == parameter_status || type == notice_response || type == notification_response) {
            route = ReplyRoute::swallow;    // the rest too, even if a client gets the server meanwhile
            if (type == parameter_status) note_parameter(frame);
            continue;
        }
        if (type == error_response) note_own_error(frame);
        if (type == command_complete) note_completion(frame);
        if (ledger.empty()) return fatal_seen ? UnlinkedEvent::fatal : UnlinkedEvent::dirty;
        if (ledger.on_reply(type) == ReplyRoute::mismatch) return UnlinkedEvent::dirty;
        if (type != ready_for_query) continue;
        const auto ready = frame.ends ? backend::ReadyForQuery::parse(BodyReader{frame.body()}) : ProtocolError::short_body;
        if (!ready) return UnlinkedEvent::dirty;
        transaction = ready->transaction;
        if (!ledger.is_settled()) continue;
        return request_failed || transaction != TransactionStatus::idle ? UnlinkedEvent::failed : UnlinkedEvent::done;
    }
}

}  // namespace pgweir
