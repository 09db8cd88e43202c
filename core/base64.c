#include "core/base64.h"

static const char std_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static struct str encode(struct arena *arena, struct str bytes, const char *alphabet, bool pad)
{
    const unsigned char *in = (const unsigned char *)bytes.ptr;
    char *out = arena_alloc(arena, (bytes.len + 2) / 3 * 4 + 1, 1);
    size_t n = 0;
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t have = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t group = (uint32_t)in[i] << 16;
        if (have > 1)
            group |= (uint32_t)in[i + 1] << 8;
        if (have > 2)
            group |= in[i + 2];
        out[n++] = alphabet[group >> 18];
        out[n++] = alphabet[group >> 12 & 63];
        if (have > 1)
            out[n++] = alphabet[group >> 6 & 63];
        else if (pad)
            out[n++] = '=';
        if (have > 2)
            out[n++] = alphabet[group & 63];
        else if (pad)
            out[n++] = '=';
    }
    out[n] = '\0';
    return (struct str){ out, n };
}

static int digit(char c, const char *alphabet)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == alphabet[62])
        return 62;
    return c == alphabet[63] ? 63 : -1;
}

static bool decode(struct arena *arena, struct str text, const char *alphabet, struct str *bytes)
{
    size_t tail = text.len % 4;
    if (tail == 1)
        return false;
    char *out = arena_alloc(arena, text.len / 4 * 3 + 3, 1);
    size_t n = 0;
    uint32_t group = 0;
    for (size_t i = 0; i < text.len; i++) {
        int value = digit(text.ptr[i], alphabet);
        if (value < 0)
            return false;
        group = group << 6 | (uint32_t)value;
        if (i % 4 == 3) {
            out[n++] = (char)(group >> 16);
            out[n++] = (char)(group >> 8);
            out[n++] = (char)group;
            group = 0;
        }
    }
    if ((tail == 2 && (group & 15)) || (tail == 3 && (group & 3)))
        return false;
    if (tail == 2)
        out[n++] = (char)(group >> 4);
    if (tail == 3) {
        out[n++] = (char)(group >> 10);
        out[n++] = (char)(group >> 2);
    }
    out[n] = '\0';
    *bytes = (struct str){ out, n };
    return true;
}

struct str base64_encode(struct arena *arena, struct str bytes)
{
    return encode(arena, bytes, std_alphabet, true);
}

bool base64_decode(struct arena *arena, struct str text, struct str *bytes)
{
    if (text.len % 4 != 0)
        return false;
    for (int i = 0; i < 2 && text.len && text.ptr[text.len - 1] == '='; i++)
        text.len--;
    return decode(arena, text, std_alphabet, bytes);
}

struct str base64url_encode(struct arena *arena, struct str bytes)
{
    return encode(arena, bytes, url_alphabet, false);
}

bool base64url_decode(struct arena *arena, struct str text, struct str *bytes)
{
    return decode(arena, text, url_alphabet, bytes);
}

struct str base32_encode(struct arena *arena, struct str bytes)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    char *out = arena_alloc(arena, (bytes.len * 8 + 4) / 5 + 1, 1);
    size_t n = 0;
    uint32_t bits = 0;
    int have = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        bits = bits << 8 | (unsigned char)bytes.ptr[i];
        for (have += 8; have >= 5; have -= 5)
            out[n++] = alphabet[bits >> (have - 5) & 31];
    }
    if (have > 0)
        out[n++] = alphabet[bits << (5 - have) & 31];
    out[n] = '\0';
    return (struct str){ out, n };
}

static int base32_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a';
    return c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

bool base32_decode(struct arena *arena, struct str text, struct str *bytes)
{
    char *out = arena_alloc(arena, text.len * 5 / 8 + 1, 1);
    size_t n = 0;
    uint32_t bits = 0;
    int have = 0;
    for (size_t i = 0; i < text.len; i++) {
        int value = base32_digit(text.ptr[i]);
        if (value < 0)
            return false;
        bits = bits << 5 | (uint32_t)value;
        have += 5;
        if (have >= 8) {
            have -= 8;
            out[n++] = (char)(bits >> have);
        }
    }
    if (have >= 5 || (bits & ((1u << have) - 1)) != 0)
        return false;
    out[n] = '\0';
    *bytes = (struct str){ out, n };
    return true;
}

struct str hex_encode(struct arena *arena, struct str bytes)
{
    static const char digits[] = "0123456789abcdef";
    char *out = arena_alloc(arena, bytes.len * 2 + 1, 1);
    for (size_t i = 0; i < bytes.len; i++) {
        out[i * 2] = digits[(unsigned char)bytes.ptr[i] >> 4];
        out[i * 2 + 1] = digits[(unsigned char)bytes.ptr[i] & 15];
    }
    out[bytes.len * 2] = '\0';
    return (struct str){ out, bytes.len * 2 };
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool hex_decode(struct arena *arena, struct str text, struct str *bytes)
{
    if (text.len % 2 != 0)
        return false;
    char *out = arena_alloc(arena, text.len / 2 + 1, 1);
    for (size_t i = 0; i < text.len; i += 2) {
        int high = nibble(text.ptr[i]), low = nibble(text.ptr[i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i / 2] = (char)(high << 4 | low);
    }
    out[text.len / 2] = '\0';
    *bytes = (struct str){ out, text.len / 2 };
    return true;
}
