#include "identity/protection/event.h"

#include "core/id.h"
#include "identity/pools/log_delivery.h"
#include "identity/pools/options.h"
#include "identity/users/user.h"
#include "wire/codec_json.h"

enum { DAYS = 730, FEEDBACK_S = 7 * 86400 };

json_t *auth_event_new(struct call *call, const struct whence *whence, const char *type, const char *response,
                       const json_t *risk)
{
    json_t *event = json_own(call->arena, json_object()), *context = json_object();
    json_set_str(event, "EventType", str_of(type));
    json_set_str(event, "EventResponse", str_of(response));
    if (risk)
        json_object_set(event, "EventRisk", (json_t *)risk);
    json_object_set_new(event, "ChallengeResponses", json_array());
    json_set_str(context, "IpAddress", whence->ip);
    if (whence->agent.len)
        json_set_str(context, "DeviceName", agent_device(call->arena, whence->agent));
    json_set_str(context, "Timezone", whence->zone);
    json_object_set_new(event, "EventContextData", context);
    json_set_str(event, "agent", agent_without_numbers(call->arena, whence->agent));
    json_set_str(event, "print", whence->print);
    return event;
}

void auth_event_challenge(json_t *event, const char *name, bool right)
{
    json_t *one = json_object();
    json_set_str(one, "ChallengeName", str_of(name));
    json_set_str(one, "ChallengeResponse", right ? STR("Success") : STR("Failure"));
    json_array_append_new(json_object_get(event, "ChallengeResponses"), one);
}

void auth_event_put(struct call *call, struct tx *tx, const struct pool *pool, struct str sub, struct str id,
                    const json_t *event)
{
    const struct auth_event_row row = { id.ptr ? id : id_uuid(call->env, call->arena), json_print(call->arena, event),
                                        call->now_us };
    store_auth_event_put(tx, pool->id, sub, &row,
                         call->now_us - option_count(pool->more, "authEventDays", DAYS) * INT64_C(86400000000));
}

void auth_event_deliver(struct call *call, const struct pool *pool, const struct user *user, const json_t *event)
{
    if (!log_delivery_wants(call, pool, LOG_USER_AUTH_EVENTS))
        return;
    json_t *line = json_own(call->arena, json_copy((json_t *)event));
    json_object_del(line, "agent");
    json_object_del(line, "print");
    json_set_str(line, "userName", user->username);
    json_set_str(line, "userSub", user->sub);
    log_delivery_event(call, pool, LOG_USER_AUTH_EVENTS, line);
}

gh_err auth_event_note(struct call *call, const struct client *client, const struct user *user,
                       const struct idp_UserContextDataType *given, const char *type)
{
    if (threat_mode(&client->pool, false) == THREAT_OFF)
        return NULL;
    const struct whence whence = whence_of_user(call, client, given);
    const json_t *event = auth_event_new(call, &whence, type, "Pass", NULL);
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    auth_event_put(call, &tx, &client->pool, user->sub, STR_NONE, event);
    gh_err err = tx_commit(&tx);
    if (!err)
        auth_event_deliver(call, &client->pool, user, event);
    return err;
}

/* ---- AdminListUserAuthEvents ---- */

static gh_err load(struct call *call, struct str pool_id, struct str name, struct pool *pool, struct user *user)
{
    gh_err err = pool_load(call, pool_id, pool);
    if (!err)
        err = threat_protection_needed(call, pool);
    return err ? err : user_load(call, pool, name, user);
}

static struct idp_AuthEventType *shown(struct call *call, const struct auth_event_row *row)
{
    struct idp_AuthEventType *event = ARENA_NEW(call->arena, struct idp_AuthEventType);
    if (!shape_parse(call->arena, &idp_shape_AuthEventType, row->doc, event))
        *event = (struct idp_AuthEventType){ 0 };
    event->event_id = row->id;
    event->creation_date = some_time_us(row->at_us);
    return event;
}

static struct str list_name(struct call *call, const struct pool *pool, const struct user *user)
{
    return str_printf(call->arena, "%.*s/%.*s", STR_FMT(pool->id), STR_FMT(user->sub));
}

