#include "core/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534, PASS_MAX = 8, TREE_MAX = 4096, HIGH_FD = 100 };

static void become(const struct proc_spec *spec, int report) __attribute__((noreturn));
static bool mount_all(const struct proc_spec *spec);
static void place_fds(const struct proc_spec *spec, int *report);
static size_t children_of(pid_t pid, pid_t *out, size_t cap);
static size_t read_file(const char *path, char *out, size_t cap);
static void kill_marked(struct str mark);

bool proc_spawn(const struct proc_spec *spec, struct proc *out)
{
    int report[2], failure = 0;
    *out = (struct proc){ .pid = -1, .pidfd = -1 };
    if (spec->n_pass_fds > PASS_MAX) {
        errno = EINVAL;
        return false;
    }
    if (pipe2(report, O_CLOEXEC) < 0)
        return false;
    pid_t pid = fork();
    if (pid == 0)
        become(spec, report[1]);
    int saved = errno;
    close(report[1]);
    if (pid < 0) {
        close(report[0]);
        errno = saved;
        return false;
    }
    /* exec closes the pipe; a failure before it arrives as an errno. */
    ssize_t got;
    do
        got = read(report[0], &failure, sizeof failure);
    while (got < 0 && errno == EINTR);
    close(report[0]);
    if (got == sizeof failure) {
        waitpid(pid, NULL, 0);
        errno = failure;
        return false;
    }
    out->pid = pid;
    out->pidfd = pidfd_open(pid, 0);
    if (out->pidfd < 0) {
        saved = errno;
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        out->pid = -1;
        errno = saved;
        return false;
    }
    fcntl(out->pidfd, F_SETFD, FD_CLOEXEC);
    return true;
}

int proc_reap(const struct proc *proc)
{
    int status;
    pid_t got = waitpid(proc->pid, &status, WNOHANG);
    if (got == 0)
        return -1;
    return got == proc->pid ? status : 0;
}

/* Between fork and exec: only async-signal-safe calls, for other threads' locks may be held. */
static void become(const struct proc_spec *spec, int report)
{
    struct sigaction plain = { .sa_handler = SIG_DFL };
    sigset_t none;
    place_fds(spec, &report);
    setsid();
    /* Raw calls: libc's would tell all threads, of which this process has none left. */
    if (spec->drop_root && geteuid() == 0 &&
        (!mount_all(spec) || syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setresgid, NOBODY, NOBODY, NOBODY) < 0 ||
         syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY) < 0))
        goto failed;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* forgotten when the user changes, so after it */
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    for (int i = 1; i < NSIG; i++)
        sigaction(i, &plain, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    umask(022);
    for (size_t i = 0; i < spec->n_limits; i++) {
        struct rlimit limit = { spec->limits[i].value, spec->limits[i].value };
        struct rlimit old;
        if (getrlimit((__rlimit_resource_t)spec->limits[i].resource, &old) == 0 && old.rlim_max < limit.rlim_max)
            limit.rlim_cur = limit.rlim_max = old.rlim_max;
        if (setrlimit((__rlimit_resource_t)spec->limits[i].resource, &limit) < 0)
            goto failed;
    }
    if (chdir(spec->cwd ? spec->cwd : "/") < 0)
        goto failed;
    execve(spec->argv[0], (char *const *)spec->argv, (char *const *)spec->envp);
failed:;
    int failure = errno;
    if (write(report, &failure, sizeof failure) < 0)
        _exit(126);
    _exit(127);
}

static bool mount_all(const struct proc_spec *spec)
{
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return false;
    for (size_t i = 0; i < COUNT(spec->mounts); i++)
        if (spec->mounts[i].from && mount(spec->mounts[i].from, spec->mounts[i].to, NULL, MS_BIND, NULL) < 0)
            return false;
    return true;
}

/* 0 is /dev/null, 1 and 2 the output, 3… what is passed on, and the report pipe after them. By
 * way of high numbers, so that no source is overwritten before it is used. */
static void place_fds(const struct proc_spec *spec, int *report)
{
    int high[PASS_MAX];
    int null = open("/dev/null", O_RDWR);
    int out = spec->out_fd < 0 ? null : spec->out_fd;
    int high_null = fcntl(null, F_DUPFD, HIGH_FD), high_out = fcntl(out, F_DUPFD, HIGH_FD);
    int high_report = fcntl(*report, F_DUPFD, HIGH_FD);
    for (size_t i = 0; i < spec->n_pass_fds; i++)
        high[i] = fcntl(spec->pass_fds[i], F_DUPFD, HIGH_FD);
    dup2(high_null, 0);
    dup2(high_out, 1);
    dup2(high_out, 2);
    for (size_t i = 0; i < spec->n_pass_fds; i++)
        dup2(high[i], 3 + (int)i);
    *report = 3 + (int)spec->n_pass_fds;
    dup2(high_report, *report);
    fcntl(*report, F_SETFD, FD_CLOEXEC);
    close_range((unsigned)*report + 1, ~0U, 0);
}

size_t proc_tree(pid_t pid, pid_t *out, size_t cap)
{
    size_t n = 0;
    if (cap)
        out[n++] = pid;
    for (size_t at = 0; at < n; at++)
        n += children_of(out[at], out + n, cap - n);
    return n;
}

