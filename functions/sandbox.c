#include "functions/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "functions/seccomp.h"

enum { PROBE_MS = 5000, DESCRIPTORS = 1024, COMMAND_MAX = 16, N_FDS = 2 };

/* Lambda's own user: "sbx_user1051". */
#define USER_ID "993"
#define GROUP_ID "990"

/* bubblewrap's arguments, NUL-separated, for --args: so that neither the function's variables nor
 * its keys stand on a command line or in bubblewrap's own environment, where LD_PRELOAD would act
 * outside the wall. */
struct args {
    char *text;
    size_t len;
    FILE *file;
};

static void arg1(struct args *args, const char *a);
static void arg2(struct args *args, const char *a, const char *b);
static void arg3(struct args *args, const char *a, const char *b, const char *c);
static void add_namespaces(struct args *args);
static void add_system(struct args *args);
static void add_cell(struct args *args, const struct cell *cell, const char *code_dir, const char *runtime_dir);
static int args_fd(struct args *args);
static bool spawn_walled(const struct sandbox *sandbox, const struct cell *cell, struct proc *out);
static bool spawn_plain(const struct cell *cell, struct proc *out);
static bool try_wall(const struct sandbox *sandbox, const char *runtime_dir, const struct env *env, char *text, size_t cap);
static void read_namespaces(struct sandbox *sandbox, const char *text);
static bool spec_for(const struct sandbox *sandbox, const struct cell *cell, int fds[N_FDS], struct proc_spec *spec);
static void close_fds(int fds[N_FDS]);
static const char *const *command_line(const struct sandbox *sandbox, const struct cell *cell,
                                       const char *out[COMMAND_MAX]);

static const char *const no_env[] = { NULL };

static const char *find_bwrap(void)
{
    static const char *const places[] = { "/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap" };
    for (size_t i = 0; i < COUNT(places); i++)
        if (access(places[i], X_OK) == 0)
            return places[i];
    return NULL;
}

void sandbox_probe(struct sandbox *out, bool wanted, const char *runtime_dir, const struct env *env)
{
    char text[4096];
    *out = (struct sandbox){ .bwrap = find_bwrap() };
    if (!wanted) {
        snprintf(out->why, sizeof out->why, "switched off with --no-sandbox");
        return;
    }
    if (!out->bwrap) {
        snprintf(out->why, sizeof out->why, "bubblewrap (bwrap) is not installed");
        return;
    }
    /* The best first: each line gives up one more thing that a kernel or a container may refuse. */
    static const struct {
        bool seccomp, nobody;
    } ways[] = { { true, true }, { true, false }, { false, true }, { false, false } };
    for (size_t i = 0; i < COUNT(ways) && !out->wall; i++) {
        if (ways[i].nobody && geteuid() != 0)
            continue;
        out->seccomp = ways[i].seccomp;
        out->nobody = ways[i].nobody;
        out->wall = try_wall(out, runtime_dir, env, text, sizeof text);
    }
    if (!out->wall) {
        text[strcspn(text, "\n")] = '\0';
        snprintf(out->why, sizeof out->why, "bubblewrap does not work here: %.400s", text[0] ? text : "no answer");
        return;
    }
    read_namespaces(out, text);
    snprintf(out->why, sizeof out->why, "bubblewrap works, the kernel %s the system call filter%s",
             out->seccomp ? "took" : "refused",
             geteuid() != 0 ? "" : out->nobody ? ", processes are nobody's" : ", BUT PROCESSES BELONG TO ROOT");
}

