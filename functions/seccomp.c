#include "functions/seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/str.h"

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#endif

#define NEW_NAMESPACES                                                                               \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |    \
     CLONE_NEWNET)
#define X32_BIT 0x40000000

#ifdef OUR_ARCH

static const int refused[] = {
    SYS_unshare, SYS_setns, SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_open_tree, SYS_move_mount,
    SYS_fsopen, SYS_fsmount, SYS_fsconfig, SYS_fspick, SYS_mount_setattr,
    SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp, SYS_pidfd_getfd, SYS_process_madvise,
    SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register,
    SYS_keyctl, SYS_add_key, SYS_request_key,
    SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_kexec_file_load, SYS_reboot,
    SYS_swapon, SYS_swapoff, SYS_acct, SYS_quotactl, SYS_nfsservctl, SYS_lookup_dcookie, SYS_syslog, SYS_vhangup,
    SYS_name_to_handle_at, SYS_open_by_handle_at, SYS_fanotify_init,
    SYS_settimeofday, SYS_clock_settime, SYS_clock_adjtime, SYS_adjtimex, SYS_sethostname, SYS_setdomainname,
    SYS_move_pages, SYS_migrate_pages, SYS_mbind, SYS_set_mempolicy,
#ifdef __x86_64__
    SYS_iopl, SYS_ioperm, SYS_modify_ldt, SYS_uselib, SYS_ustat, SYS_sysfs, SYS__sysctl, SYS_create_module,
    SYS_get_kernel_syms, SYS_query_module,
#endif
};

enum { ALLOW = 0, PROGRAM_MAX = 256 };

struct program {
    struct sock_filter code[PROGRAM_MAX];
    unsigned short n;
};

static void add(struct program *p, unsigned short code, unsigned char yes, unsigned char no, unsigned value)
{
    p->code[p->n++] = (struct sock_filter){ code, yes, no, value };
}

static void load(struct program *p, size_t offset)
{
    add(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, (unsigned)offset);
}

static void give(struct program *p, unsigned action)
{
    add(p, BPF_RET | BPF_K, 0, 0, action);
}

/* Low half of an argument: both machines are little-endian. */
static size_t arg(int i)
{
    return offsetof(struct seccomp_data, args) + 8 * (size_t)i;
}

/* Call `number`: refused when its argument has one of `bits`. */
static void refuse_bits(struct program *p, int number, int argument, unsigned bits)
{
    add(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 4, (unsigned)number);
    load(p, arg(argument));
    add(p, BPF_JMP | BPF_JSET | BPF_K, 0, 1, bits);
    give(p, SECCOMP_RET_ERRNO | EPERM);
    give(p, SECCOMP_RET_ALLOW);
}

/* Call `number`: refused when its argument is `value`, or with `only` when it is anything else. */
static void refuse_value(struct program *p, int number, int argument, unsigned value, bool only)
{
    add(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 4, (unsigned)number);
    load(p, arg(argument));
    add(p, BPF_JMP | BPF_JEQ | BPF_K, only ? 1 : 0, only ? 0 : 1, value);
    give(p, SECCOMP_RET_ERRNO | EPERM);
    give(p, SECCOMP_RET_ALLOW);
}

static void build(struct program *p)
{
    load(p, offsetof(struct seccomp_data, arch));
    add(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, OUR_ARCH);
    give(p, SECCOMP_RET_KILL_PROCESS);
    load(p, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
    add(p, BPF_JMP | BPF_JGE | BPF_K, 0, 1, X32_BIT);
    give(p, SECCOMP_RET_ERRNO | EPERM);
#endif
    for (size_t i = 0; i < COUNT(refused); i++) {
        add(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, (unsigned)refused[i]);
        give(p, SECCOMP_RET_ERRNO | EPERM);
    }
    add(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_clone3);
    give(p, SECCOMP_RET_ERRNO | ENOSYS);
    refuse_bits(p, SYS_clone, 0, NEW_NAMESPACES);
    refuse_value(p, SYS_ioctl, 1, TIOCSTI, false);
    refuse_value(p, SYS_personality, 0, 0, true);
    give(p, SECCOMP_RET_ALLOW);
}

int seccomp_program(void)
{
    struct program program = { .n = 0 };
    int fd = memfd_create("seccomp", MFD_CLOEXEC);
    if (fd < 0)
        return -1;
    build(&program);
    size_t bytes = program.n * sizeof program.code[0];
    if (write(fd, program.code, bytes) != (ssize_t)bytes || lseek(fd, 0, SEEK_SET) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

#else

int seccomp_program(void)
{
    errno = ENOSYS;
    return -1;
}

#endif
