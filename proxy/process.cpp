#include "proxy/process.hpp"

#include <pwd.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <fcntl.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "admin/version.hpp"
#include "proxy/clock.hpp"
#include "proxy/console_task.hpp"
#include "proxy/control.hpp"
#include "proxy/log.hpp"
#include "routing/settings_loader.hpp"

namespace pgweir {
namespace {

constexpr std::chrono::milliseconds janitor_period{333};
constexpr int worker_threads_default_max = 4;

int usable_cores() {
    cpu_set_t set;
    CPU_ZERO(&set);
    int cores = ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    std::ifstream quota_file("/sys/fs/cgroup/cpu.max");    // "max 100000" or "150000 100000"
    std::string quota;
    long period = 0;
    if (quota_file >> quota >> period && quota != "max" && period > 0)
        cores = std::min(cores, std::max(1, static_cast<int>(std::stol(quota) / period)));
    return cores;
}

LoadRequest request_of(const CommandLine& options) {
    LoadRequest request;
    request.path = options.config_file;
    if (!options.upstream.empty()) {
        auto url = parse_database_url(options.upstream);
        if (!url) throw std::runtime_error(url.error);
        for (const auto& line : url.url.warnings) log(LogLevel::warning, "{}", line);
        request.upstream = std::move(url.url);
    }
    request.overrides = settings_from_environment([](const std::string& name) -> std::optional<std::string> {
        const char* value = std::getenv(name.c_str());
        return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
    });
    if (!options.user.empty()) request.overrides.push_back({"user", options.user, "--user"});
    return request;
}

AuthFileUsers users_of(const LoadRequest& request) {
    AuthFileUsers users;
    if (request.upstream && !request.upstream->entry.user.empty())
        users.emplace(request.upstream->entry.user, StoredSecret(request.upstream->entry.password.value_or("")));
    return users;
}

void become_user(const std::string& name) {
    const passwd* found = ::getpwnam(name.c_str());
    if (found == nullptr) throw std::runtime_error("could not find user '" + name + "' to switch to");
    if (::geteuid() == found->pw_uid) return;
    if (::initgroups(name.c_str(), found->pw_gid) != 0 || ::setgid(found->pw_gid) != 0 || ::setuid(found->pw_uid) != 0)
        throw std::runtime_error("could not switch to user '" + name + "': " + std::strerror(errno));
}

void go_to_background() {
    for (int i = 0; i < 2; ++i) {
        const pid_t child = ::fork();
        if (child < 0) throw std::runtime_error("fork failed");
        if (child > 0) ::_exit(0);
        if (i == 0) ::setsid();
    }
    const int null = ::open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; ++fd) ::dup2(null, fd);
    if (null > 2) ::close(null);
}

// The pid file, removed at the end.
class PidFile {
public:
    explicit PidFile(std::string path) : path_(std::move(path)) {
        if (path_.empty()) return;
        if (std::ifstream old(path_); old) {
            long pid = 0;
            if (old >> pid && pid > 0 && (::kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM)) {
                const std::string text = "pidfile '" + path_ + "' exists, another instance running?";
                path_.clear();
                throw std::runtime_error(text);
            }
            log(LogLevel::log, "stale pidfile, removing");
            ::unlink(path_.c_str());
        }
    }
    ~PidFile() {
        if (written_) ::unlink(path_.c_str());
    }
    void write() {
        if (path_.empty()) return;
        const int fd = ::open(path_.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
        if (fd < 0) throw std::runtime_error("could not open pidfile '" + path_ + "': " + std::strerror(errno));
        ::dprintf(fd, "%ld\n", static_cast<long>(::getpid()));
        ::close(fd);
        written_ = true;
    }

private:
    std::string path_;
    bool written_ = false;
};

class Process {
public:
    Process(LoadRequest request, std::shared_ptr<const Settings> settings, LogSettings log_settings)
        : settings_(std::move(settings)), tracked_(settings_->track_extra_parameters),
          threads_(settings_->worker_threads > 0 ? settings_->worker_threads
                   : request.upstream            ? 1
                                                 : std::min(usable_cores(), worker_threads_default_max)),
          shared_(threads_, tracked_) {
        std::string salt_key(32, '\0');
        shared_.random.fill(salt_key.data(), salt_key.size());
        SystemFiles files;
        const AuthFileUsers more_users = users_of(request);
        shared_.config.set(make_running_config(settings_, make_tls(*settings_, files), more_users, files, salt_key));
        for (int i = 0; i < threads_; ++i)
            workers_.push_back(std::make_unique<Worker>(static_cast<WorkerId>(i), shared_, helpers_));
        std::vector<Worker*> all;
        for (const auto& worker : workers_) all.push_back(worker.get());
        listener_ = std::make_unique<Listener>(*all.front(), all);
        control_ = std::make_unique<Control>(shared_, all, *listener_, std::move(request), more_users, salt_key, std::move(log_settings));
        ConsoleHost::attach(shared_, *control_);
    }