/* Runs a shell inside that tells its namespaces. */
static bool try_wall(const struct sandbox *sandbox, const char *runtime_dir, const struct env *env, char *text, size_t cap)
{
    static const char script[] = "for n in user mnt pid ipc uts cgroup net; do readlink /proc/self/ns/$n; done; "
                                 "grep -E 'NoNewPrivs:|Seccomp:' /proc/self/status";
    const char *const argv[] = { "/bin/sh", "-c", script, NULL };
    const char *const envp[] = { "PATH=/usr/bin:/bin", NULL };
    struct cell cell = { runtime_dir, runtime_dir, NULL, argv, envp, 1 << 20, 1 << 30, -1 };
    struct proc_spec spec;
    int fds[N_FDS];
    size_t len;
    text[0] = '\0';
    if (!spec_for(sandbox, &cell, fds, &spec))
        return false;
    const char *command[COMMAND_MAX];
    spec.argv = command_line(sandbox, &cell, command);
    bool ok = proc_output(&spec, env, PROBE_MS, text, cap, &len);
    close_fds(fds);
    return ok;
}

static void read_namespaces(struct sandbox *sandbox, const char *text)
{
    static const char *const names[] = { "user", "mnt", "pid", "ipc", "uts", "cgroup", "net" };
    bool *const own[] = { &sandbox->own_user, &sandbox->own_mount, &sandbox->own_pid,   &sandbox->own_ipc,
                          &sandbox->own_uts,  &sandbox->own_cgroup, &sandbox->own_net };
    for (size_t i = 0; i < COUNT(names); i++) {
        char path[64], ours[64];
        snprintf(path, sizeof path, "/proc/self/ns/%s", names[i]);
        ssize_t len = readlink(path, ours, sizeof ours - 1);
        ours[len > 0 ? len : 0] = '\0';
        *own[i] = len > 0 && strstr(text, names[i]) && !strstr(text, ours);
    }
    sandbox->no_new_privs = strstr(text, "NoNewPrivs:\t1") != NULL;
    sandbox->seccomp = sandbox->seccomp && strstr(text, "Seccomp:\t2");
}

bool sandbox_spawn(const struct sandbox *sandbox, const struct cell *cell, struct proc *out)
{
    return sandbox->wall ? spawn_walled(sandbox, cell, out) : spawn_plain(cell, out);
}

const char *sandbox_code_dir(const struct sandbox *sandbox, const char *host_dir)
{
    return sandbox->wall ? "/var/task" : host_dir;
}

const char *sandbox_runtime_dir(const struct sandbox *sandbox, const char *host_dir)
{
    return sandbox->wall ? "/var/runtime" : host_dir;
}

/* Data beyond twice the memory and what an interpreter reserves ends in an error inside; the
 * resident limit itself is watched by the worker. */
static size_t limits_for(const struct cell *cell, struct proc_limit out[4])
{
    out[0] = (struct proc_limit){ RLIMIT_NOFILE, DESCRIPTORS };
    out[1] = (struct proc_limit){ RLIMIT_FSIZE, (rlim_t)cell->tmp_bytes };
    out[2] = (struct proc_limit){ RLIMIT_CORE, 0 };
    out[3] = (struct proc_limit){ RLIMIT_DATA, (rlim_t)(2 * cell->memory_bytes + ((int64_t)1 << 30)) };
    return 4;
}

static bool spawn_plain(const struct cell *cell, struct proc *out)
{
    struct proc_limit limits[4];
    struct proc_spec spec = { .argv = cell->argv, .envp = cell->envp, .cwd = cell->code_dir, .out_fd = cell->out_fd,
                              .limits = limits, .n_limits = limits_for(cell, limits) };
    return proc_spawn(&spec, out);
}

static bool spawn_walled(const struct sandbox *sandbox, const struct cell *cell, struct proc *out)
{
    struct proc_limit limits[4];
    struct proc_spec spec;
    int fds[N_FDS];
    const char *command[COMMAND_MAX];
    if (!spec_for(sandbox, cell, fds, &spec))
        return false;
    spec.argv = command_line(sandbox, cell, command);
    spec.limits = limits;
    spec.n_limits = limits_for(cell, limits);
    bool ok = proc_spawn(&spec, out);
    int saved = errno;
    close_fds(fds);
    errno = saved;
    return ok;
}

