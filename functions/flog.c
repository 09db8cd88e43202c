#include "functions/flog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/arena.h"

enum { FLUSH_US = 200 * 1000, BYTES_A_SECOND = 1 << 20, FILE_MAX = 4 << 20, PENDING_MAX = 256 * 1024 };

struct flog {
    struct timer timer;
    struct loop *loop;
    char path[640], old_path[648];
    char *pending;
    size_t len, cap;
    int64_t second_us;  /* when the running second began */
    int64_t in_second;  /* bytes taken in it */
    int64_t lost;
    bool waiting;
};

static void flush(struct flog *log);
static void append(struct flog *log, struct str text);
static void on_timer(struct timer *timer);

static void path_of(char *out, size_t cap, const char *folder, struct str account, struct str region, struct str name)
{
    snprintf(out, cap, "%s/%.*s/%.*s/%.*s.log", folder, STR_FMT(account), STR_FMT(region), STR_FMT(name));
}

struct flog *flog_new(struct loop *loop, const char *folder, struct str account, struct str region, struct str name)
{
    struct flog *log = calloc(1, sizeof *log);
    if (!log)
        abort();
    log->loop = loop;
    snprintf(log->path, sizeof log->path, "%s/%.*s", folder, STR_FMT(account));
    mkdir(log->path, 0700);
    snprintf(log->path, sizeof log->path, "%s/%.*s/%.*s", folder, STR_FMT(account), STR_FMT(region));
    mkdir(log->path, 0700);
    path_of(log->path, sizeof log->path, folder, account, region, name);
    snprintf(log->old_path, sizeof log->old_path, "%s.1", log->path);
    return log;
}

void flog_free(struct flog *log)
{
    if (!log)
        return;
    timer_stop(log->loop, &log->timer);
    flush(log);
    free(log->pending);
    free(log);
}

void flog_write(struct flog *log, struct str text)
{
    int64_t now_us = loop_now_us(log->loop);
    if (now_us - log->second_us >= 1000000) {
        log->second_us = now_us;
        log->in_second = 0;
        if (log->lost) {
            char line[96];
            int len = snprintf(line, sizeof line, "[%lld bytes of output were dropped: over %d a second]\n",
                               (long long)log->lost, BYTES_A_SECOND);
            log->lost = 0;
            append(log, (struct str){ line, (size_t)len });
        }
    }
    if (log->in_second + (int64_t)text.len > BYTES_A_SECOND) {
        log->lost += (int64_t)text.len;
        return;
    }
    log->in_second += (int64_t)text.len;
    append(log, text);
}

static void append(struct flog *log, struct str text)
{
    if (log->len + text.len > log->cap) {
        log->cap = 2 * (log->len + text.len);
        log->pending = realloc(log->pending, log->cap);
        if (!log->pending)
            abort();
    }
    memcpy(log->pending + log->len, text.ptr, text.len);
    log->len += text.len;
    if (log->len > PENDING_MAX) {
        flush(log);
    } else if (!log->waiting) {
        log->waiting = true;
        timer_start(log->loop, &log->timer, FLUSH_US, on_timer);
    }
}

static void on_timer(struct timer *timer)
{
    struct flog *log = (struct flog *)timer; /* its first member */
    log->waiting = false;
    flush(log);
}

/* A log that cannot be written is not worth more than the work it tells of. */
static void flush(struct flog *log)
{
    struct stat info;
    if (log->len == 0)
        return;
    int fd = open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 && fstat(fd, &info) == 0 && info.st_size > FILE_MAX) {
        close(fd);
        rename(log->path, log->old_path);
        fd = open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    }
    if (fd >= 0) {
        if (write(fd, log->pending, log->len) < 0)
            log->lost += (int64_t)log->len;
        close(fd);
    }
    log->len = 0;
}

struct str flog_read(const char *folder, struct str account, struct str region, struct str name, size_t max_bytes,
                     struct arena *arena)
{
    char path[640];
    struct stat info;
    path_of(path, sizeof path, folder, account, region, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &info) != 0) {
        if (fd >= 0)
            close(fd);
        return STR_NONE;
    }
    off_t from = info.st_size > (off_t)max_bytes ? info.st_size - (off_t)max_bytes : 0;
    char *bytes = arena_alloc(arena, max_bytes + 1, 1);
    ssize_t got = pread(fd, bytes, max_bytes, from);
    close(fd);
    struct str text = { bytes, got > 0 ? (size_t)got : 0 };
    ptrdiff_t line = from > 0 ? str_find(text, '\n') : -1;
    return str_from(text, (size_t)(line + 1));
}
