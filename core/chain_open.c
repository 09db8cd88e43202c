/* Opening a chain: its folder, its key, and where it left off. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base64.h"
#include "core/chain_state.h"
#include "core/log.h"
#include "core/time.h"

static const struct str key_place = STR_INIT("chain/signing-key");

bool chain_write_file(const char *path, struct str text)
{
    char fresh[4096];
    if ((size_t)snprintf(fresh, sizeof fresh, "%s.new", path) >= sizeof fresh)
        return false;
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && write(fd, text.ptr, text.len) == (ssize_t)text.len && fdatasync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return ok && rename(fresh, path) == 0;
}

static bool open_folder(struct chain *chain, struct arena *arena, struct str *why)
{
    struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    if (mkdir(chain->folder, 0700) != 0 && errno != EEXIST) {
        *why = str_printf(arena, "cannot make the folder %s: %m", chain->folder);
        return false;
    }
    chain->lock_fd = open(chain_path(arena, chain->folder, "lock").ptr, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (chain->lock_fd < 0) {
        *why = str_printf(arena, "cannot write to the folder %s: %m", chain->folder);
        return false;
    }
    if (fcntl(chain->lock_fd, F_SETLK, &whole) != 0) {
        *why = str_printf(arena, "another process writes the log in %s", chain->folder);
        return false;
    }
    return true;
}

static bool new_key(struct chain *chain, struct arena *arena, struct str *why)
{
    uint8_t seed[ED25519_SEED_BYTES];
    struct str path = chain_path(arena, chain->folder, "public-key.pem"), old = STR(""), ignored;
    env_random(chain->config.env, seed, sizeof seed);
    chain->key = ed25519_from_seed(seed);
    struct str sealed = seal(chain->config.sealer, arena, key_place, digest_str(seed, sizeof seed));
    digest_wipe(seed, sizeof seed);
    if (!chain->key) {
        *why = STR("no Ed25519 key can be made");
        return false;
    }
    if (chain_read(arena, path.ptr, &old, &ignored)) /* checkpoints of a key that is gone stay verifiable */
        log_at(LOG_WARN, "the log's signing key is gone; a new one signs from now on", { "folder", str_of(chain->folder) });
    if (!chain_write_file(path.ptr, str_concat(arena, ed25519_pem(arena, chain->key), old)) ||
        !chain_write_file(chain_path(arena, chain->folder, "signing-key").ptr, sealed)) {
        *why = str_printf(arena, "cannot write the signing key to %s: %m", chain->folder);
        return false;
    }
    return true;
}

bool chain_keys_open(struct chain *chain, struct arena *arena, struct str *why)
{
    struct str path, sealed, seed;
    if (!open_folder(chain, arena, why))
        return false;
    path = chain_path(arena, chain->folder, "signing-key");
    if (access(path.ptr, F_OK) != 0) {
        if (!new_key(chain, arena, why))
            return false;
    } else {
        if (!chain_read(arena, path.ptr, &sealed, why))
            return false;
        if (!unseal(chain->config.sealer, arena, key_place, sealed, &seed) || seed.len != ED25519_SEED_BYTES) {
            *why = str_printf(arena, "%s is damaged, or sealed with another key", path.ptr);
            return false;
        }
        chain->key = ed25519_from_seed((const uint8_t *)seed.ptr);
        digest_wipe((char *)seed.ptr, seed.len);
    }
    struct str id = chain->key ? ed25519_id(arena, chain->key) : STR("");
    memcpy(chain->key_id, id.ptr, id.len < 16 ? id.len : 16);
    return chain->key != NULL;
}

/* ---- where it left off ---- */

/* The last line of `text` that is whole and ours; *end is where it ends. What follows is torn: a line without its
 * newline, or pages that a power cut left empty. A line that was changed is left for verification to tell. */
static bool last_whole_line(struct str text, struct str *line, size_t *end)
{
    struct chain_line parsed;
    for (size_t stop = text.len; stop > 0;) {
        ptrdiff_t newline = str_find_last(str_sub(text, 0, stop), '\n');
        if (newline < 0)
            return false;
        ptrdiff_t before = str_find_last(str_sub(text, 0, (size_t)newline), '\n');
        *line = str_sub(text, (size_t)(before + 1), (size_t)(newline - before - 1));
        *end = (size_t)newline + 1;
        if (chain_line_parse(*line, &parsed))
            return true;
        stop = (size_t)newline;
    }
    return false;
}

/* What the newest checkpoint, of which the head is a copy, says: where the log begins, and how far it went at least. */
static bool take_head(struct chain *chain, struct arena *arena, struct chain_head *out)
{
    struct str head, ignored;
    struct chain_checkpoint checkpoint;
    struct chain_line line;
    chain->first = 1;
    memset(chain->first_previous, '0', CHAIN_HASH_TEXT);
    if (!chain_read(arena, chain_path(arena, chain->folder, "head").ptr, &head, &ignored) || !chain_line_parse(head, &line) ||
        !chain_checkpoint_parse(arena, head, &checkpoint) || !ed25519_verify(chain->key, checkpoint.signed_part, checkpoint.signature))
        return false;
    chain->first = checkpoint.first;
    memcpy(chain->first_previous, checkpoint.first_previous.ptr, CHAIN_HASH_TEXT);
    out->sequence = line.sequence;
    chain_hash(head, out->hash);
    return true;
}

