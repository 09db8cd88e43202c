/* The wall around a function's processes: the only file that knows bubblewrap.
 *
 * Inside: /usr and its links, name resolution and certificates, read-only; the code at /var/task
 * and the bootstraps at /var/runtime, read-only; a /tmp of its own in memory; an own /proc; no
 * other process, no other file. The network is the machine's. Where bubblewrap is missing or the
 * kernel refuses, processes run plainly, with resource limits alone, and we say so. */
#pragma once

#include "core/json.h"
#include "core/proc.h"

struct sandbox {
    bool wall;            /* bubblewrap works here */
    bool seccomp;         /* … and took the filter */
    bool nobody;          /* started by root, functions run as the machine's nobody */
    const char *bwrap;    /* its path */
    char why[512];        /* what was found, in words */
    bool own_user, own_mount, own_pid, own_ipc, own_uts, own_cgroup, own_net, no_new_privs;
};

/* What one worker needs. Strings live for the call only. */
struct cell {
    const char *code_dir;    /* on the host */
    const char *runtime_dir; /* on the host */
    const char *prefix;      /* the interpreter's home when it is not below /usr, else NULL */
    const char *const *argv; /* paths as seen inside, see cell_code and cell_runtime */
    const char *const *envp;
    int64_t tmp_bytes;
    int64_t memory_bytes;
    int out_fd;
};

/* Finds out what the kernel allows, by trying. Blocks some milliseconds. */
void sandbox_probe(struct sandbox *out, bool wanted, const char *runtime_dir, const struct env *env);
bool sandbox_spawn(const struct sandbox *sandbox, const struct cell *cell, struct proc *out);
/* Where the code and the bootstraps are, as the function sees them. */
const char *sandbox_code_dir(const struct sandbox *sandbox, const char *host_dir);
const char *sandbox_runtime_dir(const struct sandbox *sandbox, const char *host_dir);
/* New reference. */
json_t *sandbox_describe(const struct sandbox *sandbox);
