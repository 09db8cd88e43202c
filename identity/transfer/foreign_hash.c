#include "identity/transfer/foreign_hash.h"

#include <argon2.h>
#include <crypt.h>
#include <openssl/evp.h>

#include "core/base64.h"
#include "core/digest.h"
#include "core/json.h"

enum {
    MOST_TEXT = 1024,
    MOST_BCRYPT = 14,                 /* about a second */
    MOST_PBKDF2 = 5000000,            /* two seconds */
    MOST_SHA_CRYPT = 1000000,
    MOST_MEMORY_KIB = 256 * 1024,
    MOST_ARGON2_WORK = 2 * 1024 * 1024, /* KiB written: about two seconds */
    MOST_SCRYPT_WORK = 4 * 1024 * 1024, /* blocks of 128 bytes */
    MOST_LANES = 16,
    LEAST_HASH = 16,
    MOST_HASH = 128,
};

struct hash {
    const struct scheme *scheme;
    struct str text; /* what libcrypt takes */
    struct str salt, hash;
    int64_t n; /* iterations, passes or log2 of scrypt's N */
    int64_t r, p, memory_kib, version;
};

struct scheme {
    const char *prefix;
    bool (*read)(struct arena *arena, struct hash *h, struct str rest, struct str *why);
    bool (*matches)(struct arena *arena, const struct hash *h, struct str password);
    const char *digest;
    int type;
};

/* ---- small readers ---- */

static bool no(struct arena *arena, struct str *why, const char *text)
{
    *why = str_printf(arena, "%s", text);
    return false;
}

static bool beyond(struct arena *arena, struct str *why, const char *what, int64_t is, int64_t most)
{
    *why = str_printf(arena, "the hash's %s is %lld, and at most %lld is taken: such a sign-in would cost too much",
                      what, (long long)is, (long long)most);
    return false;
}

/* Base64 as PHC strings, passlib and others write it: either alphabet, "." for "+", padded or not. */
static bool bytes_of(struct arena *arena, struct str text, struct str *out)
{
    while (text.len && text.ptr[text.len - 1] == '=')
        text.len--;
    struct strbuf buf = strbuf_in(arena, text.len + 4);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        strbuf_char(&buf, c == '.' || c == '+' ? '-' : c == '/' ? '_' : c);
    }
    return base64url_decode(arena, strbuf_view(&buf), out);
}

static bool salt_and_hash(struct arena *arena, struct hash *h, struct str rest, struct str *why)
{
    struct str salt;
    if (!str_split(&rest, '$', &salt) || !rest.ptr || !bytes_of(arena, salt, &h->salt) ||
        !bytes_of(arena, rest, &h->hash))
        return no(arena, why, "the hash's salt or value is not base64");
    if (h->hash.len < LEAST_HASH || h->hash.len > MOST_HASH)
        return no(arena, why, "the hash is shorter than 16 bytes or longer than 128");
    return true;
}

/* "m=65536,t=3,p=4": each name once, all of them there. */
static bool numbers(struct str list, const char *const *names, int64_t **into, size_t n)
{
    size_t seen = 0;
    struct str one;
    while (str_split(&list, ',', &one)) {
        struct str name;
        size_t i = 0;
        str_split(&one, '=', &name);
        while (i < n && !str_is(name, names[i]))
            i++;
        if (i == n || *into[i] >= 0 || !str_i64(one, into[i]) || *into[i] < 0)
            return false;
        seen++;
    }
    return seen == n;
}

/* ---- libcrypt: bcrypt and SHA crypt ---- */

static bool crypt_text(struct arena *arena, struct hash *h, const char *prefix, struct str rest)
{
    h->text = str_concat(arena, str_of(prefix), rest);
    return true;
}

static bool read_bcrypt(struct arena *arena, struct hash *h, struct str rest, struct str *why)
{
    enum { SALT_AND_HASH = 53 };
    static const char alphabet[] = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    struct str cost, all = rest;
    if (!str_split(&rest, '$', &cost) || cost.len != 2 || !str_i64(cost, &h->n) || h->n < 4 ||
        rest.len != SALT_AND_HASH || strspn(rest.ptr, alphabet) < SALT_AND_HASH)
        return no(arena, why, "this is no whole bcrypt hash");
    if (h->n > MOST_BCRYPT)
        return beyond(arena, why, "bcrypt cost", h->n, MOST_BCRYPT);
    return crypt_text(arena, h, h->scheme->digest, all);
}

