/* Codes on their way to a person: made, kept as keyed hashes, judged. */
#include "core/base64.h"
#include "core/digest.h"
#include "core/id.h"
#include "identity/messages/message.h"
#include "identity/protection/guard.h"
#include "identity/protection/pace.h"
#include "identity/users/code.h"

enum { CODE_DIGITS = 6, MAX_TRIES = 15, LONGEST_S = 24 * 3600 };

/* "Sign-up code, attribute verification code: 24 h; forgot-password code: 1 h" */
static const struct {
    const char *name;
    int64_t ttl_s;
} purposes[] = {
    [CODE_SIGN_UP] = { "signup", 24 * 3600 },
    [CODE_FORGOT] = { "forgot", 3600 },
    [CODE_VERIFY_EMAIL] = { "verify:email", 24 * 3600 },
    [CODE_VERIFY_PHONE] = { "verify:phone_number", 24 * 3600 },
};

static struct str purpose_name(enum code_purpose purpose)
{
    return str_of(purposes[purpose].name);
}

/* With the address in it: a code proves the one that it went to, and no other that came since. */
static struct str mac_of(struct call *call, const struct user *user, enum code_purpose purpose, struct str address,
                         struct str code)
{
    uint8_t mac[SHA256_BYTES];
    sealer_mac(call->sealer, STR("pool-code"),
               str_printf(call->arena, "%.*s/%.*s/%s/%.*s/%.*s", STR_FMT(user->pool), STR_FMT(user->sub),
                          purposes[purpose].name, STR_FMT(code), STR_FMT(address)),
               mac);
    return base64url_encode(call->arena, digest_str(mac, sizeof mac));
}

gh_err code_send(struct call *call, const struct pool *pool, const struct user *user,
                 enum code_purpose purpose, const struct message_order *order,
                 struct idp_CodeDeliveryDetailsType **details)
{
    struct message_order filled = *order;
    filled.code = id_random(call->env, call->arena, CODE_DIGITS, ID_DIGITS);
    struct str address = order->to.ptr ? order->to : user_attribute(user, order->attribute);
    const struct code_row row = { mac_of(call, user, purpose, address, filled.code), str_of(order->attribute),
                                  call->now_us / 1000000, 0 };
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    store_code_put(&tx, pool->id, user->sub, purpose_name(purpose), &row);
    gh_err err = tx_commit(&tx);
    if (err)
        return err;
    int64_t began_us = env_monotonic_us(call->env);
    err = message_send(call, pool, user, &filled, details);
    pace_note(env_monotonic_us(call->env) - began_us);
    return err;
}

/* "when auto-verified, sends a code": one for each address that changed. */
gh_err code_send_for_changes(struct call *call, const struct pool *pool, const struct user *user,
                             const struct idp_AttributeListType *given, const struct message_order *order,
                             struct idp_CodeDeliveryDetailsListType *sent)
{
    static const char *const addresses[] = { "email", "phone_number" };
    sent->items = ARENA_ARRAY(call->arena, struct idp_CodeDeliveryDetailsType *, COUNT(addresses));
    sent->set = true;
    for (size_t a = 0; a < COUNT(addresses); a++)
        for (size_t i = 0; i < given->n; i++) {
            struct str pending = user_pending(user, addresses[a]);
            if (!str_is(given->items[i]->name, addresses[a]) || !pool_auto_verifies(pool, addresses[a]) ||
                !user_attribute(user, addresses[a]).len || (!pending.ptr && user_has_verified(user, addresses[a])))
                continue;
            struct message_order one = *order;
            one.attribute = addresses[a];
            one.to = pending;
            gh_err err = code_send(call, pool, user, a == 0 ? CODE_VERIFY_EMAIL : CODE_VERIFY_PHONE, &one,
                                   &sent->items[sent->n]);
            if (err)
                return err;
            sent->n++;
            break;
        }
    return NULL;
}

/* Where a code for this can have gone, as things are now. */
static struct str address_of(struct call *call, const struct user *user, enum code_purpose purpose, struct str attribute)
{
    const char *name = str_c(call->arena, attribute);
    bool verifies = purpose == CODE_VERIFY_EMAIL || purpose == CODE_VERIFY_PHONE;
    struct str pending = verifies ? user_pending(user, name) : STR_NONE;
    return pending.ptr ? pending : user_attribute(user, name);
}

