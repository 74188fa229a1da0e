// What the tests of the two logins share: a directory, chance that repeats, messages by name, and a script that answers a
// ClientLogin's steps as the proxy would.
#pragma once

#include <cassert>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/backend/error_response.hpp"
#include "protocol/frontend/password_message.hpp"
#include "protocol/frontend/startup_message.hpp"
#include "routing/client_login.hpp"

namespace pgweir::test {

// The same bytes in every run, and never the same twice within one.
class RepeatableRandom : public RandomSource {
public:
    void fill(void* out, std::size_t size) override {
        for (std::size_t i = 0; i < size; ++i) static_cast<unsigned char*>(out)[i] = static_cast<unsigned char>(next_++ * 37);
    }

private:
    unsigned next_ = 1;
};

struct TestDirectory : LoginDirectory {
    std::map<std::string, DatabaseFacts, std::less<>> databases;
    std::map<std::string, UserFacts, std::less<>> users;
    bool shutting_down = false;

    DatabaseFacts find_database(std::string_view name) const override {
        const auto found = databases.find(name);
        return found == databases.end() ? DatabaseFacts{} : found->second;
    }
    UserFacts find_user(std::string_view name, std::string_view) const override {
        const auto found = users.find(name);
        return found == users.end() ? UserFacts{} : found->second;
    }
    bool is_shutting_down() const override { return shutting_down; }
};

inline std::string start_up(const ParameterList& parameters, ProtocolVersion version = protocol_3_0) {
    frontend::ParameterListBuilder list;
    for (const auto& [name, value] : parameters) list.add({name, value});
    std::string out;
    append_packet(out, frontend::StartupMessage{version, list.view()});
    return out;
}

inline std::string password_message(Bytes password) { return to_message(frontend::PasswordMessage{password}); }

struct Message {
    char type;
    std::string body;
};

// The whole messages in a stream; `bytes` holds nothing else.
inline std::vector<Message> messages_in(Bytes bytes) {
    std::vector<Message> messages;
    while (!bytes.empty()) {
        const auto length = static_cast<std::size_t>(BodyReader(bytes.substr(1)).int32());
        assert(bytes.size() >= length + 1);
        messages.push_back({bytes[0], std::string(bytes.substr(5, length - 4))});
        bytes.remove_prefix(length + 1);
    }
    return messages;
}

// The types of the messages in a stream: "RRK".
inline std::string types_in(Bytes bytes) {
    std::string types;
    for (const auto& message : messages_in(bytes)) types += message.type;
    return types;
}

// "SQLSTATE message" of the ErrorResponse that ends a stream; empty if none does.
inline std::string error_in(Bytes bytes) {
    const auto messages = messages_in(bytes);
    if (messages.empty() || messages.back().type != 'E') return {};
    const auto error = backend::ErrorResponse::parse(BodyReader(messages.back().body));
    return std::string(error->fields.field('C')) + ' ' + std::string(error->fields.field('M'));
}

// Alice has a password, of the kind that a test chooses; the database "app" exists.
struct ClientScript {
    using Step = ClientLogin::Step;

    std::shared_ptr<LoginRules> rules = std::make_shared<LoginRules>();
    TestDirectory directory;
    RepeatableRandom random;
    ClientPeer peer{.is_unix_socket = false, .is_own_user = false, .address = "10.0.0.7:40112"};
    std::map<std::string, std::string> auth_query;      // user and stored password
    Fault admission_answer = Fault::none;

    std::optional<ClientLogin> login;
    std::string output;                                 // all that was sent
    std::vector<Admission> admissions;
    std::vector<ScramDerivation> derivations;
    bool attempt_logged = false;

    explicit ClientScript(AuthType auth_type = AuthType::trust, const std::string& stored = "secret") {
        rules->auth_type = auth_type;
        rules->scram_iterations = 2;
        rules->scram_salt_key = "process key";
        directory.databases["app"] = {.exists = true, .is_disabled = false, .forced_user = ""};
        directory.users["alice"] = {UserKnown::yes, StoredSecret(stored)};
    }

    // Sends bytes and answers every step up to the next read or the end.
    Step send(Bytes bytes) {
        if (!login) login.emplace(rules, directory, random, peer);
        login->on_bytes(bytes);
        for (;;) {
            output += std::exchange(login->output(), {});
            attempt_logged |= login->take_login_attempt();
            if (!answer()) return login->next();
        }
    }

    // The same bytes in the named pieces.
    Step send_cut(Bytes bytes, std::size_t at) {
        const auto step = send(bytes.substr(0, at));
        return step == Step::read ? send(bytes.substr(at)) : step;
    }

    std::string error() const { return error_in(output); }

    // The last message sent, without the messages before it.
    std::string last_body() const { return messages_in(output).back().body; }

private:
    bool answer() {
        switch (login->next()) {
            case Step::admit:
                admissions.push_back(login->admission());
                login->on_admitted(admission_answer);
                return true;
            case Step::look_up_user:
                if (const auto found = auth_query.find(login->user()); found != auth_query.end())
                    login->on_user_found(StoredSecret(found->second));
                else
                    login->on_user_fault(Fault::no_such_user);
                return true;
            case Step::derive:
                derivations.push_back(login->derive_job());
                login->on_derived(derive_scram_keys(login->derive_job()));
                return true;
            default: return false;
        }
    }
};

}  // namespace pgweir::test