static bool read_sha_crypt(struct arena *arena, struct hash *h, struct str rest, struct str *why)
{
    struct str part, all = rest;
    h->n = 5000;
    if (str_starts(rest, STR("rounds="))) {
        str_split(&rest, '$', &part);
        if (!str_i64(str_from(part, 7), &h->n) || h->n < 1000)
            return no(arena, why, "the hash's rounds are no number of at least 1000");
    }
    if (h->n > MOST_SHA_CRYPT)
        return beyond(arena, why, "number of rounds", h->n, MOST_SHA_CRYPT);
    if (!str_split(&rest, '$', &part) || !part.len || !rest.ptr || rest.len < 43)
        return no(arena, why, "this is no whole SHA crypt hash");
    return crypt_text(arena, h, h->scheme->digest, all);
}

static bool matches_crypt(struct arena *arena, const struct hash *h, struct str password)
{
    if (memchr(password.ptr, 0, password.len)) /* it would be cut there */
        return false;
    struct crypt_data *data = arena_zalloc(arena, sizeof *data);
    const char *text = str_c(arena, password);
    const char *made = crypt_r(text, h->text.ptr, data);
    bool same = made && made[0] != '*' && digest_equal(str_of(made), h->text);
    digest_wipe(data, sizeof *data);
    digest_wipe((char *)(uintptr_t)text, password.len);
    return same;
}

/* ---- argon2 ---- */

static bool read_argon2(struct arena *arena, struct hash *h, struct str rest, struct str *why)
{
    static const char *const names[] = { "m", "t", "p" };
    int64_t *into[] = { &h->memory_kib, &h->n, &h->p };
    struct str part;
    h->version = 16; /* "v=19" came later */
    h->memory_kib = h->n = h->p = -1;
    if (str_starts(rest, STR("v="))) {
        str_split(&rest, '$', &part);
        if (!str_i64(str_from(part, 2), &h->version) || (h->version != 16 && h->version != 19))
            return no(arena, why, "that version of argon2 is unknown: 16 and 19 are taken");
    }
    if (!str_split(&rest, '$', &part) || !numbers(part, names, into, COUNT(names)) || h->n < 1 || h->p < 1 ||
        h->memory_kib < 8 * h->p)
        return no(arena, why, "the hash's parameters are not m=…,t=…,p=… as argon2 takes them");
    if (h->memory_kib > MOST_MEMORY_KIB)
        return beyond(arena, why, "memory in KiB", h->memory_kib, MOST_MEMORY_KIB);
    if (h->n > MOST_ARGON2_WORK || h->memory_kib * h->n > MOST_ARGON2_WORK)
        return beyond(arena, why, "memory times passes", h->memory_kib * h->n, MOST_ARGON2_WORK);
    if (h->p > MOST_LANES)
        return beyond(arena, why, "number of lanes", h->p, MOST_LANES);
    if (!salt_and_hash(arena, h, rest, why))
        return false;
    return h->salt.len >= ARGON2_MIN_SALT_LENGTH || no(arena, why, "the hash's salt is shorter than 8 bytes");
}

static bool matches_argon2(struct arena *arena, const struct hash *h, struct str password)
{
    uint8_t out[MOST_HASH];
    (void)arena;
    argon2_context ctx = {
        .out = out,
        .outlen = (uint32_t)h->hash.len,
        .pwd = (uint8_t *)(uintptr_t)password.ptr,
        .pwdlen = (uint32_t)password.len,
        .salt = (uint8_t *)(uintptr_t)h->salt.ptr,
        .saltlen = (uint32_t)h->salt.len,
        .t_cost = (uint32_t)h->n,
        .m_cost = (uint32_t)h->memory_kib,
        .lanes = (uint32_t)h->p,
        .threads = 1,
        .version = (uint32_t)h->version,
    };
    return argon2_ctx(&ctx, (argon2_type)h->scheme->type) == ARGON2_OK &&
           digest_equal(digest_str(out, h->hash.len), h->hash);
}

/* ---- PBKDF2 ---- */