    ~Process() {
        listener_->close();
        for (const auto& worker : workers_) worker->stop();
        for (const auto& worker : workers_) worker->join();
        helpers_.join();
    }

    void open_listeners() { listener_->open(*settings_); }

    int run() {
        listener_->start();
        asio::signal_set signals(workers_.front()->io());
        for (const int signal : {SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGUSR1, SIGUSR2}) signals.add(signal);
        watch(signals);
        workers_.front()->spawn_vital(janitor());
        workers_.front()->spawn_vital(control_->end_periods());
        control_->prepare_pools();
        for (std::size_t i = 1; i < workers_.size(); ++i) workers_[i]->start();
        workers_.front()->run();
        return exit_status_;
    }

private:
    static std::shared_ptr<const TlsSetup> make_tls(const Settings& settings, FileReader& files) {
        try {
            return make_tls_setup(settings, files);
        } catch (const TlsSetupError& error) {
            throw std::runtime_error(std::string("TLS setup failed: ") + error.what());
        }
    }

    void watch(asio::signal_set& signals) {
        signals.async_wait([this, &signals](const boost::system::error_code& error, int signal) {
            if (error) return;
            on_signal(signal);
            watch(signals);
        });
    }

    void on_signal(int signal) {
        const bool ending = shared_.shutdown.load() != ShutdownPhase::none;
        if ((signal == SIGTERM || signal == SIGINT) && control_->is_suspended()) {
            log(LogLevel::log, "got {} while suspended, fast exit", signal == SIGTERM ? "SIGTERM" : "SIGINT");
            exit_status_ = 1;
            return control_->shut_down(ShutdownMode::immediate);
        }
        switch (signal) {
            case SIGHUP:
                log(LogLevel::log, "got SIGHUP, re-reading config");
                control_->reload();
                break;
            case SIGTERM:
                log(LogLevel::log, "got SIGTERM, {}", ending ? "fast exit" : "shutting down, waiting for all clients disconnect");
                control_->shut_down(ending ? ShutdownMode::immediate : ShutdownMode::wait_for_clients);
                break;
            case SIGINT:
                log(LogLevel::log, "got SIGINT, {}", ending ? "fast exit" : "shutting down, waiting for all servers connections to be released");
                control_->shut_down(ending ? ShutdownMode::immediate : ShutdownMode::wait_for_servers);
                break;
            case SIGQUIT:
                log(LogLevel::log, "got SIGQUIT, fast exit");
                control_->shut_down(ShutdownMode::immediate);
                break;
            case SIGUSR1:
                log(LogLevel::log, "got SIGUSR1, pausing all activity");
                control_->pause({});
                break;
            case SIGUSR2:
                if (ending) {
                    log(LogLevel::log, "got SIGUSR2 while shutting down, ignoring");
                } else {
                    log(LogLevel::log, "got SIGUSR2, continuing from {}", control_->is_suspended() ? "SUSPEND" : "PAUSE");
                    control_->resume({});
                }
                break;
            default: break;
        }
    }