static size_t children_of(pid_t pid, pid_t *out, size_t cap)
{
    char path[64];
    size_t n = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *threads = opendir(path);
    if (!threads)
        return 0;
    for (struct dirent *thread; (thread = readdir(threads));) {
        char file[384], text[16 * 1024];
        if (thread->d_name[0] == '.')
            continue;
        snprintf(file, sizeof file, "%s/%s/children", path, thread->d_name);
        read_file(file, text, sizeof text);
        for (char *at = text, *end; n < cap; at = end) {
            long child = strtol(at, &end, 10);
            if (end == at)
                break;
            out[n++] = (pid_t)child;
        }
    }
    closedir(threads);
    return n;
}

int64_t proc_rss_bytes(pid_t pid)
{
    char path[64], text[256];
    long long size = 0, resident = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    read_file(path, text, sizeof text);
    if (sscanf(text, "%lld %lld", &size, &resident) != 2)
        return 0;
    return resident * sysconf(_SC_PAGESIZE);
}

int64_t proc_peak_rss_bytes(pid_t pid)
{
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    read_file(path, text, sizeof text);
    const char *at = strstr(text, "VmHWM:");
    return at ? strtoll(at + 6, NULL, 10) * 1024 : 0;
}

void proc_kill_tree(pid_t pid, struct str mark)
{
    static const int rounds = 8; /* each finds what forked before it was stopped */
    pid_t *tree = malloc(TREE_MAX * sizeof *tree);
    size_t n = 0, before = 0;
    for (int i = 0; tree && i < rounds; i++) {
        n = proc_tree(pid, tree, TREE_MAX);
        for (size_t k = 0; k < n; k++)
            kill(tree[k], SIGSTOP);
        if (n == before)
            break;
        before = n;
    }
    for (size_t k = 0; k < n; k++)
        kill(tree[k], SIGKILL);
    if (!tree)
        kill(pid, SIGKILL);
    free(tree);
    if (mark.ptr)
        kill_marked(mark);
}

static void kill_marked(struct str mark)
{
    DIR *all = opendir("/proc");
    char *text = malloc(128 * 1024);
    for (struct dirent *one; all && text && (one = readdir(all));) {
        char path[384];
        if (one->d_name[0] < '1' || one->d_name[0] > '9' || atoi(one->d_name) == getpid())
            continue;
        snprintf(path, sizeof path, "/proc/%s/environ", one->d_name);
        size_t len = read_file(path, text, 128 * 1024);
        for (size_t at = 0; at < len; at += strlen(text + at) + 1)
            if (str_eq(str_of(text + at), mark))
                kill(atoi(one->d_name), SIGKILL);
    }
    free(text);
    if (all)
        closedir(all);
}

pid_t proc_tree_socket_owner(pid_t pid, uint64_t inode)
{
    pid_t tree[256];
    char wanted[64];
    size_t n = proc_tree(pid, tree, COUNT(tree));
    int wanted_len = snprintf(wanted, sizeof wanted, "socket:[%llu]", (unsigned long long)inode);
    for (size_t i = 0; i < n; i++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/fd", (int)tree[i]);
        DIR *fds = opendir(path);
        bool found = false;
        for (struct dirent *one; fds && !found && (one = readdir(fds));) {
            char target[64];
            ssize_t len = readlinkat(dirfd(fds), one->d_name, target, sizeof target);
            found = len == wanted_len && memcmp(target, wanted, (size_t)len) == 0;
        }
        if (fds)
            closedir(fds);
        if (found)
            return tree[i];
    }
    return 0;
}

bool proc_output(const struct proc_spec *spec, const struct env *env, int timeout_ms, char *out, size_t cap,
                 size_t *len)
{
    int pipe_fds[2];
    struct proc proc;
    *len = 0;
    if (pipe2(pipe_fds, O_CLOEXEC) < 0)
        return false;
    struct proc_spec with_pipe = *spec;
    with_pipe.out_fd = pipe_fds[1];
    bool spawned = proc_spawn(&with_pipe, &proc);
    close(pipe_fds[1]);
    int64_t due_us = env_monotonic_us(env) + timeout_ms * (int64_t)1000;
    bool in_time = spawned;
    while (in_time) {
        struct pollfd poll_fd = { .fd = pipe_fds[0], .events = POLLIN };
        int left = (int)((due_us - env_monotonic_us(env)) / 1000);
        char spill[512];
        in_time = left > 0 && poll(&poll_fd, 1, left) > 0;
        if (!in_time)
            break;
        bool room = *len + 1 < cap;
        ssize_t got = read(pipe_fds[0], room ? out + *len : spill, room ? cap - 1 - *len : sizeof spill);
        if (got <= 0)
            break;
        if (room)
            *len += (size_t)got;
    }
    close(pipe_fds[0]);
    if (cap)
        out[*len] = '\0';
    if (!spawned)
        return false;
    if (!in_time)
        proc_kill_tree(proc.pid, STR_NONE);
    int status = 0;
    waitpid(proc.pid, &status, 0);
    close(proc.pidfd);
    return in_time && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static size_t read_file(const char *path, char *out, size_t cap)
{
    size_t len = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && len + 1 < cap) {
        ssize_t got = read(fd, out + len, cap - 1 - len);
        if (got <= 0)
            break;
        len += (size_t)got;
    }
    if (fd >= 0)
        close(fd);
    out[len] = '\0';
    return len;
}
