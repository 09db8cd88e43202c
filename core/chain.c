#include "core/chain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "core/base64.h"
#include "core/chain_state.h"
#include "core/log.h"
#include "core/time.h"

enum { SPARE_BYTES = 4 << 20, SPARE_LIMIT_BYTES = 64 << 10, SWEEP_MS = 600 * 1000 };

static void *tick(void *ptr);

static void defaults(struct chain_config *config)
{
    if (!config->segment_bytes)
        config->segment_bytes = 64LL << 20;
    if (!config->checkpoint_records)
        config->checkpoint_records = 1000;
    if (!config->checkpoint_ms)
        config->checkpoint_ms = 60000;
    if (!config->flush_ms)
        config->flush_ms = 500;
}

struct chain *chain_open(const struct chain_config *config, struct arena *arena, struct str *why)
{
    struct chain *chain = calloc(1, sizeof *chain);
    pthread_condattr_t monotonic;
    if (!chain)
        abort();
    chain->config = *config;
    defaults(&chain->config);
    chain->folder = strdup(config->folder);
    chain->fd = chain->lock_fd = -1;
    pthread_mutex_init(&chain->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&chain->durable_changed, &monotonic);
    pthread_cond_init(&chain->wanted, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (!chain_keys_open(chain, arena, why) || !chain_resume(chain, arena, why)) {
        chain_close(chain);
        return NULL;
    }
    chain->checkpoint_at_us = env_monotonic_us(config->env);
    chain->ticking = pthread_create(&chain->ticker, NULL, tick, chain) == 0;
    return chain;
}

void chain_close(struct chain *chain)
{
    if (!chain)
        return;
    pthread_mutex_lock(&chain->mutex);
    chain->closing = true;
    pthread_cond_signal(&chain->wanted);
    pthread_mutex_unlock(&chain->mutex);
    if (chain->ticking) {
        pthread_join(chain->ticker, NULL);
        if (chain->begun)
            chain_checkpoint(chain, "stop");
    }
    if (chain->fd >= 0)
        close(chain->fd);
    if (chain->lock_fd >= 0)
        close(chain->lock_fd);
    ed25519_free(chain->key);
    pthread_cond_destroy(&chain->wanted);
    pthread_cond_destroy(&chain->durable_changed);
    pthread_mutex_destroy(&chain->mutex);
    free(chain->pending);
    free(chain->spare);
    free(chain->folder);
    free(chain);
}

/* ---- appending ---- */

static void reserve(struct chain *chain, size_t bytes)
{
    if (chain->pending_len + bytes <= chain->pending_cap)
        return;
    while (chain->pending_len + bytes > chain->pending_cap)
        chain->pending_cap = chain->pending_cap ? 2 * chain->pending_cap : 16384;
    chain->pending = realloc(chain->pending, chain->pending_cap);
    if (!chain->pending)
        abort();
}

/* One more line: `body` is what follows sequence and hash. */
static void add_line(struct chain *chain, struct str body, size_t tail_room)
{
    char previous[CHAIN_HASH_TEXT + 1];
    reserve(chain, body.len + tail_room + 160);
    chain_hash_text(chain->hash, previous);
    char *at = chain->pending + chain->pending_len;
    int head = snprintf(at, 160, "{\"sequence\":%lld,\"previousHash\":\"%s\",", (long long)++chain->sequence, previous);
    memcpy(at + head, body.ptr, body.len);
    size_t len = (size_t)head + body.len;
    if (tail_room) { /* a checkpoint: the signature goes behind what it covers */
        uint8_t signature[ED25519_SIGNATURE_BYTES] = { 0 };
        struct arena *arena = arena_new(512);
        ed25519_sign(chain->key, (struct str){ at, len }, signature);
        struct str text = base64url_encode(arena, digest_str(signature, sizeof signature));
        len += (size_t)snprintf(at + len, tail_room, ",\"signature\":\"%.*s\"}", STR_FMT(text));
        arena_free(arena);
    }
    chain_hash((struct str){ at, len }, chain->hash);
    at[len] = '\n';
    chain->pending_len += len + 1;
    chain->since_checkpoint++;
    chain->figures.lines++;
}

void chain_add_checkpoint(struct chain *chain, const char *reason)
{
    struct arena *arena = arena_new(1024);
    uint64_t lost = chain->figures.lost - chain->lost_told;
    struct str body = str_printf(
        arena,
        "\"checkpoint\":{\"at\":\"%s\",\"reason\":\"%s\",\"first\":%lld,\"firstPreviousHash\":\"%s\",\"every\":%lld,"
        "\"healedBytes\":%lld,\"lost\":%llu,\"keyId\":\"%s\"}",
        time_iso8601(arena, env_now_s(chain->config.env)).ptr, reason, (long long)chain->first, chain->first_previous,
        (long long)chain->config.checkpoint_records, (long long)chain->healed_bytes, (unsigned long long)lost, chain->key_id);
    add_line(chain, body, 128);
    chain->lost_told += lost;
    chain->healed_bytes = 0;
    chain->since_checkpoint = 0;
    chain->checkpoint_at_us = env_monotonic_us(chain->config.env);
    chain->figures.checkpoints++;
    chain->begun = true;
    arena_free(arena);
}

static bool fits(const struct chain *chain, size_t bytes)
{
    return chain->in_flight + chain->pending_len + bytes + 1024 <= CHAIN_PENDING_BYTES;
}

bool chain_append(struct chain *chain, struct str object, bool wait)
{
    bool ok = true;
    pthread_mutex_lock(&chain->mutex);
    if (!fits(chain, object.len)) { /* the disk has refused for long */
        chain->figures.lost++;
        pthread_mutex_unlock(&chain->mutex);
        return false;
    }
    if (!chain->begun)
        chain_add_checkpoint(chain, "start");
    bool idle = chain->pending_len == 0 || chain->since_checkpoint == 0;
    add_line(chain, str_from(object, 1), 0);
    int64_t mine = chain->sequence;
    if (chain->since_checkpoint >= chain->config.checkpoint_records)
        chain_add_checkpoint(chain, "records");
    if (idle)
        pthread_cond_signal(&chain->wanted);
    while (wait && ok && chain->durable.sequence < mine) {
        if (chain->flushing)
            pthread_cond_wait(&chain->durable_changed, &chain->mutex);
        else
            ok = chain_flush(chain);
        if (!chain->flushing && chain->error && chain->durable.sequence < mine)
            ok = false;
    }
    pthread_mutex_unlock(&chain->mutex);
    return ok;
}

bool chain_sync(struct chain *chain)
{
    pthread_mutex_lock(&chain->mutex);
    while (chain->flushing)
        pthread_cond_wait(&chain->durable_changed, &chain->mutex);
    bool ok = chain_flush(chain);
    pthread_mutex_unlock(&chain->mutex);
    return ok;
}

bool chain_checkpoint(struct chain *chain, const char *reason)
{
    pthread_mutex_lock(&chain->mutex);
    while (chain->flushing)
        pthread_cond_wait(&chain->durable_changed, &chain->mutex);
    chain_add_checkpoint(chain, reason);
    bool ok = chain_flush(chain);
    pthread_mutex_unlock(&chain->mutex);
    return ok;
}

/* ---- may there be more? ---- */

/* Reserving space ahead would make each append dearer by a third (measured, ext4); so there must be room to spare. */
bool chain_ready(struct chain *chain, struct arena *arena, struct str *why)
{
    struct statvfs disk;
    struct rlimit limit;
    pthread_mutex_lock(&chain->mutex);
    if (chain->error && !chain->flushing)
        chain_flush(chain);
    int code = chain->error;
    int64_t end = chain->offset + (int64_t)chain->pending_len;
    pthread_mutex_unlock(&chain->mutex);
    if (!code && statvfs(chain->folder, &disk) != 0)
        code = errno;
    if (!code && disk.f_bavail * disk.f_frsize < SPARE_BYTES)
        code = ENOSPC;
    if (!code && getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        (rlim_t)(end + SPARE_LIMIT_BYTES) > limit.rlim_cur)
        code = EFBIG;
    if (code)
        *why = str_printf(arena, "%s", strerror(code));
    return code == 0;
}

/* ---- what nobody waits for ---- */

static void add_ms(struct timespec *at, int64_t ms)
{
    clock_gettime(CLOCK_MONOTONIC, at);
    at->tv_sec += ms / 1000;
    at->tv_nsec += ms % 1000 * 1000000;
    if (at->tv_nsec >= 1000000000) {
        at->tv_sec++;
        at->tv_nsec -= 1000000000;
    }
}

/* Flushes what is left lying, signs once a minute, drops old files. It sleeps for good while there is nothing to do. */
static void *tick(void *ptr)
{
    struct chain *chain = ptr;
    const struct chain_config *config = &chain->config;
    struct timespec until;
    int64_t swept_us = 0;
    pthread_mutex_lock(&chain->mutex);
    while (!chain->closing) {
        int64_t now_us = env_monotonic_us(config->env);
        int64_t due_us = chain->checkpoint_at_us + config->checkpoint_ms * 1000;
        if (chain->since_checkpoint > 0 && now_us >= due_us && fits(chain, 0))
            chain_add_checkpoint(chain, "time");
        if (chain->pending_len > 0 && !chain->flushing)
            chain_flush(chain);
        if (config->keep_s && (swept_us == 0 || chain->sweep || now_us - swept_us >= SWEEP_MS * 1000LL)) {
            swept_us = now_us;
            chain->sweep = false;
            pthread_mutex_unlock(&chain->mutex);
            chain_sweep(chain);
            pthread_mutex_lock(&chain->mutex);
            continue;
        }
        if (chain->closing)
            break;
        int64_t wait_ms = chain->pending_len > 0 ? config->flush_ms
                          : chain->since_checkpoint > 0 ? (due_us - now_us) / 1000 + 1
                          : config->keep_s ? SWEEP_MS
                                           : 0;
        if (wait_ms <= 0 && chain->pending_len == 0) {
            pthread_cond_wait(&chain->wanted, &chain->mutex);
        } else {
            add_ms(&until, wait_ms > 0 ? wait_ms : config->flush_ms);
            pthread_cond_timedwait(&chain->wanted, &chain->mutex, &until);
        }
        if (!chain->closing && !chain->sweep && chain->pending_len > 0) { /* others may come meanwhile: one sync for all */
            add_ms(&until, config->flush_ms);
            while (!chain->closing && chain->pending_len > 0 &&
                   pthread_cond_timedwait(&chain->wanted, &chain->mutex, &until) == 0)
                ;
        }
    }
    pthread_mutex_unlock(&chain->mutex);
    return NULL;
}

/* ---- about it ---- */

void chain_head(struct chain *chain, struct chain_head *out)
{
    pthread_mutex_lock(&chain->mutex);
    *out = chain->durable;
    pthread_mutex_unlock(&chain->mutex);
}

void chain_await(struct chain *chain, int64_t sequence, int64_t timeout_ms)
{
    struct timespec until;
    add_ms(&until, timeout_ms);
    pthread_mutex_lock(&chain->mutex);
    while (chain->durable.sequence <= sequence && !chain->closing &&
           pthread_cond_timedwait(&chain->durable_changed, &chain->mutex, &until) == 0)
        ;
    pthread_mutex_unlock(&chain->mutex);
}

struct str chain_public_key(const struct chain *chain, struct arena *arena)
{
    return ed25519_pem(arena, chain->key);
}

void chain_figures(struct chain *chain, struct chain_figures *out)
{
    pthread_mutex_lock(&chain->mutex);
    *out = chain->figures;
    pthread_mutex_unlock(&chain->mutex);
}

const char *chain_folder(const struct chain *chain)
{
    return chain->folder;
}
