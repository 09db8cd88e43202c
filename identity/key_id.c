#include "identity/key_id.h"

#include "core/id.h"

enum { ID_CHARS = 20, PREFIX_CHARS = 4, CHECK_CHARS = 4 };

static const char alphabet[] = ID_UPPER_BASE32;

/* Five bits a character; the check takes the last four. */
static void check_of(const struct sealer *sealer, struct str id, char out[CHECK_CHARS])
{
    uint8_t mac[32];
    sealer_mac(sealer, STR("access-key-id"), str_sub(id, 0, ID_CHARS - CHECK_CHARS), mac);
    for (size_t i = 0; i < CHECK_CHARS; i++)
        out[i] = alphabet[mac[i] & 31];
}

/* "After the prefix the id encodes the account in base32, 40 bits shifted by one bit." */
struct str key_id_new(const struct env *env, const struct sealer *sealer, struct arena *arena, const char *prefix,
                      struct str account)
{
    int64_t number = 0;
    uint8_t noise[8];
    char *id = arena_zalloc(arena, ID_CHARS + 1);
    str_i64(account, &number);
    env_random(env, noise, sizeof noise);
    memcpy(id, prefix, PREFIX_CHARS);
    /* 45 bits: a one, the account's 40, four of noise; then three characters of noise. */
    uint64_t bits = (uint64_t)1 << 44 | (uint64_t)number << 4 | (noise[0] & 15);
    for (size_t i = 0; i < 9; i++)
        id[PREFIX_CHARS + i] = alphabet[bits >> (40 - 5 * i) & 31];
    for (size_t i = PREFIX_CHARS + 9; i < ID_CHARS - CHECK_CHARS; i++)
        id[i] = alphabet[noise[i - PREFIX_CHARS - 8] & 31];
    check_of(sealer, (struct str){ id, ID_CHARS }, id + ID_CHARS - CHECK_CHARS);
    return (struct str){ id, ID_CHARS };
}

bool key_id_is_ours(const struct sealer *sealer, struct str id)
{
    char check[CHECK_CHARS];
    if (id.len != ID_CHARS || (!str_starts(id, STR("AKIA")) && !str_starts(id, STR("ASIA"))))
        return false;
    check_of(sealer, id, check);
    return memcmp(check, id.ptr + ID_CHARS - CHECK_CHARS, CHECK_CHARS) == 0;
}

bool key_id_account(struct arena *arena, struct str id, struct str *account)
{
    uint64_t bits = 0;
    if (id.len != ID_CHARS)
        return false;
    for (size_t i = 0; i < 9; i++) {
        const char *at = strchr(alphabet, id.ptr[PREFIX_CHARS + i]);
        if (!at || *at == '\0')
            return false;
        bits = bits << 5 | (uint64_t)(at - alphabet);
    }
    uint64_t number = bits >> 4 & (((uint64_t)1 << 40) - 1);
    *account = str_printf(arena, "%012llu", (unsigned long long)number);
    return account->len == 12;
}