static bool check_iterations(struct arena *arena, const struct hash *h, struct str *why)
{
    if (h->n < 1)
        return no(arena, why, "the hash's iterations are no number above 0");
    return h->n <= MOST_PBKDF2 || beyond(arena, why, "number of iterations", h->n, MOST_PBKDF2);
}

static bool read_pbkdf2(struct arena *arena, struct hash *h, struct str rest, struct str *why)
{
    struct str part, one;
    h->n = 0;
    str_split(&rest, '$', &part);
    if (str_i64(part, &h->n) || !part.len)
        part = STR_NONE;
    while (str_split(&part, ',', &one)) /* l=32 says what the hash's length says */
        if (str_starts(one, STR("i=")) && !str_i64(str_from(one, 2), &h->n))
            h->n = 0;
    return check_iterations(arena, h, why) && salt_and_hash(arena, h, rest, why);
}

static bool read_django(struct arena *arena, struct hash *h, struct str rest, struct str *why)
{
    struct str iterations, salt;
    h->n = 0;
    if (!str_split(&rest, '$', &iterations) || !str_i64(iterations, &h->n) || !str_split(&rest, '$', &salt) ||
        !salt.len || !rest.ptr || !bytes_of(arena, rest, &h->hash) || h->hash.len < LEAST_HASH ||
        h->hash.len > MOST_HASH)
        return no(arena, why, "this is no whole hash as Django writes it: pbkdf2_sha256$iterations$salt$hash");
    h->salt = salt;
    return check_iterations(arena, h, why);
}

static bool matches_pbkdf2(struct arena *arena, const struct hash *h, struct str password)
{
    uint8_t out[MOST_HASH];
    (void)arena;
    return PKCS5_PBKDF2_HMAC(password.ptr, (int)password.len, (const uint8_t *)h->salt.ptr, (int)h->salt.len,
                             (int)h->n, EVP_get_digestbyname(h->scheme->digest), (int)h->hash.len, out) == 1 &&
           digest_equal(digest_str(out, h->hash.len), h->hash);
}

/* ---- scrypt ---- */

static bool read_scrypt(struct arena *arena, struct hash *h, struct str rest, struct str *why)
{
    static const char *const names[] = { "ln", "r", "p" };
    int64_t *into[] = { &h->n, &h->r, &h->p };
    struct str part;
    h->n = h->r = h->p = -1;
    if (!str_split(&rest, '$', &part) || !numbers(part, names, into, COUNT(names)) || h->n < 1 || h->r < 1 || h->p < 1)
        return no(arena, why, "the hash's parameters are not ln=…,r=…,p=… as scrypt takes them");
    if (h->n > 24 || h->r > 64 || h->p > MOST_LANES || (h->r << h->n) / 8 > MOST_MEMORY_KIB)
        return beyond(arena, why, "memory in KiB", h->n > 24 ? INT32_MAX : (h->r << h->n) / 8, MOST_MEMORY_KIB);
    if ((h->r << h->n) * h->p > MOST_SCRYPT_WORK)
        return beyond(arena, why, "work (N·r·p)", (h->r << h->n) * h->p, MOST_SCRYPT_WORK);
    return salt_and_hash(arena, h, rest, why);
}

static bool scrypt(const struct hash *h, struct str password, uint8_t *out, size_t len)
{
    return EVP_PBE_scrypt(password.ptr, password.len, (const uint8_t *)h->salt.ptr, h->salt.len, UINT64_C(1) << h->n,
                          (uint64_t)h->r, (uint64_t)h->p, (uint64_t)(MOST_MEMORY_KIB + 4096) * 1024, out, len) == 1;
}

static bool matches_scrypt(struct arena *arena, const struct hash *h, struct str password)
{
    uint8_t out[MOST_HASH];
    (void)arena;
    return scrypt(h, password, out, h->hash.len) && digest_equal(digest_str(out, h->hash.len), h->hash);
}

/* AES-256-CTR from zero, under the first 32 bytes that scrypt gives. */
static bool matches_firebase(struct arena *arena, const struct hash *h, struct str password)
{
    static const uint8_t zeros[MOST_HASH], iv[16];
    uint8_t key[64], stream[MOST_HASH];
    int n;
    (void)arena;
    if (!scrypt(h, password, key, sizeof key))
        return false;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool same = ctx && EVP_EncryptInit_ex(ctx, EVP_aes_256_ctr(), NULL, key, iv) == 1 &&
                EVP_EncryptUpdate(ctx, stream, &n, zeros, (int)h->hash.len) == 1 &&
                digest_equal(digest_str(stream, h->hash.len), h->hash);
    EVP_CIPHER_CTX_free(ctx);
    digest_wipe(key, sizeof key);
    return same;
}

