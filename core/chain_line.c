#include "core/chain_line.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base64.h"
#include "core/json_tree.h"

static const struct str begins = STR_INIT("{\"sequence\":"), then = STR_INIT(",\"previousHash\":\""), after = STR_INIT("\","),
                        is_checkpoint = STR_INIT("\"checkpoint\":{"), sealed_with = STR_INIT(",\"signature\":\"");

static bool is_hash(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!((text.ptr[i] >= '0' && text.ptr[i] <= '9') || (text.ptr[i] >= 'a' && text.ptr[i] <= 'f')))
            return false;
    return text.len == CHAIN_HASH_TEXT;
}

bool chain_line_parse(struct str text, struct chain_line *out)
{
    *out = (struct chain_line){ 0 };
    if (!str_starts(text, begins) || !str_ends(text, STR("}")))
        return false;
    struct str rest = str_from(text, begins.len);
    size_t digits = 0;
    while (digits < rest.len && digits < 19 && rest.ptr[digits] >= '0' && rest.ptr[digits] <= '9')
        digits++;
    if (!str_i64(str_sub(rest, 0, digits), &out->sequence) || out->sequence < 1)
        return false;
    rest = str_from(rest, digits);
    if (!str_starts(rest, then))
        return false;
    rest = str_from(rest, then.len);
    out->previous = str_sub(rest, 0, CHAIN_HASH_TEXT);
    rest = str_from(rest, out->previous.len);
    if (!is_hash(out->previous) || !str_starts(rest, after))
        return false;
    out->body = str_from(rest, after.len);
    out->checkpoint = str_starts(out->body, is_checkpoint);
    return true;
}

void chain_hash(struct str text, uint8_t out[SHA256_BYTES])
{
    digest_sha256(text, out);
}

void chain_hash_text(const uint8_t hash[SHA256_BYTES], char out[CHAIN_HASH_TEXT + 1])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        out[2 * i] = digits[hash[i] >> 4];
        out[2 * i + 1] = digits[hash[i] & 15];
    }
    out[CHAIN_HASH_TEXT] = 0;
}

static int64_t number(const struct jt *object, const char *name)
{
    const struct jt *value = jt_get(object, str_of(name));
    int64_t n = 0;
    return jt_is(value, JT_NUMBER) && jt_number_i64(jt_text(value), &n) ? n : 0;
}

bool chain_checkpoint_parse(struct arena *arena, struct str text, struct chain_checkpoint *out)
{
    struct str why, tail;
    *out = (struct chain_checkpoint){ 0 };
    ptrdiff_t at = str_find_str(text, sealed_with);
    const struct jt *all = at < 0 ? NULL : jt_parse(arena, text, &why), *c = all ? jt_get(all, STR("checkpoint")) : NULL;
    if (!jt_is(c, JT_OBJECT))
        return false;
    out->at = jt_get_str(c, "at");
    out->reason = jt_get_str(c, "reason");
    out->key_id = jt_get_str(c, "keyId");
    out->first_previous = jt_get_str(c, "firstPreviousHash");
    out->first = number(c, "first");
    out->every = number(c, "every");
    out->healed_bytes = number(c, "healedBytes");
    out->lost = number(c, "lost");
    out->signed_part = str_sub(text, 0, (size_t)at);
    tail = str_from(text, (size_t)at + sealed_with.len);
    return str_ends(tail, STR("\"}")) && base64url_decode(arena, str_sub(tail, 0, tail.len - 2), &out->signature) &&
           out->first > 0 && is_hash(out->first_previous);
}

/* ---- files ---- */

static int in_order(const void *a, const void *b)
{
    const struct chain_segment *x = a, *y = b;
    return (x->first > y->first) - (x->first < y->first);
}

bool chain_segments(struct arena *arena, const char *folder, struct chain_segment **out, size_t *n, struct str *why)
{
    size_t cap = 16;
    DIR *dir = opendir(folder);
    *n = 0;
    *out = ARENA_ARRAY(arena, struct chain_segment, cap);
    if (!dir) {
        *why = str_printf(arena, "cannot read the folder %s: %m", folder);
        return false;
    }
    for (struct dirent *entry; (entry = readdir(dir));) {
        struct str name = str_of(entry->d_name);
        int64_t first;
        struct stat info;
        if (!str_ends(name, STR(CHAIN_SUFFIX)) || !str_i64(str_sub(name, 0, name.len - strlen(CHAIN_SUFFIX)), &first) || first < 1)
            continue;
        if (*n == cap) {
            *out = arena_grow(arena, *out, cap * sizeof **out, 2 * cap * sizeof **out);
            cap *= 2;
        }
        struct chain_segment *segment = &(*out)[(*n)++];
        *segment = (struct chain_segment){ .name = str_copy(arena, name), .path = chain_path(arena, folder, entry->d_name), .first = first };
        if (stat(segment->path.ptr, &info) == 0)
            segment->bytes = info.st_size;
    }
    closedir(dir);
    qsort(*out, *n, sizeof **out, in_order);
    return true;
}

struct str chain_path(struct arena *arena, const char *folder, const char *name)
{
    return str_printf(arena, "%s/%s", folder, name);
}

bool chain_read(struct arena *arena, const char *path, struct str *out, struct str *why)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *bytes = NULL;
    size_t have = 0;
    bool ok = fd >= 0 && fstat(fd, &info) == 0;
    if (ok) {
        bytes = malloc((size_t)info.st_size + 1);
        if (!bytes)
            abort();
        arena_defer(arena, free, bytes);
    }
    while (ok && have < (size_t)info.st_size) {
        ssize_t got = read(fd, bytes + have, (size_t)info.st_size - have);
        if (got == 0)
            break;
        ok = got > 0 || errno == EINTR;
        have += got > 0 ? (size_t)got : 0;
    }
    if (!ok)
        *why = str_printf(arena, "cannot read %s: %m", path);
    if (fd >= 0)
        close(fd);
    *out = (struct str){ bytes, have };
    return ok;
}
