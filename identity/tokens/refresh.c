#include "identity/tokens/refresh.h"

#include "core/base64.h"
#include "core/digest.h"
#include "core/json.h"
#include "identity/tokens/activity.h"
#include "identity/pools/session_config.h"
#include "wire/audit.h"

/* {"cty":"JWT","enc":"A256GCM","alg":"RSA-OAEP"} */
static const char HEAD[] = "eyJjdHkiOiJKV1QiLCJlbmMiOiJBMjU2R0NNIiwiYWxnIjoiUlNBLU9BRVAifQ";
enum { FAMILY_BYTES = 48, GENERATION_BYTES = 12, SEAL_BYTES = 2 * SHA256_BYTES, SEAL_FIRST = 48 };
enum { ROTATIONS_KEPT = 8 }; /* times of exchanges: a token exchanged before these is past any grace */

/* ---- the text ---- */

static struct str mac_text(struct call *call, const char *purpose, struct str what)
{
    uint8_t mac[SHA256_BYTES];
    sealer_mac(call->sealer, str_of(purpose), what, mac);
    return base64url_encode(call->arena, digest_str(mac, sizeof mac));
}

static struct str family_mac(struct call *call, struct str family)
{
    return mac_text(call, "pool-refresh-family", family);
}

static struct str generation_bytes(struct arena *arena, int64_t generation)
{
    uint8_t *bytes = arena_alloc(arena, GENERATION_BYTES, 1);
    memset(bytes, 0, GENERATION_BYTES);
    for (int i = 0; i < 8; i++)
        bytes[GENERATION_BYTES - 1 - i] = (uint8_t)((uint64_t)generation >> (8 * i));
    return digest_str(bytes, GENERATION_BYTES);
}

static int64_t generation_of(struct str bytes)
{
    uint64_t generation = 0;
    for (size_t i = GENERATION_BYTES - 8; i < GENERATION_BYTES; i++)
        generation = generation << 8 | (uint8_t)bytes.ptr[i];
    return (int64_t)generation;
}

static void seal_of(struct call *call, struct str family, struct str generation, uint8_t out[SEAL_BYTES])
{
    struct str what = str_concat(call->arena, family, generation);
    sealer_mac(call->sealer, STR("pool-refresh-seal-1"), what, out);
    sealer_mac(call->sealer, STR("pool-refresh-seal-2"), what, out + SHA256_BYTES);
}

static struct str token_of(struct call *call, struct str family, int64_t generation)
{
    uint8_t seal[SEAL_BYTES];
    struct str bytes = generation_bytes(call->arena, generation);
    seal_of(call, family, bytes, seal);
    const struct str segments[] = { family, bytes, digest_str(seal, SEAL_FIRST),
                                    digest_str(seal + SEAL_FIRST, SEAL_BYTES - SEAL_FIRST) };
    struct strbuf token = strbuf_in(call->arena, 256);
    strbuf_add(&token, STR(HEAD));
    for (size_t i = 0; i < COUNT(segments); i++) {
        strbuf_char(&token, '.');
        strbuf_add(&token, base64url_encode(call->arena, segments[i]));
    }
    return strbuf_view(&token);
}

/* False: not made by us, or before tokens had generations. */
static bool token_read(struct call *call, struct str token, struct refresh *out)
{
    static const size_t lengths[] = { FAMILY_BYTES, GENERATION_BYTES, SEAL_FIRST, SEAL_BYTES - SEAL_FIRST };
    struct str part, bytes[COUNT(lengths)];
    if (!str_split(&token, '.', &part) || !str_is(part, HEAD))
        return false;
    for (size_t i = 0; i < COUNT(lengths); i++)
        if (!str_split(&token, '.', &part) || !base64url_decode(call->arena, part, &bytes[i]) ||
            bytes[i].len != lengths[i])
            return false;
    uint8_t seal[SEAL_BYTES];
    seal_of(call, bytes[0], bytes[1], seal);
    if (token.len || !digest_equal(digest_str(seal, sizeof seal), str_concat(call->arena, bytes[2], bytes[3])))
        return false;
    out->family = bytes[0];
    out->generation = generation_of(bytes[1]);
    return true;
}

struct str refresh_token_new(struct call *call, struct str *mac)
{
    uint8_t *family = arena_alloc(call->arena, FAMILY_BYTES, 1);
    env_random(call->env, family, FAMILY_BYTES);
    *mac = family_mac(call, digest_str(family, FAMILY_BYTES));
    return token_of(call, digest_str(family, FAMILY_BYTES), 0);
}

/* ---- what it stands for ---- */

struct str session_seen(struct call *call, struct str ip)
{
    json_t *seen = json_own(call->arena, json_object());
    json_set_str(seen, "ip", ip.ptr ? ip : call->source_ip);
    json_set_str(seen, "agent", str_sub(call->user_agent, 0, call->user_agent.len < 1024 ? call->user_agent.len : 1024));
    return json_print(call->arena, seen);
}

static struct session session_of(struct call *call, const struct session_row *row)
{
    const json_t *doc = row->doc.ptr ? json_parse(call->arena, row->doc, NULL) : NULL;
    return (struct session){
        .origin = row->origin,
        .event = row->event,
        .auth_s = row->auth_s,
        .device = row->device,
        .acr = json_str(doc, "acr"),
        .amr = json_object_get(doc, "amr"),
    };
}

gh_err refresh_find(struct call *call, struct str token, struct refresh *out, bool *found)
{
    *out = (struct refresh){ .generation = 0 };
    struct str mac = token_read(call, token, out) ? family_mac(call, out->family) : mac_text(call, "pool-refresh", token);
    return store_session_find(call->db, NULL, call->arena, mac, &out->row, found);
}

