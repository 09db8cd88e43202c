#include "core/zip.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

/* One pass over one archive. */
struct pass {
    zip_t *zip;
    int root; /* -1: only look */
    const struct zip_limits *limits;
    struct arena *arena;
    struct str *why;
    int64_t bytes, files;
};

static enum zip_verdict walk(struct pass *pass);
static enum zip_verdict take_entry(struct pass *pass, zip_uint64_t index);
static enum zip_verdict take_file(struct pass *pass, zip_uint64_t index, struct str name, mode_t mode);
static enum zip_verdict inflate(struct pass *pass, zip_file_t *file, int out);
static bool entry_mode(zip_t *zip, zip_uint64_t index, bool is_folder, mode_t *mode);
static int open_folder(int root, struct arena *arena, struct str path);
static bool write_all(int fd, const char *ptr, size_t len);
static enum zip_verdict blame(struct pass *pass, enum zip_verdict verdict, struct str name, const char *reason);
static enum zip_verdict run(struct pass *pass, struct str bytes);

enum zip_verdict zip_unpack(struct str bytes, int root, const struct zip_limits *limits,
                            struct arena *arena, struct str *why)
{
    struct pass pass = { .root = root, .limits = limits, .arena = arena, .why = why };
    return run(&pass, bytes);
}

enum zip_verdict zip_check(struct str bytes, const struct zip_limits *limits, struct arena *arena,
                           struct str *why, int64_t *unpacked_bytes)
{
    struct pass pass = { .root = -1, .limits = limits, .arena = arena, .why = why };
    enum zip_verdict verdict = run(&pass, bytes);
    if (unpacked_bytes)
        *unpacked_bytes = pass.bytes;
    return verdict;
}

bool zip_name_is_safe(struct str name)
{
    if (name.len == 0 || name.len > 4096 || name.ptr[0] == '/')
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] == '\\' || (unsigned char)name.ptr[i] < 0x20 || name.ptr[i] == 0x7f)
            return false;
    if (name.ptr[name.len - 1] == '/')
        name.len--;
    struct str part;
    while (str_split(&name, '/', &part))
        if (part.len == 0 || part.len > 255 || str_is(part, ".") || str_is(part, ".."))
            return false;
    return true;
}

static enum zip_verdict run(struct pass *pass, struct str bytes)
{
    enum zip_verdict verdict = ZIP_BROKEN;
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t *source = zip_source_buffer_create(bytes.ptr, bytes.len, 0, &error);
    if (!source)
        goto done;
    pass->zip = zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error);
    if (!pass->zip) {
        zip_source_free(source);
        verdict = blame(pass, ZIP_BROKEN, STR("archive"), zip_error_strerror(&error));
        goto done;
    }
    verdict = walk(pass);
    zip_discard(pass->zip); /* frees the source too */
done:
    zip_error_fini(&error);
    return verdict;
}

static enum zip_verdict walk(struct pass *pass)
{
    zip_int64_t n = zip_get_num_entries(pass->zip, 0);
    if (n > pass->limits->max_entries)
        return blame(pass, ZIP_TOO_LARGE, STR("archive"), "too many entries");
    for (zip_int64_t i = 0; i < n; i++) {
        enum zip_verdict verdict = take_entry(pass, (zip_uint64_t)i);
        if (verdict != ZIP_FINE)
            return verdict;
    }
    return pass->files > 0 ? ZIP_FINE : ZIP_EMPTY;
}

static enum zip_verdict take_entry(struct pass *pass, zip_uint64_t index)
{
    /* Raw: libzip would otherwise guess an encoding and hand out other bytes than are there. */
    const char *raw = zip_get_name(pass->zip, index, ZIP_FL_ENC_RAW);
    struct zip_stat stat;
    if (!raw || zip_stat_index(pass->zip, index, 0, &stat) != 0)
        return blame(pass, ZIP_BROKEN, STR("archive"), zip_strerror(pass->zip));
    struct str name = str_of(raw);
    bool is_folder = name.len && name.ptr[name.len - 1] == '/';
    mode_t mode;
    if (!zip_name_is_safe(name))
        return blame(pass, ZIP_UNSAFE, name, "unsafe name");
    if (!entry_mode(pass->zip, index, is_folder, &mode))
        return blame(pass, ZIP_UNSAFE, name, "neither file nor folder");
    if ((stat.valid & ZIP_STAT_ENCRYPTION_METHOD) && stat.encryption_method != ZIP_EM_NONE)
        return blame(pass, ZIP_BROKEN, name, "encrypted");
    if (!is_folder)
        return take_file(pass, index, name, mode);
    if (pass->root >= 0) {
        int fd = open_folder(pass->root, pass->arena, name);
        if (fd < 0)
            return blame(pass, errno == ENOSPC ? ZIP_NO_ROOM : ZIP_UNSAFE, name, "cannot make the folder");
        close(fd);
    }
    return ZIP_FINE;
}

