/* Passwords of users: the pool's policy, and how they are kept. */
#include "core/base64.h"
#include "core/digest.h"
#include "core/id.h"
#include "core/log.h"
#include "core/password.h"
#include "identity/protection/password_history.h"
#include "identity/signin/srp_numbers.h"
#include "identity/transfer/foreign_hash.h"
#include "identity/users/user.h"

/* "^ $ * . [ ] { } ( ) ? - " ! @ # % & / \ , > < ' : ; | _ ~ ` + =", and a space that is not first or last */
static const char symbols[] = "^$*.[]{}()?-\"!@#%&/\\,><':;|_~`+= ";

enum { LONGEST = 256 };

static bool is_symbol(struct str password, size_t i)
{
    char c = password.ptr[i];
    return c && strchr(symbols, c) && (c != ' ' || (i > 0 && i + 1 < password.len));
}

gh_err password_check_policy(struct call *call, const struct pool *pool, struct str password)
{
    const struct idp_PasswordPolicyType *policy = pool->doc->policies->password_policy;
    bool upper = false, lower = false, digit = false, symbol = false;
    int64_t chars = 0;
    for (size_t i = 0; i < password.len; i++) {
        char c = password.ptr[i];
        upper |= c >= 'A' && c <= 'Z';
        lower |= c >= 'a' && c <= 'z';
        digit |= c >= '0' && c <= '9';
        symbol |= is_symbol(password, i);
        chars += ((unsigned char)c & 0xc0) != 0x80;
    }
    const struct {
        bool broken;
        const char *text;
    } rules[] = {
        { chars < policy->minimum_length.value, "Password not long enough" },
        { chars > LONGEST, "Password too long" },
        { policy->require_uppercase.value && !upper, "Password must have uppercase characters" },
        { policy->require_lowercase.value && !lower, "Password must have lowercase characters" },
        { policy->require_numbers.value && !digit, "Password must have numeric characters" },
        { policy->require_symbols.value && !symbol, "Password must have symbol characters" },
    };
    for (size_t i = 0; i < COUNT(rules); i++)
        if (rules[i].broken)
            return gh_fail(call->arena, &idp_InvalidPasswordException,
                           "Password did not conform with policy: %s", rules[i].text);
    return NULL;
}

struct str password_generate(struct call *call, const struct pool *pool)
{
    int64_t length = pool->doc->policies->password_policy->minimum_length.value;
    struct strbuf password = strbuf_in(call->arena, 128);
    strbuf_add(&password, id_random(call->env, call->arena, 1, "ABCDEFGHJKLMNPQRSTUVWXYZ"));
    strbuf_add(&password, id_random(call->env, call->arena, 1, "abcdefghijkmnopqrstuvwxyz"));
    strbuf_add(&password, id_random(call->env, call->arena, 1, "23456789"));
    strbuf_add(&password, id_random(call->env, call->arena, 1, "!@#%&*_+=-"));
    strbuf_add(&password, id_random(call->env, call->arena, length > 14 ? (size_t)length - 4 : 10,
                                    "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"));
    return strbuf_view(&password);
}

static struct str verifier_place(struct call *call, const struct user *user)
{
    return str_printf(call->arena, "pool-verifier/%.*s/%.*s", STR_FMT(user->pool), STR_FMT(user->sub));
}

static gh_err write_password(struct call *call, const struct pool *pool, struct user *user, struct str password)
{
    uint8_t salt[SRP_SALT_BYTES];
    env_random(call->env, salt, sizeof salt);
    struct str hash = password_hash(call->env, call->arena, password, &PASSWORD_COST_DEFAULT);
    if (!hash.ptr)
        return gh_fail(call->arena, &GH_UNAVAILABLE, "No memory to hash a password.");
    struct str v =
        srp_verifier(call->arena, digest_str(salt, sizeof salt), pool->name, user->username, password);
    user->salt = srp_hex(call->arena, digest_str(salt, sizeof salt));
    user->verifier = seal(call->sealer, call->arena, verifier_place(call, user), v);
    user->password = hash;
    user->password_us = call->now_us;
    return NULL;
}

gh_err user_set_password(struct call *call, const struct pool *pool, struct user *user, struct str password)
{
    gh_err err = password_history_check(call, pool, user, password);
    if (err)
        return err;
    password_history_keep(call, pool, user);
    return write_password(call, pool, user, password);
}

bool user_password_is(struct call *call, const struct user *user, struct str password)
{
    if (!user->password.ptr)
        return false;
    return password_hash_is_of(user->password, &PASSWORD_COST_DEFAULT)
               ? password_verify(call->arena, password, user->password)
               : foreign_hash_verify(call->arena, password, user->password);
}

gh_err user_renew_password(struct call *call, const struct pool *pool, struct user *user, struct str password,
                           bool *changed)
{
    int64_t set_us = user->password_us; /* a temporary one is no younger for it */
    if (user->verifier.ptr && password_hash_is_of(user->password, &PASSWORD_COST_DEFAULT))
        return NULL;
    gh_err err = write_password(call, pool, user, password);
    user->password_us = set_us;
    *changed |= !err;
    return err;
}

struct str user_verifier(struct call *call, const struct user *user)
{
    struct str v = STR_NONE;
    if (!user->verifier.ptr || unseal(call->sealer, call->arena, verifier_place(call, user), user->verifier, &v))
        return v;
    log_at(LOG_ERROR, "a sealed value does not open", { "what", STR("SRP verifier") }, { "pool", user->pool },
           { "sub", user->sub });
    return STR_NONE;
}
