#include "identity/triggers/account.h"

#include "core/json.h"

/* "ValidationData: list of {Name, Value} becomes a map"; null when not sent. */
static json_t *validation_data(const struct idp_AttributeListType *given)
{
    if (!given->set)
        return json_null();
    json_t *map = json_object();
    for (size_t i = 0; i < given->n; i++)
        json_object_setn_new(map, given->items[i]->name.ptr, given->items[i]->name.len, json_of(given->items[i]->value));
    return map;
}

/* "If autoVerifyEmail is true, the request must have an email: otherwise the sign-up fails." */
static gh_err take_verified(struct call *call, struct user *user, const json_t *response, bool *verified)
{
    static const struct {
        const char *flag, *attribute, *set;
    } rows[] = { { "autoVerifyEmail", "email", "email_verified" },
                 { "autoVerifyPhone", "phone_number", "phone_number_verified" } };
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (!json_flag(response, rows[i].flag, false))
            continue;
        if (!user_attribute(user, rows[i].attribute).len)
            return gh_fail(call->arena, &idp_InvalidParameterException,
                           "PreSignUp set %s, but the user has no %s.", rows[i].flag, rows[i].attribute);
        json_set_str(user->attributes, rows[i].set, STR("true"));
        *verified = true;
    }
    return NULL;
}

/* That nothing is verified yet goes without saying. */
static void drop_unverified(json_t *attributes)
{
    static const char *const flags[] = { "email_verified", "phone_number_verified" };
    for (size_t i = 0; i < COUNT(flags); i++)
        if (str_is(json_str(attributes, flags[i]), "false"))
            json_object_del(attributes, flags[i]);
}

gh_err trigger_pre_sign_up(struct call *call, const struct pool *pool, const struct client *client, struct user *user,
                           const struct idp_AttributeListType *validation, const json_t *metadata, bool *verified)
{
    *verified = false;
    if (!trigger_is_set(pool, TRIGGER_PRE_SIGN_UP))
        return NULL;
    struct user unborn = *user; /* "PreSignUp has no sub" */
    unborn.status = STR_NONE;
    json_t *request = trigger_request(call, &unborn, metadata), *response;
    drop_unverified(json_object_get(request, "userAttributes"));
    json_object_set_new(request, "validationData", validation_data(validation));
    json_t *initial = json_own(call->arena, json_pack("{s:b,s:b,s:b}", "autoConfirmUser", 0, "autoVerifyEmail", 0,
                                                      "autoVerifyPhone", 0));
    gh_err err = trigger_run(call,
                             &(struct trigger_event){
                                 .trigger = TRIGGER_PRE_SIGN_UP,
                                 .source = client ? "PreSignUp_SignUp" : "PreSignUp_AdminCreateUser",
                                 .pool = pool,
                                 .client = client,
                                 .user_name = user->username,
                                 .request = request,
                                 .response = initial,
                             },
                             &response);
    if (err || !client)
        return err;
    if (json_flag(response, "autoConfirmUser", false))
        user->status = CONFIRMED;
    return take_verified(call, user, response, verified);
}

gh_err trigger_post_confirmation(struct call *call, const struct client *client, const struct pool *pool,
                                 const struct user *user, const char *source, const json_t *metadata)
{
    json_t *response;
    if (!trigger_is_set(pool, TRIGGER_POST_CONFIRMATION))
        return NULL;
    return trigger_run(call,
                       &(struct trigger_event){
                           .trigger = TRIGGER_POST_CONFIRMATION,
                           .source = source,
                           .pool = pool,
                           .client = client,
                           .user_name = user->username,
                           .request = trigger_request(call, user, metadata),
                       },
                       &response);
}
