#include "functions/package.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/base64.h"
#include "core/digest.h"
#include "core/id.h"

static const struct zip_limits limits = { .max_bytes = PACKAGE_MAX_UNZIPPED, .max_entries = 100000 };

static bool write_durably(const char *path, struct str bytes);
static bool sync_folder(const char *path);
static enum zip_verdict unpack(const char *folder, const struct env *env, struct str zip, const char *hex,
                               struct arena *arena, struct str *why);
static bool read_whole(const char *path, struct arena *arena, struct str *out);
static bool same_boot(const char *folder, struct arena *arena);
static const char *incoming(const char *folder, const struct env *env, struct arena *arena);

bool packages_open(const char *folder, struct arena *arena, struct str *why)
{
    static const char *const parts[] = { "", "/packages", "/code", "/incoming", "/logs", "/runtime" };
    remove_tree(str_printf(arena, "%s/incoming", folder).ptr);
    if (!same_boot(folder, arena))
        remove_tree(str_printf(arena, "%s/code", folder).ptr);
    for (size_t i = 0; i < COUNT(parts); i++) {
        const char *path = str_printf(arena, "%s%s", folder, parts[i]).ptr;
        if (mkdir(path, 0700) < 0 && errno != EEXIST) {
            *why = str_printf(arena, "cannot make %s: %s", path, strerror(errno));
            return false;
        }
    }
    return true;
}

/* Whether the trees below code/ were unpacked since this machine started. */
static bool same_boot(const char *folder, struct arena *arena)
{
    const char *path = str_printf(arena, "%s/boot", folder).ptr;
    struct str now = STR_NONE, then = STR_NONE;
    if (!read_whole("/proc/sys/kernel/random/boot_id", arena, &now))
        return false;
    if (read_whole(path, arena, &then) && str_eq(now, then))
        return true;
    mkdir(folder, 0700);
    write_durably(path, now);
    return false;
}

enum zip_verdict package_store(const char *folder, const struct env *env, struct str zip, struct arena *arena,
                               struct package *out, struct str *why)
{
    uint8_t sum[SHA256_BYTES];
    digest_sha256(zip, sum);
    struct str hex = hex_encode(arena, digest_str(sum, sizeof sum));
    memcpy(out->hex, hex.ptr, PACKAGE_HEX + 1);
    out->sha256_base64 = base64_encode(arena, digest_str(sum, sizeof sum));
    out->zip_bytes = (int64_t)zip.len;
    const char *path = package_zip_path(folder, out->hex, arena).ptr;
    enum zip_verdict verdict = zip_check(zip, &limits, arena, why, &out->unpacked_bytes);
    if (verdict != ZIP_FINE)
        return verdict;
    if (access(str_printf(arena, "%s/code/%s", folder, out->hex).ptr, F_OK) != 0)
        verdict = unpack(folder, env, zip, out->hex, arena, why);
    if (verdict != ZIP_FINE || access(path, F_OK) == 0)
        return verdict;
    const char *temporary = incoming(folder, env, arena);
    if (write_durably(temporary, zip) && rename(temporary, path) == 0 &&
        sync_folder(str_printf(arena, "%s/packages", folder).ptr))
        return ZIP_FINE;
    int saved = errno;
    unlink(temporary);
    errno = saved;
    *why = str_printf(arena, "cannot store the package: %s", strerror(saved));
    return ZIP_NO_ROOM;
}

const char *package_unpacked(const char *folder, const struct env *env, const char *hex, struct arena *arena,
                             struct str *why)
{
    const char *path = str_printf(arena, "%s/code/%s", folder, hex).ptr;
    struct str zip;
    if (access(path, F_OK) == 0)
        return path;
    if (!read_whole(package_zip_path(folder, hex, arena).ptr, arena, &zip)) {
        *why = str_printf(arena, "the package %s is missing: %s", hex, strerror(errno));
        return NULL;
    }
    return unpack(folder, env, zip, hex, arena, why) == ZIP_FINE ? path : NULL;
}

struct str package_zip_path(const char *folder, const char *hex, struct arena *arena)
{
    return str_printf(arena, "%s/packages/%s.zip", folder, hex);
}

void package_remove(const char *folder, const char *hex)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/packages/%s.zip", folder, hex);
    unlink(path);
    snprintf(path, sizeof path, "%s/code/%s", folder, hex);
    remove_tree(path);
}

static enum zip_verdict unpack(const char *folder, const struct env *env, struct str zip, const char *hex,
                               struct arena *arena, struct str *why)
{
    const char *temporary = incoming(folder, env, arena);
    const char *path = str_printf(arena, "%s/code/%s", folder, hex).ptr;
    int root = mkdir(temporary, 0755) == 0 ? open(temporary, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (root < 0) {
        *why = str_printf(arena, "cannot make %s: %s", temporary, strerror(errno));
        return ZIP_NO_ROOM;
    }
    fchmod(root, 0755); /* whoever may come so far may read it: the folders above are ours alone */
    enum zip_verdict verdict = zip_unpack(zip, root, &limits, arena, why);
    close(root);
    /* Somebody else may have unpacked the same bytes meanwhile: as good. */
    if (verdict == ZIP_FINE && rename(temporary, path) != 0 && access(path, F_OK) != 0) {
        *why = str_printf(arena, "cannot make %s: %s", path, strerror(errno));
        verdict = ZIP_NO_ROOM;
    }
    int saved = errno;
    remove_tree(temporary);
    errno = saved;
    return verdict;
}

static const char *incoming(const char *folder, const struct env *env, struct arena *arena)
{
    struct str name = id_random(env, arena, 16, ID_LOWER_ALNUM);
    return str_printf(arena, "%s/incoming/%.*s", folder, STR_FMT(name)).ptr;
}

static bool write_durably(const char *path, struct str bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok = fd >= 0;
    while (ok && bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        ok = n > 0 || (n < 0 && errno == EINTR);
        if (n > 0)
            bytes = str_from(bytes, (size_t)n);
    }
    ok = ok && fsync(fd) == 0;
    int saved = errno;
    if (fd >= 0)
        close(fd);
    errno = saved;
    return ok;
}

static bool sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

static bool read_whole(const char *path, struct arena *arena, struct str *out)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    size_t cap = info.st_size > 0 ? (size_t)info.st_size : 4096, len = 0;
    char *bytes = arena_alloc(arena, cap + 1, 1);
    for (ssize_t n; len < cap && (n = read(fd, bytes + len, cap - len)) > 0;)
        len += (size_t)n;
    close(fd);
    bytes[len] = '\0';
    *out = (struct str){ bytes, len };
    return true;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info, (void)kind, (void)where;
    return remove(path);
}

void remove_tree(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void packages_sweep(const char *folder, bool (*keep)(void *ctx, struct str hex), void *ctx)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/packages", folder);
    DIR *all = opendir(path);
    for (struct dirent *one; all && (one = readdir(all));) {
        char hex[PACKAGE_HEX + 1];
        struct str name = str_of(one->d_name);
        if (name.len != PACKAGE_HEX + 4 || !str_ends(name, STR(".zip")))
            continue;
        memcpy(hex, name.ptr, PACKAGE_HEX);
        hex[PACKAGE_HEX] = '\0';
        if (!keep(ctx, str_of(hex)))
            package_remove(folder, hex);
    }
    if (all)
        closedir(all);
}