/* Started by root, bubblewrap runs as nobody, for whom our data folder is shut: the two folders are
 * shown to it where nobody may go. */
static const char code_place[] = "/mnt", runtime_place[] = "/media";

static bool spec_for(const struct sandbox *sandbox, const struct cell *cell, int fds[N_FDS], struct proc_spec *spec)
{
    struct args args = { 0 };
    args.file = open_memstream(&args.text, &args.len);
    if (!args.file)
        return false;
    add_namespaces(&args);
    if (sandbox->seccomp)
        arg2(&args, "--seccomp", "4");
    add_system(&args);
    add_cell(&args, cell, sandbox->nobody ? code_place : cell->code_dir,
             sandbox->nobody ? runtime_place : cell->runtime_dir);
    fds[0] = args_fd(&args);
    fds[1] = sandbox->seccomp ? seccomp_program() : -1;
    *spec = (struct proc_spec){ .envp = no_env, .out_fd = cell->out_fd, .pass_fds = fds,
                                .n_pass_fds = sandbox->seccomp ? 2 : 1 };
    if (sandbox->nobody) {
        spec->drop_root = true;
        spec->mounts[0].from = cell->code_dir;
        spec->mounts[0].to = code_place;
        spec->mounts[1].from = cell->runtime_dir;
        spec->mounts[1].to = runtime_place;
    }
    if (fds[0] >= 0 && (fds[1] >= 0 || !sandbox->seccomp))
        return true;
    int saved = errno;
    close_fds(fds);
    errno = saved;
    return false;
}

