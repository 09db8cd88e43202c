#include "identity/pools/image.h"

static const struct {
    const char *kind, *content_type;
    struct str magic;
    size_t at;
} kinds[] = {
    { "PNG", "image/png", STR_INIT("\x89PNG\r\n\x1a\n"), 0 },
    { "JPEG", "image/jpeg", STR_INIT("\xff\xd8\xff"), 0 },
    { "ICO", "image/x-icon", STR_INIT("\0\0\1\0"), 0 },
    { "WEBP", "image/webp", STR_INIT("WEBP"), 8 },
};

/* An svg element at the front, behind declarations and comments. */
static bool is_svg(struct str text)
{
    text = str_trim(str_sub(text, 0, 4096));
    if (!text.len || text.ptr[0] != '<')
        return false;
    return str_find_str(text, STR("<svg")) >= 0;
}

static size_t row_of(struct str bytes)
{
    size_t i = 0;
    while (i < COUNT(kinds) && !str_eq(str_sub(bytes, kinds[i].at, kinds[i].magic.len), kinds[i].magic))
        i++;
    return i;
}

const char *image_kind(struct str bytes)
{
    size_t i = row_of(bytes);
    return i < COUNT(kinds) ? kinds[i].kind : is_svg(bytes) ? "SVG" : NULL;
}

const char *image_content_type(struct str bytes)
{
    size_t i = row_of(bytes);
    return i < COUNT(kinds) ? kinds[i].content_type : is_svg(bytes) ? "image/svg+xml" : "application/octet-stream";
}