static bool heal(struct chain *chain, const struct chain_segment *segment, size_t end, struct arena *arena, struct str *why)
{
    int64_t torn = segment->bytes - (int64_t)end;
    if (torn <= 0)
        return true;
    if (ftruncate(chain->fd, (off_t)end) != 0 || fdatasync(chain->fd) != 0) {
        *why = str_printf(arena, "cannot cut the torn end off %s: %m", segment->path.ptr);
        return false;
    }
    chain->healed_bytes += torn;
    log_at(LOG_WARN, "the log's last line was torn and is cut off; it had not been acknowledged", { "file", segment->path },
           { "bytes", str_printf(arena, "%lld", (long long)torn) });
    return true;
}

static bool resume_segment(struct chain *chain, const struct chain_segment *segment, bool *empty, struct arena *arena, struct str *why)
{
    struct str text = STR(""), line = STR("");
    struct chain_line parsed;
    struct stat info;
    size_t end = 0;
    struct arena *own = arena_new(1024);
    bool ok = chain_read(own, segment->path.ptr, &text, why);
    if (!ok)
        *why = str_copy(arena, *why);
    chain->fd = ok ? open(segment->path.ptr, O_RDWR | O_CLOEXEC) : -1;
    if (ok && (chain->fd < 0 || fstat(chain->fd, &info) != 0)) {
        *why = str_printf(arena, "cannot write %s: %m", segment->path.ptr);
        ok = false;
    }
    *empty = ok && !last_whole_line(text, &line, &end);
    if (*empty)
        end = 0;
    ok = ok && heal(chain, segment, end, arena, why);
    if (ok && !*empty && chain_line_parse(line, &parsed)) {
        chain->sequence = parsed.sequence;
        chain_hash(line, chain->hash);
        chain->offset = (int64_t)end;
        chain->segment_first = segment->first;
        chain->segment_first_us = (int64_t)info.st_mtim.tv_sec * 1000000;
    }
    if (!ok || *empty) {
        if (chain->fd >= 0)
            close(chain->fd);
        chain->fd = -1;
    }
    arena_free(own);
    return ok;
}

bool chain_resume(struct chain *chain, struct arena *arena, struct str *why)
{
    struct chain_segment *segments;
    size_t n;
    bool empty = true;
    struct chain_head head;
    bool has_head = take_head(chain, arena, &head);
    if (!chain_segments(arena, chain->folder, &segments, &n, why))
        return false;
    while (n > 0 && empty) { /* a file that was begun and got no whole line: the one before counts */
        if (!resume_segment(chain, &segments[n - 1], &empty, arena, why))
            return false;
        if (empty && unlink(segments[n - 1].path.ptr) != 0) {
            *why = str_printf(arena, "cannot remove the empty file %s: %m", segments[n - 1].path.ptr);
            return false;
        }
        n--;
    }
    if (has_head && head.sequence > chain->sequence) { /* it goes on after the gap, so that verification tells of it for ever */
        log_at(LOG_ERROR, "records are missing from the log", { "folder", str_of(chain->folder) },
               { "after", str_printf(arena, "%lld", (long long)chain->sequence) },
               { "until", str_printf(arena, "%lld", (long long)head.sequence) });
        chain->sequence = head.sequence;
        memcpy(chain->hash, head.hash, sizeof chain->hash);
        if (chain->fd >= 0)
            close(chain->fd);
        chain->fd = -1;
    }
    chain->durable.sequence = chain->sequence;
    memcpy(chain->durable.hash, chain->hash, sizeof chain->hash);
    return true;
}

/* ---- letting go ---- */

/* When a file was ended: its last line is a checkpoint with the time. 0: it is not. */
static double ended_s(const struct chain_segment *segment, struct arena *arena, char last[CHAIN_HASH_TEXT + 1], int64_t *sequence)
{
    struct str text, line, ignored;
    struct chain_checkpoint checkpoint;
    struct chain_line parsed;
    uint8_t hash[SHA256_BYTES];
    size_t end;
    double s = 0;
    if (!chain_read(arena, segment->path.ptr, &text, &ignored) || !last_whole_line(text, &line, &end) ||
        !chain_line_parse(line, &parsed) || !chain_checkpoint_parse(arena, line, &checkpoint) || !time_parse_iso8601(checkpoint.at, &s))
        return 0;
    chain_hash(line, hash);
    chain_hash_text(hash, last);
    *sequence = parsed.sequence;
    return s;
}

/* First a signed word on where the log begins from now on, then the files go: whoever looks in between finds too much,
 * not too little. */
void chain_sweep(struct chain *chain)
{
    struct arena *arena = arena_new(4096);
    struct chain_segment *segments;
    struct str why;
    size_t n, gone = 0;
    double until_s = (double)env_now_s(chain->config.env) - (double)chain->config.keep_s;
    char last[CHAIN_HASH_TEXT + 1], keep[CHAIN_HASH_TEXT + 1];
    int64_t sequence = 0, first = 0;
    if (!chain_segments(arena, chain->folder, &segments, &n, &why))
        n = 0;
    while (gone + 1 < n) { /* the newest is being written */
        struct arena *one = arena_new(1024);
        double s = ended_s(&segments[gone], one, last, &sequence);
        arena_free(one);
        if (s <= 0 || s >= until_s)
            break;
        first = sequence + 1;
        memcpy(keep, last, sizeof keep);
        gone++;
    }
    if (gone > 0) {
        pthread_mutex_lock(&chain->mutex);
        chain->first = first;
        memcpy(chain->first_previous, keep, sizeof keep);
        pthread_mutex_unlock(&chain->mutex);
        if (chain_checkpoint(chain, "retention"))
            for (size_t i = 0; i < gone; i++)
                unlink(segments[i].path.ptr);
        log_at(LOG_INFO, "old files of the log are gone", { "files", str_printf(arena, "%zu", gone) },
               { "first", str_printf(arena, "%lld", (long long)first) });
    }
    arena_free(arena);
}