/* ---- LDAP's salted digests ---- */

static bool read_ssha(struct arena *arena, struct hash *h, struct str rest, struct str *why)
{
    size_t digest = (size_t)EVP_MD_get_size(EVP_get_digestbyname(h->scheme->digest));
    struct str bytes;
    if (!bytes_of(arena, rest, &bytes) || bytes.len <= digest || bytes.len > digest + 64)
        return no(arena, why, "this is no base64 of a digest and its salt");
    h->hash = str_sub(bytes, 0, digest);
    h->salt = str_from(bytes, digest);
    return true;
}

static bool matches_ssha(struct arena *arena, const struct hash *h, struct str password)
{
    uint8_t out[EVP_MAX_MD_SIZE];
    struct str both = str_concat(arena, password, h->salt);
    bool same = EVP_Digest(both.ptr, both.len, out, NULL, EVP_get_digestbyname(h->scheme->digest), NULL) == 1 &&
                digest_equal(digest_str(out, h->hash.len), h->hash);
    digest_wipe((char *)(uintptr_t)both.ptr, both.len);
    return same;
}

/* ---- the table ---- */

static const struct scheme schemes[] = {
    { "$2a$", read_bcrypt, matches_crypt, "$2a$", 0 },
    { "$2b$", read_bcrypt, matches_crypt, "$2b$", 0 },
    { "$2y$", read_bcrypt, matches_crypt, "$2y$", 0 },
    { "$5$", read_sha_crypt, matches_crypt, "$5$", 0 },
    { "$6$", read_sha_crypt, matches_crypt, "$6$", 0 },
    { "$argon2id$", read_argon2, matches_argon2, NULL, Argon2_id },
    { "$argon2i$", read_argon2, matches_argon2, NULL, Argon2_i },
    { "$argon2d$", read_argon2, matches_argon2, NULL, Argon2_d },
    { "argon2$argon2id$", read_argon2, matches_argon2, NULL, Argon2_id },
    { "argon2$argon2i$", read_argon2, matches_argon2, NULL, Argon2_i },
    { "$pbkdf2$", read_pbkdf2, matches_pbkdf2, "SHA1", 0 },
    { "$pbkdf2-sha1$", read_pbkdf2, matches_pbkdf2, "SHA1", 0 },
    { "$pbkdf2-sha256$", read_pbkdf2, matches_pbkdf2, "SHA256", 0 },
    { "$pbkdf2-sha512$", read_pbkdf2, matches_pbkdf2, "SHA512", 0 },
    { "pbkdf2_sha1$", read_django, matches_pbkdf2, "SHA1", 0 },
    { "pbkdf2_sha256$", read_django, matches_pbkdf2, "SHA256", 0 },
    { "pbkdf2_sha512$", read_django, matches_pbkdf2, "SHA512", 0 },
    { "$scrypt$", read_scrypt, matches_scrypt, NULL, 0 },
    { "$firebase-scrypt$", read_scrypt, matches_firebase, NULL, 0 },
    { "{SSHA}", read_ssha, matches_ssha, "SHA1", 0 },
    { "{SSHA256}", read_ssha, matches_ssha, "SHA256", 0 },
    { "{SSHA512}", read_ssha, matches_ssha, "SHA512", 0 },
};

static bool parse(struct arena *arena, struct str text, struct hash *out, struct str *why)
{
    *out = (struct hash){ 0 };
    if (text.len > MOST_TEXT)
        return no(arena, why, "the hash is longer than 1,024 bytes");
    for (size_t i = 0; i < COUNT(schemes); i++) {
        struct str prefix = str_of(schemes[i].prefix);
        out->scheme = &schemes[i];
        if (str_starts(text, prefix))
            return schemes[i].read(arena, out, str_copy(arena, str_from(text, prefix.len)), why);
    }
    return no(arena, why, "no kind of password hash begins like that: bcrypt, argon2, PBKDF2, scrypt, SHA crypt and "
                          "{SSHA} are taken");
}