    Task janitor() {
        asio::steady_timer timer(workers_.front()->io());
        for (;;) {
            timer.expires_after(janitor_period);
            boost::system::error_code error;
            co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
            if (error) co_return;
            control_->tick();
        }
    }

    std::shared_ptr<const Settings> settings_;
    TrackedParameters tracked_;
    int threads_;
    Shared shared_;
    asio::thread_pool helpers_{1};    // slow hashing
    std::vector<std::unique_ptr<Worker>> workers_;
    std::unique_ptr<Listener> listener_;
    std::unique_ptr<Control> control_;
    int exit_status_ = 0;
};

// Whether certificates and keys can be used, as the user who asks may read them.
void check_tls(const Settings& settings, FileReader& files, std::vector<std::string>& errors) {
    try {
        make_tls_setup(settings, files);
    } catch (const TlsSetupError& error) {
        errors.push_back(std::string("TLS setup failed: ") + error.what());
    }
}

void print_load_problems(const LoadResult& result) {
    for (const auto& line : result.errors) log(LogLevel::error, "{}", line);
    for (const auto& line : result.warnings) log(LogLevel::warning, "{}", line);
}

}  // namespace

int run_process(const CommandLine& options) {
    LogSettings log_settings{.logfile = {}, .to_stderr = true, .verbose = options.verbose, .json = false};
    open_log(log_settings);
    try {
        ::signal(SIGPIPE, SIG_IGN);
        SystemFiles files;
        LoadRequest request = request_of(options);
        const LoadResult loaded = load_settings(request, files);
        if (!loaded.settings) {
            print_load_problems(loaded);
            log(LogLevel::fatal, "cannot load config file");
            return 1;
        }
        const Settings& settings = *loaded.settings;
        if (!settings.user.empty()) become_user(settings.user);
        if (::geteuid() == 0) throw std::runtime_error("pgweir should not run as root");
        if (options.daemon && settings.pidfile.empty()) throw std::runtime_error("daemon needs pidfile configured");

        log_settings.to_stderr = !options.quiet && !options.daemon;
        log_settings.logfile = settings.logfile;
        log_settings.verbose = std::max(options.verbose, settings.verbose);
        log_settings.json = settings.log_format == LogFormat::json;
        if (options.daemon) go_to_background();
        if (!open_log(log_settings)) throw std::runtime_error("could not open logfile '" + settings.logfile + "'");
        print_load_problems(loaded);

        PidFile pid_file(settings.pidfile);
        log_settings.verbose = options.verbose;
        Process process(std::move(request), loaded.settings, log_settings);
        rlimit limit{};
        ::getrlimit(RLIMIT_NOFILE, &limit);
        log(LogLevel::log, "kernel file descriptor limit: {} (hard: {}); max_client_conn: {}", limit.rlim_cur, limit.rlim_max, settings.max_client_conn);
        process.open_listeners();
        pid_file.write();
        log(LogLevel::log, "process up: {}, Boost.Asio (epoll), OpenSSL", version_text);
        return process.run();
    } catch (const std::exception& error) {
        log(LogLevel::fatal, "{}", error.what());
        return 1;
    }
}

int check_config(const std::string& path) {
    SystemFiles files;
    LoadRequest request;
    request.path = path;
    LoadResult result = load_settings(request, files);
    if (result.settings) check_tls(*result.settings, files, result.errors);
    for (const auto& line : result.errors) std::fprintf(stderr, "ERROR %s\n", line.c_str());
    for (const auto& line : result.warnings) std::fprintf(stderr, "WARNING %s\n", line.c_str());
    if (!result.errors.empty()) return 1;
    std::printf("%s: ok\n", path.c_str());
    return 0;
}

}  // namespace pgweir
