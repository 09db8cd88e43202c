#include "gateway/domain/certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/digest.h"

enum { MAX_PEM_BYTES = 1024 * 1024 };

static const struct {
    const char *certificate, *key;
} pairs[] = {
    { "cert.pem", "key.pem" },
    { "fullchain.pem", "privkey.pem" },
    { "tls.crt", "tls.key" },
};

static struct seen_file look(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return (struct seen_file){ path, -1, -1, 0 };
    return (struct seen_file){ path, info.st_mtim.tv_sec * INT64_C(1000000000) + info.st_mtim.tv_nsec, info.st_size,
                               info.st_ino };
}

bool seen_files_changed(const struct seen_files *seen)
{
    for (size_t i = 0; i < seen->n; i++) {
        struct seen_file before = seen->items[i], now = look(before.path);
        if (now.modified_ns != before.modified_ns || now.bytes != before.bytes || now.inode != before.inode)
            return true;
    }
    return false;
}

static void note(struct arena *arena, struct seen_files *seen, const char *path)
{
    if (seen->n == seen->cap) {
        size_t grown = seen->cap ? seen->cap * 2 : 8;
        seen->items = arena_grow(arena, seen->items, seen->cap * sizeof *seen->items, grown * sizeof *seen->items);
        seen->cap = grown;
    }
    seen->items[seen->n++] = look(path);
}

/* Absent and *why: cannot be read. `private_`: nobody else may. */
static struct str read_file(struct arena *arena, const char *path, bool private_, struct str *why)
{
    struct stat info;
    struct str text = STR_NONE;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        *why = str_printf(arena, "%s cannot be read: %s", path, fd < 0 ? strerror(errno) : "it is no file");
    else if (info.st_size > MAX_PEM_BYTES)
        *why = str_printf(arena, "%s is larger than 1 MiB", path);
    else if (private_ && (info.st_mode & 077) != 0)
        *why = str_printf(arena, "%s is open to others (mode %03o): chmod 600 it", path, info.st_mode & 0777);
    else {
        char *bytes = arena_alloc(arena, (size_t)info.st_size + 1, 1);
        ssize_t n = read(fd, bytes, (size_t)info.st_size);
        bytes[n > 0 ? n : 0] = '\0';
        text = (struct str){ bytes, n > 0 ? (size_t)n : 0 };
    }
    if (fd >= 0)
        close(fd);
    return text;
}

/* "a/b.pem", never out of its folder. */
static bool stays_inside(struct str path)
{
    struct str rest = path, segment;
    if (!path.len || memchr(path.ptr, '\0', path.len))
        return false;
    while (str_split(&rest, '/', &segment))
        if (!segment.len || segment.ptr[0] == '.')
            return false;
    return true;
}

/* What stands behind the last '/' of an ARN. */
static struct str last_name(struct str arn)
{
    ptrdiff_t slash = str_find_last(arn, '/');
    return slash < 0 ? arn : str_from(arn, (size_t)slash + 1);
}

/* The pair that is there, or the first. */
static size_t pick_pair(const struct certificate_files *files, struct arena *arena, struct str name)
{
    for (size_t i = 0; i < COUNT(pairs); i++) {
        const char *path = str_printf(arena, "%.*s/%.*s/%s", STR_FMT(files->certificates), STR_FMT(name),
                                      pairs[i].certificate).ptr;
        if (access(path, F_OK) == 0)
            return i;
    }
    return 0;
}

/* cert.pem and key.pem, under one of their names. */
struct pair {
    const char *certificate, *key;
};

static bool pair_of(const struct certificate_files *files, struct arena *arena, struct str arn, struct pair *out)
{
    struct str folder = last_name(arn);
    if (!stays_inside(folder))
        return false;
    size_t i = pick_pair(files, arena, folder);
    out->certificate = str_printf(arena, "%.*s/%.*s/%s", STR_FMT(files->certificates), STR_FMT(folder),
                                  pairs[i].certificate).ptr;
    out->key = str_printf(arena, "%.*s/%.*s/%s", STR_FMT(files->certificates), STR_FMT(folder), pairs[i].key).ptr;
    return true;
}

/* Absent: the URI is none of ours. */
static const char *truststore_path(const struct certificate_files *files, struct arena *arena, struct str uri,
                                   struct str version)
{
    struct str path = str_starts(uri, STR("s3://")) || str_starts(uri, STR("file:")) ? str_from(uri, 5) : STR("");
    if (!stays_inside(path) || (version.len && !stays_inside(version)))
        return NULL;
    return str_printf(arena, "%.*s/%.*s%s%.*s", STR_FMT(files->truststores), STR_FMT(path), version.len ? "." : "",
                      STR_FMT(version)).ptr;
}

static const char *list_path(struct arena *arena, const char *truststore)
{
    return str_printf(arena, "%s.crl", truststore).ptr;
}

bool certificate_look(const struct certificate_files *files, struct arena *arena, struct str arn,
                      struct seen_files *seen)
{
    struct pair pair;
    if (!pair_of(files, arena, arn, &pair))
        return false;
    note(arena, seen, pair.certificate);
    note(arena, seen, pair.key);
    return true;
}

bool truststore_look(const struct certificate_files *files, struct arena *arena, struct str uri, struct str version,
                     struct seen_files *seen)
{
    const char *path = truststore_path(files, arena, uri, version);
    if (!path)
        return false;
    note(arena, seen, path);
    note(arena, seen, list_path(arena, path));
    return true;
}

struct tls_certificate *certificate_find(const struct certificate_files *files, struct arena *arena, struct str arn,
                                         struct str name, struct tls_certificate *made, struct str *why)
{
    int64_t now_s = env_now_s(files->env);
    struct pair pair;
    if (!pair_of(files, arena, arn, &pair)) {
        *why = str_printf(arena, "\"%.*s\" is no name of a certificate", STR_FMT(last_name(arn)));
        return NULL;
    }
    if (files->dev && access(pair.certificate, F_OK) != 0)
        return made ? tls_certificate_ref(made) : tls_certificate_self_signed(name, now_s, arena, why);
    struct str certificate = read_file(arena, pair.certificate, false, why);
    struct str key = certificate.ptr ? read_file(arena, pair.key, !files->dev, why) : STR_NONE;
    if (!key.ptr)
        return NULL;
    struct str reason = STR_NONE;
    struct tls_certificate *found = tls_certificate_read(arena, certificate, key, now_s, &reason);
    digest_wipe((char *)(uintptr_t)key.ptr, key.len);
    if (!found)
        *why = str_printf(arena, "%s: %.*s", pair.certificate, STR_FMT(reason));
    return found;
}

struct tls_trust *truststore_find(const struct certificate_files *files, struct arena *arena, struct str uri,
                                  struct str version, struct tls_warnings *warnings, struct str *why)
{
    const char *file = truststore_path(files, arena, uri, version);
    if (!file) {
        *why = STR("it must look like s3://bucket-name/key-name or file:name.pem, a file below the folder of truststores");
        return NULL;
    }
    const char *list_file = list_path(arena, file);
    struct str pem = read_file(arena, file, false, why), lists = STR_NONE, reason = STR_NONE;
    if (!pem.ptr)
        return NULL;
    if (access(list_file, F_OK) == 0) {
        lists = read_file(arena, list_file, false, why);
        if (!lists.ptr) /* a list that cannot be read would let in whom it names */
            return NULL;
    }
    struct tls_trust *trust = tls_trust_read(arena, pem, lists, files->env, warnings, &reason);
    if (!trust)
        *why = str_printf(arena, "%s: %.*s", file, STR_FMT(reason));
    return trust;
}
