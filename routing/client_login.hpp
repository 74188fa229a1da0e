// The login of one client, from its first byte to the moment it may be welcomed: bytes in, bytes and steps out.
//
// The caller loops: send output() (and clear it), carry out next(), answer it, until the step is final (authenticated,
// refused, cancel, close). It keeps the order of checks that clients of PgBouncer see. An unknown user goes through the
// whole exchange and fails like a wrong password; an unknown database is told only to clients that have logged in.
// Promises: bounded memory, whatever the client sends; the outcome does not depend on how the bytes were cut (but for
// what follows an SSLRequest, where a cut is the difference between an answer and an attack).
// After on_end() or refuse() no further answer is given.
// Not here: the welcome at the end (welcome.hpp), sockets and handshakes, the counting of clients (the book), waiting for a
// server's parameters, time limits.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/protocol_version.hpp"
#include "protocol/result.hpp"
#include "protocol/scram/scram_server.hpp"
#include "routing/auth_type.hpp"
#include "routing/client_fault.hpp"
#include "routing/credentials.hpp"
#include "routing/random_source.hpp"
#include "routing/start_up_parameters.hpp"

namespace pgweir {

enum class TlsOffer : std::uint8_t { none, offered, required };   // never on Unix sockets

// What the settings come to for logins. Immutable: a reload makes a new one, logins under way keep theirs.
struct LoginRules {
    AuthType auth_type = AuthType::md5;       // hba, ldap and pam are not known here yet
    StartUpRules start_up;
    std::vector<std::string> admin_users;
    std::vector<std::string> stats_users;
    int scram_iterations = scram_default_iterations;
    std::string scram_salt_key;               // random, drawn once a process: keeps made-up salts stable
    bool application_name_add_host = false;
    bool compat_error_codes = false;
    TlsOffer tls = TlsOffer::none;
};

// What the handshake told of a client that speaks TLS.
struct TlsFacts {
    std::string end_point{};                  // channel binding data: our certificate's hash; empty: -PLUS is not offered
    bool has_certificate = false;             // the client's, checked against our CA
    std::vector<std::string> names{};         // its common name and alternative names
};

struct ClientPeer {
    bool is_unix_socket = false;
    bool is_own_user = false;                 // Unix socket: the peer runs as the same OS user as we do
    std::string address;                      // "10.0.0.7:40112", "unix:6432": for application_name_add_host
};

struct DatabaseFacts {
    bool exists = false;                      // also when an auto-database would be made for the name
    bool is_disabled = false;
    std::string forced_user;                  // empty: none
};

enum class UserKnown : std::uint8_t { no, yes, ask };   // ask: only auth_query can tell

struct UserFacts {
    UserKnown known = UserKnown::no;
    StoredSecret secret;
};

// What a login has to look up. Answers must not change what they tell of: a stranger asks.
class LoginDirectory {
public:
    virtual ~LoginDirectory() = default;
    virtual DatabaseFacts find_database(std::string_view name) const = 0;
    virtual UserFacts find_user(std::string_view name, std::string_view database) const = 0;
    virtual bool is_shutting_down() const = 0;
};

// Which bounds the client is to be counted against now. What was counted is given back by the caller when the login ends.
struct Admission {
    bool process = false;                     // max_client_conn
    bool database = false;                    // max_db_client_connections
    bool user = false;                        // max_user_client_connections

    bool operator==(const Admission&) const = default;
};

enum class ConsoleRole : std::uint8_t { none, stats, admin };

struct ClientLoginResult {
    std::string user;                         // the login name: names the pool, unless the database forces another
    std::string database;                     // as the client asked for it
    ConsoleRole console = ConsoleRole::none;  // none: an ordinary database
    bool is_console_owner = false;            // on the console as the OS user that runs the process, over the Unix socket
    StartUpParameters parameters;
    ProtocolVersion protocol = protocol_3_0;  // that is spoken: as asked for, or the newest that we know
    std::optional<ScramKeys> scram_keys;      // pass-through: proved by this client, for its stored SCRAM secret
    StoredSecret secret;                      // the user's, as looked up: what logs in to servers
};

class ClientLogin {
public:
    enum class Step : std::uint8_t {
        read,             // on_bytes(), or on_end()
        negotiate_tls,    // send output(); do the handshake, of which leftover() is the beginning; then on_tls_ready()
        cancel,           // final: cancel_key() is set; carry it out and close without an answer
        admit,            // count the client against admission(), then on_admitted()
        look_up_user,     // run auth_query for user(), database(); then on_user_found() or on_user_fault()
        derive,           // run derive_scram_keys(derive_job()) elsewhere, or find it in a cache; then on_derived()
        authenticated,    // final: result() is set; find a server's parameters, then append_welcome()
        refused,          // final: output() ends in the ErrorResponse; log fault(), close
        close,            // final: close without an answer
    };

