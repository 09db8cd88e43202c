/* The system calls a function may not make: a BPF program for bubblewrap's --seccomp.
 *
 * Refused with EPERM, so that the process need not die: new namespaces, mounts, tracing, kernel
 * modules, keyrings, bpf, perf, io_uring, userfaultfd, pushing characters into a terminal,
 * changing the personality. clone3 answers ENOSYS, so that libc falls back to clone, whose flags
 * a filter can see. */
#pragma once

#include <stdbool.h>

/* A descriptor with the program, at its start; -1: none for this machine (why in errno). */
int seccomp_program(void);