static void close_fds(int fds[N_FDS])
{
    for (int i = 0; i < N_FDS; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

static void add_namespaces(struct args *args)
{
    arg1(args, "--unshare-all");
    arg1(args, "--share-net");
    arg1(args, "--die-with-parent");
    arg1(args, "--new-session");
    arg2(args, "--uid", USER_ID);
    arg2(args, "--gid", GROUP_ID);
    arg2(args, "--hostname", "lambda");
    arg1(args, "--clearenv");
}

/* What any program needs to start, and nothing that tells of this machine's users. */
static void add_system(struct args *args)
{
    static const char *const folders[] = { "/bin", "/sbin", "/lib", "/lib64", "/lib32", "/libx32" };
    static const char *const files[] = { "/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/etc/resolv.conf", "/etc/hosts",
                                         "/etc/nsswitch.conf", "/etc/localtime", "/etc/ld.so.cache",
                                         "/etc/alternatives", "/etc/protocols", "/etc/services", "/etc/mime.types" };
    static const char *const kernel[] = { "/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs",
                                          "/proc/acpi", "/proc/scsi" };
    arg3(args, "--ro-bind", "/usr", "/usr");
    for (size_t i = 0; i < COUNT(folders); i++) {
        char target[256];
        ssize_t len = readlink(folders[i], target, sizeof target - 1);
        if (len > 0) {
            target[len] = '\0';
            arg3(args, "--symlink", target, folders[i]);
        } else {
            arg3(args, "--ro-bind-try", folders[i], folders[i]);
        }
    }
    for (size_t i = 0; i < COUNT(files); i++)
        arg3(args, "--ro-bind-try", files[i], files[i]);
    arg2(args, "--proc", "/proc");
    /* The kernel lets the machine's root write its settings whatever namespace it is in; bubblewrap
     * covers them only where the folder itself looks writable. */
    for (size_t i = 0; i < COUNT(kernel); i++)
        arg3(args, "--ro-bind-try", kernel[i], kernel[i]);
    arg2(args, "--dev", "/dev");
    arg2(args, "--remount-ro", "/dev");
}

static void add_cell(struct args *args, const struct cell *cell, const char *code_dir, const char *runtime_dir)
{
    char number[32], passwd[4200];
    snprintf(number, sizeof number, "%lld", (long long)cell->tmp_bytes);
    arg2(args, "--size", number);
    arg2(args, "--tmpfs", "/tmp");
    snprintf(passwd, sizeof passwd, "%s/passwd", runtime_dir);
    arg3(args, "--ro-bind-try", passwd, "/etc/passwd");
    arg3(args, "--ro-bind", code_dir, "/var/task");
    arg3(args, "--ro-bind", runtime_dir, "/var/runtime");
    arg2(args, "--dir", "/opt");
    if (cell->prefix)
        arg3(args, "--ro-bind", cell->prefix, cell->prefix);
    arg2(args, "--remount-ro", "/");
    arg2(args, "--chdir", "/var/task");
    for (const char *const *at = cell->envp; *at; at++) {
        const char *equals = strchr(*at, '=');
        if (!equals)
            continue;
        arg1(args, "--setenv");
        fwrite(*at, 1, (size_t)(equals - *at), args->file);
        fputc('\0', args->file);
        arg1(args, equals + 1);
    }
}

/* bwrap --args 3 -- /bin/sh -c … program arguments. The limit on processes counts those of our own
 * user namespace only when it is set inside, hence the shell. */
static const char *const *command_line(const struct sandbox *sandbox, const struct cell *cell,
                                       const char *out[COMMAND_MAX])
{
    static const char script[] = "ulimit -p 1024 2>/dev/null; exec \"$0\" \"$@\"";
    const char *const head[] = { sandbox->bwrap, "--args", "3", "--", "/bin/sh", "-c", script };
    size_t n = 0;
    for (; n < COUNT(head); n++)
        out[n] = head[n];
    for (const char *const *at = cell->argv; *at && n + 1 < COMMAND_MAX; at++)
        out[n++] = *at;
    out[n] = NULL;
    return out;
}

static void arg1(struct args *args, const char *a)
{
    fwrite(a, 1, strlen(a) + 1, args->file);
}

static void arg2(struct args *args, const char *a, const char *b)
{
    arg1(args, a);
    arg1(args, b);
}

static void arg3(struct args *args, const char *a, const char *b, const char *c)
{
    arg2(args, a, b);
    arg1(args, c);
}

static int args_fd(struct args *args)
{
    fclose(args->file);
    int fd = memfd_create("args", MFD_CLOEXEC);
    bool ok = fd >= 0 && write(fd, args->text, args->len) == (ssize_t)args->len && lseek(fd, 0, SEEK_SET) == 0;
    free(args->text);
    if (!ok && fd >= 0)
        close(fd);
    return ok ? fd : -1;
}

json_t *sandbox_describe(const struct sandbox *sandbox)
{
    const struct {
        const char *name;
        bool own;
    } all[] = { { "user", sandbox->own_user }, { "mount", sandbox->own_mount }, { "pid", sandbox->own_pid },
                { "ipc", sandbox->own_ipc },   { "uts", sandbox->own_uts },     { "cgroup", sandbox->own_cgroup },
                { "network", sandbox->own_net } };
    json_t *out = json_object(), *list = json_array();
    json_set_str(out, "mode", sandbox->wall ? STR("bubblewrap") : STR("none"));
    json_set_str(out, "why", str_of(sandbox->why));
    for (size_t i = 0; i < COUNT(all); i++)
        if (all[i].own)
            json_array_append_new(list, json_string(all[i].name));
    json_object_set_new(out, "namespaces", list);
    json_set_flag(out, "seccomp", sandbox->seccomp);
    json_set_flag(out, "noNewPrivileges", sandbox->wall ? sandbox->no_new_privs : true);
    json_set_str(out, "user", sandbox->nobody ? STR("nobody") : STR("the same as Gatehouse's"));
    json_set_str(out, "network", sandbox->own_net ? STR("none") : STR("the machine's, unfiltered"));
    json_set_str(out, "memory", STR("resident memory of the process tree, looked at every 100 ms"));
    return out;
}