gh_err code_check(struct call *call, const struct user *user, enum code_purpose purpose, struct str code,
                  struct str *attribute)
{
    struct code_row row;
    bool found;
    gh_err err =
        store_code_find(call->db, call->arena, user->pool, user->sub, purpose_name(purpose), &row, &found);
    if (err)
        return err;
    if (!found || call->now_us / 1000000 >= row.sent_s + purposes[purpose].ttl_s)
        return gh_fail(call->arena, &idp_ExpiredCodeException,
                       "Invalid code provided, please request a code again.");
    if (row.tries >= MAX_TRIES)
        return gh_fail(call->arena, &idp_LimitExceededException,
                       "Attempt limit exceeded, please try after some time.");
    if (!digest_equal(row.mac, mac_of(call, user, purpose, address_of(call, user, purpose, row.attribute), code))) {
        struct tx tx;
        tx_begin(&tx, call->db, call->arena);
        store_code_tried(&tx, user->pool, user->sub, purpose_name(purpose));
        err = tx_commit(&tx);
        return err ? err
                   : gh_fail(call->arena, &idp_CodeMismatchException,
                             "Invalid verification code provided, please try again.");
    }
    *attribute = row.attribute;
    return NULL;
}

void code_drop(struct tx *tx, const struct user *user, enum code_purpose purpose)
{
    store_code_drop(tx, user->pool, user->sub, purpose_name(purpose));
}

/* ---- nobody ---- */

static struct user nobody_of(struct call *call, const struct pool *pool, struct str name)
{
    return (struct user){ .pool = pool->id, .sub = guard_who(call, pool, STR_NONE, name), .username = name };
}

/* Stable for the same name, shaped like the real answer. */
static struct idp_CodeDeliveryDetailsType *details_of_nobody(struct call *call, const struct pool *pool,
                                                             struct str name)
{
    if (is_email(name))
        return delivery_details(call, "email", name);
    if (is_phone_number(name))
        return delivery_details(call, "phone_number", name);
    uint8_t mac[SHA256_BYTES];
    sealer_mac(call->sealer, STR("pool-pretend"), str_concat(call->arena, pool->id, name), mac);
    return delivery_details(call, "email",
                            str_printf(call->arena, "%c@%c", 'a' + mac[0] % 26, 'a' + mac[1] % 26));
}

/* The code is drawn and forgotten: nobody can know it. */
static gh_err put_unknown_code(struct call *call, const struct user *nobody, enum code_purpose purpose)
{
    struct str code = id_random(call->env, call->arena, 32, ID_ALNUM);
    const struct code_row row = { mac_of(call, nobody, purpose, STR(""), code), STR("email"), call->now_us / 1000000, 0 };
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    store_code_forget(&tx, call->now_us / 1000000 - LONGEST_S);
    store_code_put(&tx, nobody->pool, nobody->sub, purpose_name(purpose), &row);
    return tx_commit(&tx);
}

gh_err code_send_nobody(struct call *call, const struct pool *pool, struct str name, enum code_purpose purpose,
                        struct idp_CodeDeliveryDetailsType **details)
{
    const struct user nobody = nobody_of(call, pool, name);
    gh_err err = put_unknown_code(call, &nobody, purpose);
    if (err)
        return err;
    pace_wait(call->env);
    *details = details_of_nobody(call, pool, name);
    return NULL;
}

/* Somebody who signed up has a code on the way; so has nobody. */
gh_err code_check_nobody(struct call *call, const struct pool *pool, struct str name, enum code_purpose purpose)
{
    const struct user nobody = nobody_of(call, pool, name);
    struct str attribute;
    struct code_row row;
    bool found;
    gh_err err = store_code_find(call->db, call->arena, nobody.pool, nobody.sub, purpose_name(purpose), &row, &found);
    if (!err && !found && purpose == CODE_SIGN_UP)
        err = put_unknown_code(call, &nobody, purpose);
    if (!err)
        err = code_check(call, &nobody, purpose, STR("nobody's"), &attribute);
    return err ? err : gh_fail(call->arena, &GH_INTERNAL, "A code that nobody has was right.");
}

/* "If both, the code goes to the phone." */
const char *code_attribute_to_verify(const struct pool *pool, const struct user *user)
{
    static const char *const in_order[] = { "phone_number", "email" };
    for (size_t i = 0; i < COUNT(in_order); i++)
        if (pool_auto_verifies(pool, in_order[i]) && user_attribute(user, in_order[i]).len)
            return in_order[i];
    return NULL;
}