static enum zip_verdict take_file(struct pass *pass, zip_uint64_t index, struct str name, mode_t mode)
{
    int out = -1;
    if (pass->root >= 0) {
        ptrdiff_t slash = str_find_last(name, '/');
        int folder = open_folder(pass->root, pass->arena, slash < 0 ? STR("") : str_sub(name, 0, (size_t)slash));
        if (folder < 0)
            return blame(pass, errno == ENOSPC ? ZIP_NO_ROOM : ZIP_UNSAFE, name, "cannot make its folder");
        const char *leaf = str_c(pass->arena, str_from(name, (size_t)(slash + 1)));
        out = openat(folder, leaf, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
        int saved = errno;
        close(folder);
        if (out < 0)
            return blame(pass, saved == ENOSPC ? ZIP_NO_ROOM : ZIP_UNSAFE, name,
                         saved == EEXIST ? "twice in the archive" : "cannot be created");
        fchmod(out, mode); /* whatever the umask says, other users' ids must read it in the sandbox */
    }
    zip_file_t *file = zip_fopen_index(pass->zip, index, 0);
    enum zip_verdict verdict =
        file ? inflate(pass, file, out) : blame(pass, ZIP_BROKEN, name, zip_strerror(pass->zip));
    if (file && zip_fclose(file) != 0 && verdict == ZIP_FINE)
        verdict = blame(pass, ZIP_BROKEN, name, "wrong checksum");
    if (out >= 0)
        close(out);
    pass->files++;
    return verdict;
}

static enum zip_verdict inflate(struct pass *pass, zip_file_t *file, int out)
{
    char buffer[64 * 1024];
    for (;;) {
        zip_int64_t got = zip_fread(file, buffer, sizeof buffer);
        if (got < 0)
            return blame(pass, ZIP_BROKEN, STR("archive"), zip_file_strerror(file));
        if (got == 0)
            return ZIP_FINE;
        pass->bytes += got;
        if (pass->bytes > pass->limits->max_bytes)
            return blame(pass, ZIP_TOO_LARGE, STR("archive"), "unpacks to too many bytes");
        if (out >= 0 && !write_all(out, buffer, (size_t)got))
            return blame(pass, ZIP_NO_ROOM, STR("archive"), "cannot be written");
    }
}

/* Unix modes stand in the upper half of the external attributes; archives made elsewhere have
 * none, and their files are plain. */
static bool entry_mode(zip_t *zip, zip_uint64_t index, bool is_folder, mode_t *mode)
{
    zip_uint8_t made_on;
    zip_uint32_t attributes;
    *mode = 0444;
    if (zip_file_get_external_attributes(zip, index, 0, &made_on, &attributes) != 0)
        return false;
    if (made_on != ZIP_OPSYS_UNIX && made_on != ZIP_OPSYS_OS_X)
        return true;
    mode_t unix_mode = attributes >> 16;
    if (unix_mode & S_IFMT && !(is_folder ? S_ISDIR(unix_mode) : S_ISREG(unix_mode)))
        return false;
    *mode = (unix_mode & 0111) ? 0555 : 0444;
    return true;
}

/* Makes and opens root/path part by part, never through a link. "" is root itself. */
static int open_folder(int root, struct arena *arena, struct str path)
{
    int at = fcntl(root, F_DUPFD_CLOEXEC, 3);
    struct str part;
    if (path.len && path.ptr[path.len - 1] == '/')
        path.len--;
    if (path.len == 0)
        return at;
    while (at >= 0 && str_split(&path, '/', &part)) {
        const char *name = str_c(arena, part);
        int next = -1;
        bool fresh = mkdirat(at, name, 0755) == 0;
        if (fresh || errno == EEXIST)
            next = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fresh && next >= 0)
            fchmod(next, 0755); /* whatever the umask says */
        int saved = errno;
        close(at);
        errno = saved;
        at = next;
    }
    return at;
}

static bool write_all(int fd, const char *ptr, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, ptr, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        ptr += n;
        len -= (size_t)n;
    }
    return true;
}

static enum zip_verdict blame(struct pass *pass, enum zip_verdict verdict, struct str name, const char *reason)
{
    if (pass->why)
        *pass->why = str_printf(pass->arena, "%.*s: %s", STR_FMT(name), reason);
    return verdict;
}
