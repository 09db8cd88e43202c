#include "core/hash_list.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEX = 2 * SHA1_BYTES, PREFIX = 5, LINE = 128 };

struct hash_list {
    int fd;      /* of the file, or of the folder */
    bool folder;
};

void sha1_of(struct str text, uint8_t out[SHA1_BYTES])
{
    EVP_Digest(text.ptr, text.len, out, NULL, EVP_sha1(), NULL);
}

static char upper(char c)
{
    return c >= 'a' && c <= 'f' ? (char)(c - 'a' + 'A') : c;
}

/* The first `digits` of the line that begins at or after `at`, and where it begins. False: no such line. */
static bool line_from(int fd, off_t at, size_t digits, char *hex, off_t *begins)
{
    char text[LINE];
    for (off_t from = at ? at - 1 : 0;;) { /* from the byte before: it may end a line */
        ssize_t n = pread(fd, text, sizeof text, from);
        if (n <= 0)
            return false;
        const char *end = at ? memchr(text, '\n', (size_t)n) : text - 1;
        if (!end) {
            from += n;
            continue;
        }
        *begins = from + (end - text) + 1;
        n = pread(fd, text, digits, *begins);
        for (ssize_t i = 0; i < n; i++)
            hex[i] = upper(text[i]);
        return n == (ssize_t)digits;
    }
}

static bool has(int fd, const char *wanted, size_t digits)
{
    struct stat st;
    char hex[HEX];
    if (fstat(fd, &st))
        return false;
    off_t low = 0, high = st.st_size; /* it begins at or after low, and before high */
    while (low < high) {
        off_t middle = low + (high - low) / 2, begins;
        if (!line_from(fd, middle, digits, hex, &begins) || begins >= high) {
            high = middle;
            continue;
        }
        int order = memcmp(hex, wanted, digits);
        if (order == 0)
            return true;
        if (order < 0)
            low = begins + (off_t)digits;
        else
            high = middle;
    }
    return false;
}

static int open_part(const struct hash_list *list, const char *hex)
{
    char name[PREFIX + 5];
    static const char *const forms[] = { "%.5s", "%.5s.txt" };
    for (size_t i = 0; i < COUNT(forms); i++) {
        snprintf(name, sizeof name, forms[i], hex);
        int fd = openat(list->fd, name, O_RDONLY | O_CLOEXEC);
        if (fd >= 0)
            return fd;
    }
    return -1;
}

bool hash_list_has(const struct hash_list *list, const uint8_t sha1[SHA1_BYTES])
{
    char hex[HEX + 1];
    for (size_t i = 0; i < SHA1_BYTES; i++)
        snprintf(hex + 2 * i, 3, "%02X", sha1[i]);
    if (!list->folder)
        return has(list->fd, hex, HEX);
    int fd = open_part(list, hex);
    bool found = fd >= 0 && has(fd, hex + PREFIX, HEX - PREFIX);
    if (fd >= 0)
        close(fd);
    return found;
}

/* The first line is a digest: a file of another kind would find nothing, and nobody would know. */
static bool looks_right(const struct hash_list *list)
{
    char hex[HEX + 1] = { 0 };
    off_t begins;
    return line_from(list->fd, 0, HEX, hex, &begins) && strspn(hex, "0123456789ABCDEF") == HEX;
}

struct hash_list *hash_list_open(const char *path, struct arena *arena, struct str *why)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st)) {
        *why = str_printf(arena, "cannot read %s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    struct hash_list *list = malloc(sizeof *list);
    if (!list)
        abort();
    *list = (struct hash_list){ fd, S_ISDIR(st.st_mode) };
    if (list->folder || looks_right(list))
        return list;
    *why = str_printf(arena, "%s is no list of SHA-1 digests in hex, a line each", path);
    hash_list_free(list);
    return NULL;
}

void hash_list_free(struct hash_list *list)
{
    if (!list)
        return;
    close(list->fd);
    free(list);
}
