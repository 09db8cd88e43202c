/* What is pending goes to disk: one write and one fdatasync for all who wait; a new file when this one is long or old. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/chain_state.h"
#include "core/log.h"

static const int64_t day_us = 86400LL * 1000000;

static bool write_all(int fd, const char *bytes, size_t len, int64_t at)
{
    while (len > 0) {
        ssize_t n = pwrite(fd, bytes, len, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n == 0 ? ENOSPC : errno;
            return false;
        }
        bytes += n;
        len -= (size_t)n;
        at += n;
    }
    return true;
}

/* The next file, once this one is long or old enough; its last line is then a checkpoint. */
static bool open_segment(struct chain *chain, int64_t first)
{
    struct arena *arena = arena_new(512);
    char name[32];
    snprintf(name, sizeof name, "%012lld" CHAIN_SUFFIX, (long long)first);
    int fd = open(chain_path(arena, chain->folder, name).ptr, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int folder = fd < 0 ? -1 : open(chain->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = folder >= 0 && fsync(folder) == 0; /* the name must last as long as the lines do */
    if (folder >= 0)
        close(folder);
    if (ok) {
        if (chain->fd >= 0)
            close(chain->fd);
        chain->fd = fd;
        chain->offset = 0;
        chain->segment_first = first;
        chain->segment_first_us = env_now_us(chain->config.env);
        memcpy(chain->name, name, sizeof name);
    } else if (fd >= 0) {
        int code = errno;
        close(fd);
        errno = code;
    }
    arena_free(arena);
    return ok;
}

static bool must_turn(const struct chain *chain)
{
    int64_t age_us = env_now_us(chain->config.env) - chain->segment_first_us;
    return chain->fd < 0 || chain->offset >= chain->config.segment_bytes || (chain->offset > 0 && age_us >= day_us);
}

/* The newest checkpoint's line among those just written, or nothing. */
static struct str newest_checkpoint(struct str lines)
{
    while (lines.len > 1) {
        ptrdiff_t cut = str_find_last(str_sub(lines, 0, lines.len - 1), '\n');
        struct str line = str_sub(lines, (size_t)(cut + 1), lines.len - (size_t)(cut + 1) - 1);
        struct chain_line parsed;
        if (chain_line_parse(line, &parsed) && parsed.checkpoint)
            return line;
        lines = str_sub(lines, 0, (size_t)(cut + 1));
    }
    return STR_NONE;
}

static void write_head(struct chain *chain, struct str lines)
{
    struct str line = newest_checkpoint(lines);
    if (!line.ptr)
        return;
    struct arena *arena = arena_new(512);
    if (!chain_write_file(chain_path(arena, chain->folder, "head").ptr, line))
        log_at(LOG_WARN, "the audit log's head cannot be written", { "error", str_of(strerror(errno)) });
    arena_free(arena);
}

static void succeeded(struct chain *chain, size_t len, const struct chain_head *head)
{
    if (chain->error)
        log_plain(LOG_INFO, "the log can be written again");
    chain->error = 0;
    chain->offset += (int64_t)len;
    chain->durable = *head;
    chain->figures.bytes += len;
    chain->figures.syncs++;
}

/* What was taken goes back to the front, as if nothing had been tried. */
static void failed(struct chain *chain, char *taken, size_t taken_len, size_t taken_cap, int code)
{
    if (chain->error != code)
        log_at(LOG_ERROR, "the log cannot be written", { "folder", str_of(chain->folder) }, { "error", str_of(strerror(code)) });
    if (chain->fd >= 0 && ftruncate(chain->fd, chain->offset) != 0)
        log_at(LOG_ERROR, "the log cannot be cut back", { "error", str_of(strerror(errno)) });
    size_t newer = chain->pending_len;
    if (taken_len + newer > taken_cap) {
        taken_cap = taken_len + newer;
        taken = realloc(taken, taken_cap);
        if (!taken)
            abort();
    }
    if (newer)
        memcpy(taken + taken_len, chain->pending, newer);
    free(chain->spare);
    chain->spare = chain->pending;
    chain->spare_cap = chain->pending_cap;
    chain->pending = taken;
    chain->pending_len = taken_len + newer;
    chain->pending_cap = taken_cap;
    chain->error = code;
    chain->figures.failures++;
}

bool chain_flush(struct chain *chain)
{
    if (chain->pending_len == 0)
        return true;
    bool turn = must_turn(chain);
    if (turn && chain->fd >= 0 && chain->since_checkpoint > 0)
        chain_add_checkpoint(chain, "segment");
    chain->flushing = true;
    char *taken = chain->pending;
    size_t len = chain->pending_len, cap = chain->pending_cap;
    struct chain_head head = { .sequence = chain->sequence };
    memcpy(head.hash, chain->hash, sizeof head.hash);
    chain->pending = chain->spare;
    chain->pending_cap = chain->spare_cap;
    chain->pending_len = 0;
    chain->in_flight = len;
    chain->spare = NULL;
    chain->spare_cap = 0;
    pthread_mutex_unlock(&chain->mutex);

    struct chain_line first;
    bool ok = true;
    if (turn && chain->fd < 0) /* the very first file, or none could be opened so far */
        ok = chain_line_parse(str_sub((struct str){ taken, len }, 0, (size_t)str_find((struct str){ taken, len }, '\n')), &first) &&
             open_segment(chain, first.sequence);
    ok = ok && write_all(chain->fd, taken, len, chain->offset) && fdatasync(chain->fd) == 0;
    int code = ok ? 0 : errno ? errno : EIO;
    if (ok)
        write_head(chain, (struct str){ taken, len });

    pthread_mutex_lock(&chain->mutex);
    chain->flushing = false;
    chain->in_flight = 0;
    if (ok) {
        succeeded(chain, len, &head);
        chain->spare = taken;
        chain->spare_cap = cap;
        if (turn && chain->offset > (int64_t)len) { /* it ended with a checkpoint: what comes next begins a file */
            close(chain->fd);
            chain->fd = -1;
            chain->sweep = chain->config.keep_s > 0;
            pthread_cond_signal(&chain->wanted);
        }
    } else {
        failed(chain, taken, len, cap, code);
    }
    pthread_cond_broadcast(&chain->durable_changed);
    return ok;
}
