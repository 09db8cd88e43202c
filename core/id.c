#include "core/id.h"

struct str id_uuid(const struct env *env, struct arena *arena)
{
    uint8_t b[16];
    env_random(env, b, sizeof b);
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    return str_printf(arena, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2],
                      b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

struct str id_random(const struct env *env, struct arena *arena, size_t n, const char *alphabet)
{
    size_t letters = strlen(alphabet);
    unsigned limit = (unsigned)(256 / letters * letters); /* above it a byte would favour the first letters */
    char *out = arena_alloc(arena, n + 1, 1);
    for (size_t i = 0; i < n;) {
        uint8_t pool[64];
        env_random(env, pool, sizeof pool);
        for (size_t j = 0; j < sizeof pool && i < n; j++)
            if (pool[j] < limit)
                out[i++] = alphabet[pool[j] % letters];
    }
    out[n] = '\0';
    return (struct str){ out, n };
}