    ClientLogin(std::shared_ptr<const LoginRules> rules, const LoginDirectory& directory, RandomSource& random,
                ClientPeer peer);

    Step next() const { return step_; }

    // Bytes to send before the step is carried out; the caller clears it.
    std::string& output() { return output_; }

    void on_bytes(Bytes bytes);
    void on_end();                            // the peer has hung up
    void on_tls_ready(TlsFacts facts = {});
    // The handshake failed, so that no answer can be given.
    void on_tls_failed();
    void on_admitted(Fault fault, std::string_view argument = {});   // Fault::none: counted
    void on_user_found(StoredSecret secret);
    void on_user_fault(Fault fault, std::string_view argument = {}); // no_such_user, bouncer_config_error, …
    void on_derived(const ScramKeys& keys);

    // Ends the login from outside (client_login_timeout, shutdown): ErrorResponse in output(), the step is `refused`.
    void refuse(Fault fault, std::string_view argument = {});

    Admission admission() const { return admission_; }
    const ScramDerivation& derive_job() const { return derive_job_; }
    bool derive_job_is_cacheable() const { return scram_.has_value(); }   // of a stored password, not of one just offered
    Bytes cancel_key() const { return cancel_key_; }          // process id (4 bytes) and secret, as the client had it
    ClientLoginResult& result() { return result_; }

    Fault fault() const { return fault_; }
    const std::string& fault_argument() const { return fault_argument_; }
    // What only the log is to say beside the fault; empty: nothing.
    std::string_view log_reason() const { return log_reason_; }
    bool has_sent_anything() const { return received_bytes_; } // has the client? A silent one is closed without a log line
    const std::string& user() const { return result_.user; }
    const std::string& database() const { return result_.database; }

    // Is it time to log "login attempt"? True once, before the first check of a password.
    bool take_login_attempt() { return std::exchange(login_attempt_, false); }

    bool is_user_known() const { return user_.known == UserKnown::yes; }

    // What the client sent behind its last login message. For after `authenticated`.
    // For `negotiate_tls` too: a client that begins TLS without asking.
    Bytes leftover() const { return unread(); }

private:
    // What the next bytes are taken for.
    enum class Expected : std::uint8_t { start_up_packet, password, md5_answer, sasl_initial, sasl_final };

    void advance();
    bool read_start_up_packet();              // these two: one whole message was read
    bool read_login_message();
    void on_start_up_packet(Bytes body);
    void on_ssl_request();
    void on_gss_request();
    void on_cancel_request(Bytes body);
    void on_start_up_message(Bytes body);
    void negotiate_version(ProtocolVersion asked, const ParameterList& sent);
    void on_login_message(Bytes body);

    bool choose_user();
    void add_host_to_application_name();
    void ask_admission(Admission admission);
    void begin_authentication();
    void ask_for_password();
    void ask_for_md5();
    void ask_for_scram();
    void on_password(Bytes body);
    void check_password(std::string_view password);
    void check_certificate();
    void check_md5_answer(std::string_view answer);
    void on_sasl_initial(Bytes body);
    void on_sasl_final(Bytes body);
    void finish_scram(const Sha256Digest& stored_key, const Sha256Digest& server_key);
    void derive(std::string password, std::string salt, int iterations);
    void on_checked();

    bool is_console() const;
    bool may_use_tls() const { return rules_->tls != TlsOffer::none && !peer_.is_unix_socket; }
    bool lacks_tls() const { return rules_->tls == TlsOffer::required && !peer_.is_unix_socket && !is_tls_; }
    ConsoleRole console_role() const;
    Bytes unread() const { return Bytes(input_).substr(consumed_); }

    std::shared_ptr<const LoginRules> rules_;
    const LoginDirectory& directory_;
    RandomSource& random_;
    ClientPeer peer_;

    Step step_ = Step::read;
    Expected expected_ = Expected::start_up_packet;
    std::string input_;
    std::size_t consumed_ = 0;
    std::string output_;

    bool received_bytes_ = false;
    bool ssl_requested_ = false;
    bool gss_requested_ = false;
    bool is_tls_ = false;
    TlsFacts tls_;
    bool is_console_owner_ = false;           // the OS user that runs the process, over the Unix socket
    bool login_attempt_ = false;

    std::string cancel_key_;
    DatabaseFacts database_;
    UserFacts user_;
    Admission admission_;
    std::string md5_salt_;
    std::optional<ScramServer> scram_;
    ScramDerivation derive_job_;
    ClientLoginResult result_;

    Fault fault_ = Fault::none;
    std::string fault_argument_;
    std::string_view log_reason_;
};

}  // namespace pgweir
