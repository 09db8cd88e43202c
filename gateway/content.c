#include "gateway/content.h"

#include "core/base64.h"
#include "core/json.h"

/* The front of the text that is plain ASCII. */
static size_t ascii(struct str text)
{
    size_t i = 0;
    uint64_t word;
    for (; i + sizeof word <= text.len; i += sizeof word) {
        memcpy(&word, text.ptr + i, sizeof word);
        if (word & UINT64_C(0x8080808080808080))
            break;
    }
    while (i < text.len && !((unsigned char)text.ptr[i] & 0x80))
        i++;
    return i;
}

static bool is_utf8(struct str text)
{
    while (text.len) {
        size_t len = ascii(text);
        if (!len && !(len = json_utf8_len(text)))
            return false;
        text = str_from(text, len);
    }
    return true;
}

static struct str clean(struct arena *arena, struct str text)
{
    if (is_utf8(text))
        return text;
    struct strbuf out = strbuf_in(arena, text.len + text.len / 2);
    while (text.len) {
        size_t len = ascii(text);
        if (!len)
            len = json_utf8_len(text);
        strbuf_add(&out, len ? str_sub(text, 0, len) : STR("\xef\xbf\xbd"));
        text = str_from(text, len ? len : 1);
    }
    return strbuf_view(&out);
}

bool content_convert(struct arena *arena, struct str payload, bool binary, bool wanted, enum content_handling handling,
                     struct str *out, bool *is_text)
{
    bool to_binary = handling == CONTENT_TO_BINARY || (handling == CONTENT_AS_IS && wanted);
    *is_text = !to_binary;
    *out = payload;
    if (binary && !to_binary)
        *out = base64_encode(arena, payload);
    else if (!binary && to_binary)
        return base64_decode(arena, payload, out);
    else if (!binary)
        *out = clean(arena, payload);
    return true;
}
