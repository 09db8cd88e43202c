#include "core/coding.h"

#include <stdlib.h>
#include <zlib.h>

/* Level 4: two thirds of the work of zlib's default, a few per cent longer. */
enum { LEVEL = 4, GZIP_BITS = 15 + 16, ZLIB_BITS = 15, RAW_BITS = -15, PIECE = 16 * 1024 };

static const char *const names[] = { "identity", "gzip", "deflate" };

const char *coding_name(enum coding coding)
{
    return names[coding];
}

enum coding coding_of(struct str content_encoding)
{
    struct str name = str_trim(content_encoding);
    if (!name.len)
        return CODING_IDENTITY;
    for (int i = 0; i < (int)COUNT(names); i++)
        if (str_eq_nocase(name, str_of(names[i])))
            return (enum coding)i;
    return str_eq_nocase(name, STR("x-gzip")) ? CODING_GZIP : CODING_UNKNOWN; /* RFC 9110: equivalent */
}

/* "0", "1", "0.5", "1.000" in thousandths; -1: no such number. */
static int quality(struct str text)
{
    int value = 0, digits = 0;
    if (!text.len || (text.ptr[0] != '0' && text.ptr[0] != '1') || (text.len > 1 && text.ptr[1] != '.') || text.len > 5)
        return -1;
    value = text.ptr[0] - '0';
    for (size_t i = 2; i < text.len; i++, digits++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return -1;
        value = value * 10 + (text.ptr[i] - '0');
    }
    for (; digits < 3; digits++)
        value *= 10;
    return value > 1000 ? -1 : value;
}

enum coding coding_wanted(struct str accept_encoding)
{
    struct str item, name;
    enum coding best = CODING_IDENTITY;
    int highest = 0; /* q=0: "not acceptable" */
    while (str_split(&accept_encoding, ',', &item)) {
        int q = 1000;
        str_split(&item, ';', &name);
        name = str_trim(name);
        struct str parameter = str_trim(item);
        if (str_starts_nocase(parameter, STR("q=")))
            q = quality(str_trim(str_from(parameter, 2)));
        if (!name.len || q < highest || q <= 0)
            continue;
        enum coding coding = coding_of(name);
        bool ours = coding == CODING_GZIP || coding == CODING_DEFLATE;
        if (q > highest || (best != CODING_GZIP && best != CODING_DEFLATE))
            best = ours ? coding : CODING_IDENTITY;
        highest = q;
    }
    return best;
}

struct deflater {
    z_stream z;
};

static void end_deflater(void *ptr)
{
    deflateEnd(&((struct deflater *)ptr)->z);
}

static int bits_of(enum coding coding)
{
    return coding == CODING_GZIP ? GZIP_BITS : ZLIB_BITS;
}

struct deflater *deflater_new(struct arena *arena, enum coding coding)
{
    struct deflater *deflater = ARENA_NEW(arena, struct deflater);
    if (deflateInit2(&deflater->z, LEVEL, Z_DEFLATED, bits_of(coding), 8, Z_DEFAULT_STRATEGY) != Z_OK)
        abort(); /* no memory */
    arena_defer(arena, end_deflater, deflater);
    return deflater;
}

void deflater_add(struct deflater *deflater, struct str piece, bool last, void (*out)(void *ctx, struct str bytes),
                  void *ctx)
{
    z_stream *z = &deflater->z;
    Bytef buffer[PIECE];
    z->next_in = (Bytef *)(uintptr_t)piece.ptr;
    z->avail_in = (uInt)piece.len;
    do {
        z->next_out = buffer;
        z->avail_out = PIECE;
        deflate(z, last ? Z_FINISH : Z_NO_FLUSH);
        if (z->avail_out < PIECE)
            out(ctx, (struct str){ (char *)buffer, PIECE - z->avail_out });
    } while (z->avail_out == 0);
}

struct str deflate_whole(struct arena *arena, enum coding coding, struct str bytes)
{
    struct deflater *deflater = deflater_new(arena, coding);
    uLong bound = deflateBound(&deflater->z, bytes.len);
    char *out = arena_alloc(arena, bound, 1);
    deflater->z.next_in = (Bytef *)(uintptr_t)bytes.ptr;
    deflater->z.avail_in = (uInt)bytes.len;
    deflater->z.next_out = (Bytef *)out;
    deflater->z.avail_out = (uInt)bound;
    deflate(&deflater->z, Z_FINISH); /* the bound suffices */
    return (struct str){ out, bound - deflater->z.avail_out };
}

/* One stream behind another is one content: RFC 1952 allows it of gzip, and nothing else may follow. */
static enum inflated inflate_by(struct arena *arena, int bits, struct str bytes, size_t max_bytes, struct str *out)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)bytes.ptr, .avail_in = (uInt)bytes.len };
    size_t cap = bytes.len * 4 < 1024 ? 1024 : bytes.len * 4, len = 0;
    if (cap > max_bytes + 1)
        cap = max_bytes + 1; /* one more than allowed, to see that there is more */
    char *buffer = arena_alloc(arena, cap, 1);
    int status = Z_OK;
    if (inflateInit2(&z, bits) != Z_OK)
        abort();
    while (len <= max_bytes) {
        if (len == cap) {
            size_t wider = cap * 2 > max_bytes + 1 ? max_bytes + 1 : cap * 2;
            buffer = arena_grow(arena, buffer, cap, wider);
            cap = wider;
        }
        z.next_out = (Bytef *)buffer + len;
        z.avail_out = (uInt)(cap - len);
        status = inflate(&z, Z_NO_FLUSH);
        len = cap - z.avail_out;
        if (status == Z_STREAM_END && z.avail_in && bits == GZIP_BITS)
            status = inflateReset(&z);
        else if (status != Z_OK || (z.avail_in == 0 && z.avail_out))
            break;
    }
    bool whole = status == Z_STREAM_END && z.avail_in == 0;
    inflateEnd(&z);
    *out = (struct str){ buffer, len };
    return len > max_bytes ? INFLATE_TOO_LARGE : whole ? INFLATED : INFLATE_BROKEN;
}

enum inflated inflate_whole(struct arena *arena, enum coding coding, struct str bytes, size_t max_bytes,
                            struct str *out)
{
    enum inflated result = inflate_by(arena, bits_of(coding), bytes, max_bytes, out);
    if (result == INFLATE_BROKEN && coding == CODING_DEFLATE) /* RFC 9110: some leave zlib's frame away */
        result = inflate_by(arena, RAW_BITS, bytes, max_bytes, out);
    return result;
}
