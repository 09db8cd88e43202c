/* Child processes: spawn with limits, watch, measure, kill with all descendants.
 *
 * Spawning never blocks longer than fork and exec take; a child is reaped with proc_reap after
 * its pidfd became readable. */
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include "core/env.h"

struct proc_limit {
    int resource; /* RLIMIT_… */
    rlim_t value; /* soft and hard */
};

struct proc_spec {
    const char *const *argv; /* argv[0] is an absolute path */
    const char *const *envp; /* the whole environment; nothing is inherited */
    const char *cwd;         /* NULL: "/" */
    int out_fd;              /* becomes 1 and 2; -1: /dev/null */
    const int *pass_fds;     /* become 3, 4, …; everything else is closed */
    size_t n_pass_fds;
    const struct proc_limit *limits;
    size_t n_limits;
    /* As root only: becomes nobody (65534), after these folders were mounted onto others, in a
     * mount namespace of its own: nobody cannot walk to where root keeps its files. */
    bool drop_root;
    struct {
        const char *from, *to;
    } mounts[2];
    /* Killed when the thread that spawned it ends; no new privileges; a session of its own. Always. */
};

struct proc {
    pid_t pid; /* -1: none */
    int pidfd; /* readable once it has ended; the caller's to close */
};

/* False: errno says why (also when exec failed). */
bool proc_spawn(const struct proc_spec *spec, struct proc *out);
/* The wait status when it has ended (and is reaped), -1 when it still runs. */
int proc_reap(const struct proc *proc);

/* pid and its descendants, oldest first, at most `cap`; by /proc. */
size_t proc_tree(pid_t pid, pid_t *out, size_t cap);
int64_t proc_rss_bytes(pid_t pid);      /* resident now; 0 when gone */
int64_t proc_peak_rss_bytes(pid_t pid); /* highest so far */
/* SIGKILL for pid and every descendant: stopped first, so that none escapes by forking.
 * `mark` (absent: none): also every process of ours with "name=value" in its environment as it
 * was started, which finds daemons that left the tree. */
void proc_kill_tree(pid_t pid, struct str mark);
/* Which of `pid` and its descendants holds the socket with this inode; 0: none. */
pid_t proc_tree_socket_owner(pid_t pid, uint64_t inode);

/* Runs to the end, for probes at start: standard output and error, cut at `cap`. Blocks at most
 * timeout_ms, then kills. False: could not be run, timed out, or ended with a status other than 0;
 * `out` is filled as far as there was something. */
bool proc_output(const struct proc_spec *spec, const struct env *env, int timeout_ms, char *out, size_t cap,
                 size_t *len);