bool foreign_hash_valid(struct arena *arena, struct str text, struct str *why)
{
    struct hash h;
    return parse(arena, text, &h, why);
}

bool foreign_hash_verify(struct arena *arena, struct str password, struct str stored)
{
    struct hash h;
    struct str why;
    return parse(arena, stored, &h, &why) && h.scheme->matches(arena, &h, password.ptr ? password : STR(""));
}

/* ---- Keycloak ---- */

/* A member that is an object, or an object's text. */
static const json_t *part_of(struct arena *arena, const json_t *credential, const char *name)
{
    const json_t *part = json_object_get(credential, name);
    return json_is_string(part) ? json_parse(arena, json_value_str(part), NULL) : part;
}

/* additionalParameters: {"memory": ["7168"], …} */
static struct str parameter(const json_t *data, const char *name, const char *otherwise)
{
    const json_t *value = json_object_get(json_object_get(data, "additionalParameters"), name);
    struct str text = json_value_str(json_is_array(value) ? json_array_get(value, 0) : value);
    return text.ptr ? text : str_of(otherwise);
}

bool foreign_hash_keycloak(struct arena *arena, const json_t *credential, struct str *text, struct str *why)
{
    static const struct {
        const char *theirs, *ours;
    } names[] = {
        { "pbkdf2", "pbkdf2-sha1" }, { "pbkdf2-sha256", "pbkdf2-sha256" }, { "pbkdf2-sha512", "pbkdf2-sha512" },
    };
    const json_t *data = part_of(arena, credential, "credentialData"), *secret = part_of(arena, credential, "secretData");
    if (!data && !secret)
        data = secret = credential;
    struct str algorithm = json_str(data, "algorithm"), salt = json_str(secret, "salt"), value = json_str(secret, "value");
    long long n = (long long)json_i64(data, "hashIterations", 0);
    if (!value.ptr)
        value = json_str(secret, "hashedSaltedValue");
    if (!salt.ptr || !value.ptr || !algorithm.ptr)
        return no(arena, why, "the credential has no algorithm, salt and value");
    if (str_is(algorithm, "argon2")) {
        bool old = str_is(parameter(data, "version", "1.3"), "1.0");
        struct str type = parameter(data, "type", "id"), memory = parameter(data, "memory", "7168"),
                   lanes = parameter(data, "parallelism", "1");
        *text = str_printf(arena, "$argon2%.*s$v=%d$m=%.*s,t=%lld,p=%.*s$%.*s$%.*s", STR_FMT(type), old ? 16 : 19,
                           STR_FMT(memory), n, STR_FMT(lanes), STR_FMT(salt), STR_FMT(value));
        return foreign_hash_valid(arena, *text, why);
    }
    for (size_t i = 0; i < COUNT(names); i++) {
        if (!str_is(algorithm, names[i].theirs))
            continue;
        *text = str_printf(arena, "$%s$i=%lld$%.*s$%.*s", names[i].ours, n, STR_FMT(salt), STR_FMT(value));
        return foreign_hash_valid(arena, *text, why);
    }
    *why = str_printf(arena, "Keycloak's algorithm %.*s is not known here", STR_FMT(algorithm));
    return false;
}

/* ---- Firebase ---- */

bool foreign_hash_firebase(struct arena *arena, const struct firebase_parameters *project, struct str salt,
                           struct str hash, struct str *text, struct str *why)
{
    if (hash.len < LEAST_HASH || hash.len > MOST_HASH || hash.len != project->signer_key.len)
        return no(arena, why, "the hash is not as long as the project's signer key");
    uint8_t stream[MOST_HASH];
    for (size_t i = 0; i < hash.len; i++)
        stream[i] = (uint8_t)(hash.ptr[i] ^ project->signer_key.ptr[i]);
    struct str whole_salt = str_concat(arena, salt, project->salt_separator);
    *text = str_printf(arena, "$firebase-scrypt$ln=%lld,r=%lld,p=1$%.*s$%.*s", (long long)project->mem_cost,
                       (long long)project->rounds, STR_FMT(base64url_encode(arena, whole_salt)),
                       STR_FMT(base64url_encode(arena, digest_str(stream, hash.len))));
    return foreign_hash_valid(arena, *text, why);
}