static gh_err refused(struct call *call, const char *text)
{
    return gh_fail(call->arena, &idp_NotAuthorizedException, "%s", text);
}

gh_err refresh_load(struct call *call, const struct client *client, struct str token, struct str device_key,
                    struct refresh *out)
{
    bool found;
    const struct session_row *row = &out->row;
    gh_err err = refresh_find(call, token, out, &found);
    if (err)
        return err;
    if (!found || !str_eq(row->client, client->id) || !str_eq(row->pool, client->pool.id))
        return refused(call, "Invalid Refresh Token");
    err = store_user_find(call->db, NULL, call->arena, row->pool, USER_BY_SUB, row->sub, &out->user, &found);
    if (err)
        return err;
    if (!found)
        return refused(call, "Invalid Refresh Token");
    audit_note_str(call, "sub", out->user.sub);
    if (!out->user.enabled)
        return refused(call, "User is disabled.");
    if (row->revoked)
        return refused(call, "Refresh Token has been revoked");
    if (row->expires_s <= call->now_us / 1000000)
        return refused(call, "Refresh Token has expired");
    /* "DEVICE_KEY needed on refresh when the session was device-bound, else Invalid Refresh Token." */
    if (row->device.ptr && !str_eq(row->device, device_key))
        return refused(call, "Invalid Refresh Token");
    out->session = session_of(call, row);
    return NULL;
}

/* ---- what it is exchanged for ---- */

/* Exchanged so recently that whoever brings it may just not have had the answer. */
static bool in_grace(struct call *call, const struct client *client, const struct refresh *refresh)
{
    const json_t *times = refresh->row.rotated.ptr ? json_parse(call->arena, refresh->row.rotated, NULL) : NULL;
    int64_t back = refresh->row.generation - refresh->generation, kept = (int64_t)json_array_size(times);
    if (!client->rotates || back > kept)
        return false;
    int64_t at_us = json_integer_value(json_array_get(times, (size_t)(kept - back)));
    return call->now_us < at_us + client->grace_s * 1000000;
}

/* "Reuse after grace kills the family": somebody has a copy, and nobody can say who came first. */
static gh_err reused(struct call *call, const struct refresh *refresh)
{
    gh_err err = session_end(call, refresh->row.pool, refresh->row.origin);
    return err ? err : gh_fail(call->arena, &idp_RefreshTokenReuseException, "Refresh token reuse detected");
}

static struct str times_with(struct call *call, const struct session_row *row)
{
    json_t *times = row->rotated.ptr ? json_parse(call->arena, row->rotated, NULL) : NULL;
    if (!json_is_array(times))
        times = json_own(call->arena, json_array());
    json_array_append_new(times, json_integer(call->now_us));
    while (json_array_size(times) > ROTATIONS_KEPT)
        json_array_remove(times, 0);
    return json_print(call->arena, times);
}

/* Exchanged, once: who comes second finds the generation gone, and is in the grace or is not. *again: so. */
static gh_err rotate(struct call *call, struct refresh *refresh, struct str ip, bool *again)
{
    struct tx tx;
    bool found = false;
    *again = false;
    tx_begin(&tx, call->db, call->arena);
    store_session_rotate(&tx, &refresh->row, times_with(call, &refresh->row), session_seen(call, ip),
                         call->now_us / 1000000);
    if (tx.err || tx.changes == 1)
        return tx_commit(&tx);
    gh_err err = store_session_find(call->db, &tx, call->arena, refresh->row.mac, &refresh->row, &found);
    tx_rollback(&tx);
    if (err)
        return err;
    if (!found || refresh->row.revoked)
        return refused(call, "Refresh Token has been revoked");
    *again = true;
    return NULL;
}

static gh_err note_use(struct call *call, const struct client *client, const struct refresh *refresh, struct str ip)
{
    struct activity *activity = pools_of(call)->activity;
    if (session_limits(&client->pool).tracked &&
        activity_note(activity, refresh->row.mac, session_seen(call, ip), call->now_us / 1000000))
        return activity_settle(activity, call->db, call->arena);
    return NULL;
}

/* Into the token of the next generation. */
static gh_err exchange(struct call *call, const struct client *client, struct refresh *refresh, struct str ip,
                       struct str *next)
{
    bool again = refresh->generation != refresh->row.generation;
    gh_err err = again ? NULL : rotate(call, refresh, ip, &again);
    if (err)
        return err;
    if (again && !in_grace(call, client, refresh))
        return reused(call, refresh);
    *next = token_of(call, refresh->family, refresh->generation + 1);
    return NULL;
}

gh_err refresh_use(struct call *call, const struct client *client, struct refresh *refresh, struct str ip,
                   struct idp_AuthenticationResultType **out)
{
    struct idp_AuthenticationResultType *result = NULL;
    struct str next = STR_NONE;
    if (refresh->generation != refresh->row.generation && !in_grace(call, client, refresh))
        return reused(call, refresh);
    const struct occasion occasion = { "TokenGeneration_RefreshTokens", refresh->metadata };
    gh_err err = tokens_issue(call, client, &refresh->user, &refresh->session, &occasion, &result);
    /* a token from before there were generations is good for as long as it was, and not exchanged */
    if (!err)
        err = client->rotates && refresh->family.ptr ? exchange(call, client, refresh, ip, &next)
                                                     : note_use(call, client, refresh, ip);
    if (err)
        return err;
    result->refresh_token = next;
    *out = result;
    return NULL;
}