gh_err idp_AdminListUserAuthEvents(struct call *call, const struct idp_AdminListUserAuthEvents_in *in,
                                   struct idp_AdminListUserAuthEvents_out *out)
{
    struct pool pool;
    struct user user;
    struct str after = STR_NONE, time = STR_NONE;
    struct auth_event_row *rows;
    size_t n;
    int64_t limit = in->max_results.set && in->max_results.value ? in->max_results.value : 60, before_us = INT64_MAX;
    gh_err err = load(call, in->user_pool_id, in->username, &pool, &user);
    if (!err)
        err = page_open(call, "auth-events", list_name(call, &pool, &user), in->next_token, &after);
    if (err)
        return err;
    if (after.ptr && str_split(&after, '/', &time))
        (void)str_i64(time, &before_us);
    err = store_auth_event_list(call->db, call->arena, pool.id, user.sub, before_us, after.ptr ? after : STR(""),
                                limit + 1, &rows, &n);
    if (err)
        return err;
    bool more = n > (size_t)limit;
    n -= more;
    out->auth_events.set = true;
    out->auth_events.items = ARENA_ARRAY(call->arena, struct idp_AuthEventType *, n);
    for (size_t i = 0; i < n; i++)
        out->auth_events.items[out->auth_events.n++] = shown(call, &rows[i]);
    if (more)
        out->next_token = page_token(call, "auth-events", list_name(call, &pool, &user),
                                     str_printf(call->arena, "%lld/%.*s", (long long)rows[n - 1].at_us,
                                                STR_FMT(rows[n - 1].id)));
    return NULL;
}

/* ---- feedback ---- */

static struct str feedback_place(struct call *call, struct str pool, struct str sub, struct str event)
{
    return str_printf(call->arena, "pool-feedback/%.*s/%.*s/%.*s", STR_FMT(pool), STR_FMT(sub), STR_FMT(event));
}

struct str feedback_token(struct call *call, struct str pool, struct str sub, struct str event)
{
    struct str until = str_printf(call->arena, "%lld", (long long)(call->now_us / 1000000 + FEEDBACK_S));
    return seal(call->sealer, call->arena, feedback_place(call, pool, sub, event), until);
}

static gh_err give_feedback(struct call *call, const struct pool *pool, const struct user *user, struct str id,
                            struct str value, const char *provider)
{
    struct auth_event_row row;
    bool found;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = store_auth_event_find(call->db, &tx, call->arena, pool->id, user->sub, id, &row, &found);
    if (!err && !found)
        err = gh_fail(call->arena, &idp_ResourceNotFoundException, "Event %.*s does not exist.", STR_FMT(id));
    if (err) {
        tx_rollback(&tx);
        return err;
    }
    json_t *event = json_parse(call->arena, row.doc, NULL), *feedback = json_own(call->arena, json_object());
    json_set_str(feedback, "FeedbackValue", value);
    json_set_str(feedback, "Provider", str_of(provider));
    json_object_set_new(feedback, "FeedbackDate", json_real((double)call->now_us / 1e6));
    json_object_set(event, "EventFeedback", feedback);
    store_auth_event_update(&tx, pool->id, user->sub, id, json_print(call->arena, event));
    return tx_commit(&tx);
}

gh_err idp_AdminUpdateAuthEventFeedback(struct call *call, const struct idp_AdminUpdateAuthEventFeedback_in *in,
                                        struct idp_AdminUpdateAuthEventFeedback_out *out)
{
    (void)out;
    struct pool pool;
    struct user user;
    gh_err err = load(call, in->user_pool_id, in->username, &pool, &user);
    return err ? err : give_feedback(call, &pool, &user, in->event_id, in->feedback_value, "Admin");
}

/* Without a signature: the token says all, and who has none learns nothing of who exists. */
gh_err idp_UpdateAuthEventFeedback(struct call *call, const struct idp_UpdateAuthEventFeedback_in *in,
                                   struct idp_UpdateAuthEventFeedback_out *out)
{
    (void)out;
    struct pool pool;
    struct user user = { .sub = STR_NONE };
    bool found = false;
    struct str until;
    int64_t until_s = 0;
    gh_err err = pool_find(call, in->user_pool_id, &pool);
    if (!err)
        err = threat_protection_needed(call, &pool);
    if (!err)
        err = user_find(call, &pool, in->username, &user, &found);
    if (err)
        return err;
    if (!found ||
        !unseal(call->sealer, call->arena, feedback_place(call, pool.id, user.sub, in->event_id), in->feedback_token,
                &until) ||
        !str_i64(until, &until_s) || until_s <= call->now_us / 1000000)
        return gh_fail(call->arena, &idp_NotAuthorizedException, "Invalid feedback token.");
    return give_feedback(call, &pool, &user, in->event_id, in->feedback_value, "User");
}
