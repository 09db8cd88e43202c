#include "core/password.h"

#include <argon2.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base64.h"
#include "core/digest.h"

enum { SALT_BYTES = 16, HASH_BYTES = 32, MOST_HASH_BYTES = 64, MOST_SALT_BYTES = 64 };

const struct password_cost PASSWORD_COST_DEFAULT = { .memory_kib = 19456, .passes = 2, .lanes = 1 };

/* ---- memory ----
 * As many hashes at once as there are processors: more would only take each other's time, and the
 * kernel's for clearing pages. Who waits gets the memory of who leaves; nobody there, it goes back. */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t left;
    int taken, waiting;
    uint8_t *spare;
    size_t spare_bytes;
} desks = { .lock = PTHREAD_MUTEX_INITIALIZER, .left = PTHREAD_COND_INITIALIZER };

static int processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
}

static void leave_desk(uint8_t *memory, size_t bytes);

static int take_desk(uint8_t **memory, size_t bytes)
{
    pthread_mutex_lock(&desks.lock);
    desks.waiting++;
    while (desks.taken >= processors())
        pthread_cond_wait(&desks.left, &desks.lock);
    desks.waiting--;
    desks.taken++;
    uint8_t *spare = desks.spare;
    size_t spare_bytes = desks.spare_bytes;
    desks.spare = NULL;
    pthread_mutex_unlock(&desks.lock);
    if (spare && spare_bytes == bytes) {
        *memory = spare;
        return 0;
    }
    if (spare)
        munmap(spare, spare_bytes);
    void *fresh = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *memory = fresh == MAP_FAILED ? NULL : fresh;
    if (!*memory)
        leave_desk(NULL, 0); /* the library gives back only what it has got */
    return *memory ? 0 : ARGON2_MEMORY_ALLOCATION_ERROR;
}

/* The library has wiped the memory. */
static void leave_desk(uint8_t *memory, size_t bytes)
{
    pthread_mutex_lock(&desks.lock);
    desks.taken--;
    if (desks.waiting > 0 && !desks.spare && memory) {
        desks.spare = memory;
        desks.spare_bytes = bytes;
        memory = NULL;
    }
    pthread_cond_signal(&desks.left);
    pthread_mutex_unlock(&desks.lock);
    if (memory)
        munmap(memory, bytes);
}

static bool argon2id(const struct password_cost *cost, struct str password, struct str salt, uint8_t *out,
                     size_t n)
{
    argon2_context context = {
        .out = out,
        .outlen = (uint32_t)n,
        .version = ARGON2_VERSION_13,
        .pwd = (uint8_t *)(uintptr_t)password.ptr,
        .pwdlen = (uint32_t)password.len,
        .salt = (uint8_t *)(uintptr_t)salt.ptr,
        .saltlen = (uint32_t)salt.len,
        .t_cost = cost->passes,
        .m_cost = cost->memory_kib,
        .lanes = cost->lanes,
        .threads = 1,
        .allocate_cbk = take_desk,
        .free_cbk = leave_desk,
    };
    return argon2id_ctx(&context) == ARGON2_OK;
}

/* ---- PHC strings ---- */

/* Base64 there has no padding. */
static struct str unpadded(struct arena *arena, const uint8_t *bytes, size_t n)
{
    struct str text = base64_encode(arena, digest_str(bytes, n));
    while (str_ends(text, STR("=")))
        text.len--;
    return text;
}

static bool decode(struct arena *arena, struct str text, struct str *bytes)
{
    static const char *const padding[] = { "", "?", "==", "=" };
    return text.len % 4 != 1 &&
           base64_decode(arena, str_concat(arena, text, str_of(padding[text.len % 4])), bytes);
}

struct str password_hash(const struct env *env, struct arena *arena, struct str password,
                         const struct password_cost *cost)
{
    uint8_t salt[SALT_BYTES], out[HASH_BYTES];
    env_random(env, salt, sizeof salt);
    if (!argon2id(cost, password, digest_str(salt, sizeof salt), out, sizeof out))
        return STR_NONE;
    return str_printf(arena, "$argon2id$v=19$m=%u,t=%u,p=%u$%.*s$%.*s", cost->memory_kib, cost->passes,
                      cost->lanes, STR_FMT(unpadded(arena, salt, sizeof salt)),
                      STR_FMT(unpadded(arena, out, sizeof out)));
}

bool password_verify(struct arena *arena, struct str password, struct str hash)
{
    struct password_cost cost;
    struct str rest, part, salt, wanted;
    uint8_t out[MOST_HASH_BYTES];
    int head = 0;
    if (!hash.ptr ||
        sscanf(str_c(arena, hash), "$argon2id$v=19$m=%u,t=%u,p=%u$%n", &cost.memory_kib, &cost.passes,
               &cost.lanes, &head) != 3 ||
        head == 0)
        return false;
    rest = str_from(hash, (size_t)head);
    if (!str_split(&rest, '$', &part) || !rest.ptr || !decode(arena, part, &salt) ||
        !decode(arena, rest, &wanted) || salt.len > MOST_SALT_BYTES || wanted.len > MOST_HASH_BYTES ||
        wanted.len < 4)
        return false;
    return argon2id(&cost, password, salt, out, wanted.len) &&
           digest_equal(digest_str(out, wanted.len), wanted);
}

bool password_hash_is_of(struct str hash, const struct password_cost *cost)
{
    char prefix[64];
    int len = snprintf(prefix, sizeof prefix, "$argon2id$v=19$m=%u,t=%u,p=%u$", cost->memory_kib,
                       cost->passes, cost->lanes);
    return str_starts(hash, (struct str){ prefix, (size_t)len });
}

void password_waste(struct str password, const struct password_cost *cost)
{
    static const uint8_t salt[SALT_BYTES] = { 0 };
    uint8_t out[HASH_BYTES];
    (void)argon2id(cost, password, digest_str(salt, sizeof salt), out, sizeof out);
}
