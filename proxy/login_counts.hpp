// What a client is counted against while it logs in; given back unless its session or console takes it over.
#pragma once

#include "proxy/running_config.hpp"
#include "proxy/worker.hpp"

namespace pgweir {

class LoginCounts {
public:
    LoginCounts(Shared& shared, Worker& worker) : shared_(shared), worker_(worker) {}
    LoginCounts(const LoginCounts&) = delete;
    LoginCounts& operator=(const LoginCounts&) = delete;
    ~LoginCounts();

    // Each bound of the admission; the first refusal wins.
    Fault admit(const Admission& admission, const ClientLogin& login, const RunningConfig& config);
    // A console: counted, whatever the bounds.
    void count_exempt(const ClientLogin& login);

    // The console gives them back now, but for its place on the worker.
    void hand_over_to_console() { process_ = entries_ = false; }
    // The session gives them back now.
    void hand_over() { process_ = entries_ = on_worker_ = false; }

    std::uint32_t database() const { return database_; }    // the places in Limits
    std::uint32_t user() const { return user_; }

private:
    Fault admit_to_entries(const Admission& admission, const ClientLogin& login, const RunningConfig& config, Limits& limits);

    Shared& shared_;
    Worker& worker_;
    bool process_ = false;
    bool entries_ = false;
    bool on_worker_ = true;
    std::uint32_t database_ = 0;
    std::uint32_t user_ = 0;
};

}  // namespace pgweir
