#include "identity/messages/link.h"

#include "core/uri.h"
#include "identity/users/code.h"

struct str confirmation_link(struct call *call, const struct client *client, struct str username,
                             struct str code)
{
    const struct identity *identity = call->module;
    return str_printf(
        call->arena,
        "%.*s/_aws/cognito-idp/%.*s/confirmUser?client_id=%.*s&user_name=%.*s&confirmation_code=%.*s",
        STR_FMT(identity->base_url), STR_FMT(client->pool.id), STR_FMT(client->id),
        STR_FMT(uri_encode(call->arena, username, false)), STR_FMT(code));
}

gh_err identity_confirm_by_link(struct call *call, struct str pool_id, struct str query)
{
    struct client client;
    struct user user;
    bool found;
    struct str code = uri_query_get(call->arena, query, "confirmation_code"),
               name = uri_query_get(call->arena, query, "user_name");
    gh_err err = client_find(call, uri_query_get(call->arena, query, "client_id"), &client);
    if (!err && !str_eq(client.pool.id, pool_id))
        err = gh_fail(call->arena, &idp_ResourceNotFoundException, "This link is of another user pool.");
    if (!err)
        err = user_find(call, &client.pool, name, &user, &found);
    if (err)
        return err;
    return sign_up_confirm(call, &client, found ? &user : NULL, name, code.ptr ? code : STR(""), false, NULL);
}
