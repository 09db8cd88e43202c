#include "core/qr_png.h"

#include <dlfcn.h>
#include <pthread.h>
#include <qrencode.h>
#include <zlib.h>

enum { LONGEST = 2331, DOTS = 4, MARGIN = 4 }; /* pixels a module; modules of white around, as the standard asks */

static struct {
    __typeof__(&QRcode_encodeData) encode;
    __typeof__(&QRcode_free) free;
} library;

static void load(void)
{
    void *handle = dlopen("libqrencode.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return;
    *(void **)(void *)&library.encode = dlsym(handle, "QRcode_encodeData");
    *(void **)(void *)&library.free = dlsym(handle, "QRcode_free");
}

static bool is_loaded(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return library.encode && library.free;
}

static void add_u32(struct strbuf *buf, uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        strbuf_char(buf, (char)(value >> shift & 0xff));
}

static void add_chunk(struct strbuf *png, const char type[4], struct str data)
{
    add_u32(png, (uint32_t)data.len);
    strbuf_add(png, (struct str){ type, 4 });
    strbuf_add(png, data);
    uLong crc = crc32(crc32(0, NULL, 0), (const Bytef *)type, 4);
    if (data.len) /* crc32 takes no bytes for a new beginning */
        crc = crc32(crc, (const Bytef *)data.ptr, (uInt)data.len);
    add_u32(png, (uint32_t)crc);
}

/* One bit a pixel, each row behind the byte 0 of "no filter"; white is 1. */
static struct str paint(struct arena *arena, const QRcode *code, uint32_t *side)
{
    size_t modules = (size_t)code->width + 2 * MARGIN, pixels = modules * DOTS, row = 1 + (pixels + 7) / 8;
    char *bytes = arena_zalloc(arena, row * pixels);
    *side = (uint32_t)pixels;
    for (size_t y = 0; y < pixels; y++)
        for (size_t x = 0; x < pixels; x++) {
            size_t mx = x / DOTS - MARGIN, my = y / DOTS - MARGIN; /* in the margin: far beyond the width */
            bool black = mx < (size_t)code->width && my < (size_t)code->width &&
                         (code->data[my * (size_t)code->width + mx] & 1);
            if (!black)
                bytes[y * row + 1 + x / 8] |= (char)(0x80 >> (x % 8));
        }
    return (struct str){ bytes, row * pixels };
}

static struct str print_png(struct arena *arena, const QRcode *code)
{
    uint32_t side;
    struct str raw = paint(arena, code, &side);
    uLongf packed_len = compressBound((uLong)raw.len);
    char *packed = arena_zalloc(arena, packed_len);
    if (compress2((Bytef *)packed, &packed_len, (const Bytef *)raw.ptr, (uLong)raw.len, Z_BEST_COMPRESSION) != Z_OK)
        return STR_NONE;
    struct strbuf head = strbuf_in(arena, 16), png = strbuf_in(arena, packed_len + 128);
    add_u32(&head, side);
    add_u32(&head, side);
    strbuf_add(&head, (struct str){ "\1\0\0\0\0", 5 }); /* a bit a pixel, shades of grey, deflate, no interlacing */
    strbuf_add(&png, (struct str){ "\x89PNG\r\n\x1a\n", 8 });
    add_chunk(&png, "IHDR", strbuf_view(&head));
    add_chunk(&png, "IDAT", (struct str){ packed, packed_len });
    add_chunk(&png, "IEND", STR(""));
    return strbuf_view(&png);
}

bool qr_png(struct arena *arena, struct str text, struct str *png, struct str *why)
{
    *why = STR("libqrencode.so.4 cannot be loaded (package libqrencode4)");
    if (!is_loaded())
        return false;
    *why = STR("too long for a QR code");
    QRcode *code = text.len && text.len <= LONGEST
                       ? library.encode((int)text.len, (const unsigned char *)text.ptr, 0, QR_ECLEVEL_M)
                       : NULL;
    if (!code)
        return false;
    *png = print_png(arena, code);
    library.free(code);
    return png->ptr != NULL;
}
