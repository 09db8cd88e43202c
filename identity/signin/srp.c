/* USER_SRP_AUTH and its PASSWORD_VERIFIER.
 *
 * A user who is not there gets a challenge like any other, the same for the same name: "stable for the same
 * (username, pool)" (RFC 5054, 2.5.1.3). */
#include "core/base64.h"
#include "core/digest.h"
#include "core/json.h"
#include "identity/signin/srp_exchange.h"

static const char PLACE[] = "pool-srp";

/* Who is asked: a user, or somebody made up. */
struct asked {
    struct str user_id, sub, salt_hex, verifier;
};

/* Numbers out of the name and a key of ours: nobody can tell them from a user's. */
static struct asked nobody(const struct sign_in *s, struct str name)
{
    struct arena *arena = s->call->arena;
    uint8_t mac[SHA256_BYTES], *v = arena_alloc(arena, SRP_NUMBER_BYTES, 1);
    struct str who = str_printf(arena, "%.*s/%.*s", STR_FMT(s->client.pool.id),
                                STR_FMT(pool_fold(s->call, &s->client.pool, name)));
    for (size_t i = 0; i < SRP_NUMBER_BYTES / sizeof mac; i++) {
        sealer_mac(s->call->sealer, STR("pool-nobody-v"), str_printf(arena, "%zu/%.*s", i, STR_FMT(who)),
                   mac);
        memcpy(v + i * sizeof mac, mac, sizeof mac);
    }
    v[0] &= 0x7f; /* below N */
    sealer_mac(s->call->sealer, STR("pool-nobody"), who, mac);
    const char *hex = hex_encode(arena, digest_str(mac, 16)).ptr;
    return (struct asked){
        .user_id = str_printf(arena, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20),
        .salt_hex = srp_hex(arena, digest_str(mac + 16, SRP_SALT_BYTES)),
        .verifier = digest_str(v, SRP_NUMBER_BYTES),
    };
}

static struct asked somebody(const struct sign_in *s)
{
    return (struct asked){ s->user.username, s->user.sub, s->user.salt, user_verifier(s->call, &s->user) };
}

gh_err srp_begin(struct sign_in *s)
{
    struct str name, A;
    gh_err err = sign_in_need(s, "USERNAME", &name);
    if (!err)
        err = srp_given(s, &A);
    if (!err)
        err = sign_in_find_user(s);
    return err ? err : sign_in_ask(s, "PASSWORD_VERIFIER");
}

gh_err srp_start(struct sign_in *s)
{
    struct str name = json_str(s->state, "name"), A;
    gh_err err = srp_given(s, &A);
    if (err)
        return err;
    struct asked asked = s->user.sub.ptr ? somebody(s) : nobody(s, name);
    if (!asked.verifier.ptr) /* a user without a password: cannot succeed, must not show */
        asked.verifier = nobody(s, name).verifier;
    if (!asked.salt_hex.ptr)
        asked.salt_hex = nobody(s, name).salt_hex;

    struct srp_exchange exchange = { .at_us = 0 };
    SRP_SET_TEXT(exchange.sub, asked.sub);
    if (!asked.sub.ptr)
        SRP_SET_TEXT(exchange.nobody, guard_who(s->call, &s->client.pool, STR_NONE, name));
    srp_question(s, PLACE, &exchange, A, asked.salt_hex, asked.verifier);
    sign_in_parameter(s, "USERNAME", asked.user_id);
    sign_in_parameter(s, "USER_ID_FOR_SRP", asked.user_id);
    return NULL;
}

/* USERNAME in the answer is USER_ID_FOR_SRP, or what was typed. */
static gh_err find_answerer(struct sign_in *s, const struct srp_exchange *exchange, struct str name,
                            bool *right)
{
    struct user named = { .sub = STR_NONE };
    bool found = false, is_named = false;
    struct str sub = str_copy(s->call->arena, SRP_TEXT(exchange->sub));
    gh_err err = NULL;
    if (sub.len)
        err = store_user_find(s->call->db, NULL, s->call->arena, s->client.pool.id, USER_BY_SUB, sub,
                              &s->user, &found);
    if (!err && found && !str_eq(name, s->user.username))
        err = user_find(s->call, &s->client.pool, name, &named, &is_named);
    *right = found && (str_eq(name, s->user.username) || (is_named && str_eq(named.sub, sub)));
    return err;
}

/* The name in the answer may be the one that was made up, so that of the question counts. */
static gh_err guess(struct sign_in *s, const struct srp_exchange *exchange, struct str name)
{
    if (!json_str(s->state, "name").ptr)
        json_set_str(s->state, "name", name);
    json_set_str(s->state, "nobody", SRP_TEXT(exchange->nobody));
    return sign_in_guess(s);
}

/* "Wrong password, wrong signature or altered SECRET_BLOCK: NotAuthorizedException". The arithmetic is
 * done for nobody, too, so that time tells nothing. */
gh_err srp_answer(struct sign_in *s)
{
    struct str name;
    struct srp_proof proof;
    struct srp_exchange exchange;
    bool someone;
    gh_err err = sign_in_need(s, "USERNAME", &name);
    if (!err)
        err = srp_need_proof(s, &proof);
    if (!err)
        err = sign_in_check_secret_hash(s, name);
    if (err)
        return err;
    if (!srp_open(s, PLACE, &proof, &exchange))
        return sign_in_refused(s);
    if (!s->given_session.ptr)
        s->spend_until_s = exchange.at_us / 1000000 + s->client.session_ttl_s;
    err = find_answerer(s, &exchange, name, &someone);
    if (!err)
        err = guess(s, &exchange, name);
    if (err)
        return err;
    struct asked asked = someone ? somebody(s) : nobody(s, name);
    bool has_password = someone && asked.verifier.ptr;
    if (!asked.verifier.ptr)
        asked.verifier = nobody(s, name).verifier;
    if (!srp_proves(s->call->arena, &exchange, &proof, s->client.pool.name, asked.user_id, asked.verifier) ||
        !has_password)
        return sign_in_wrong_password(s);
    err = sign_in_check_user(s);
    if (!s->given_session.ptr) {
        s->spend = proof.block_base64;
        json_set_str(s->state, "name", name);
        json_set_str(s->state, "sub", s->user.sub);
    }
    return err ? err : sign_in_passed(s, "PASSWORD_VERIFIER");
}
