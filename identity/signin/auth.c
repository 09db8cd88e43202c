/* InitiateAuth, RespondToAuthChallenge, AdminInitiateAuth, AdminRespondToAuthChallenge. */
#include "identity/signin/tables.h"

/* AuthParametersType and ChallengeResponsesType are both maps of strings. */
#define GIVEN(map) .given = (const struct pair *)(const void *)(map).items, .n_given = (map).n
_Static_assert(sizeof(struct pair) == sizeof(struct idp_AuthParametersType_entry), "a map of strings");
_Static_assert(sizeof(struct pair) == sizeof(struct idp_ChallengeResponsesType_entry), "a map of strings");

#define ANSWER(out, s)                                                                                       \
    do {                                                                                                     \
        (out)->challenge_name = (s).challenge;                                                               \
        (out)->session = (s).session_text;                                                                   \
        (out)->challenge_parameters = (s).parameters;                                                        \
        (out)->challenge_parameters.set = true;                                                              \
        (out)->available_challenges = (s).available;                                                         \
        (out)->authentication_result = (s).result;                                                           \
    } while (0)

static gh_err admin_client(struct call *call, struct str pool_id, struct str client_id, struct client *client)
{
    struct pool pool;
    gh_err err = pool_load(call, pool_id, &pool);
    return err ? err : client_of_pool(call, &pool, client_id, client);
}

gh_err idp_InitiateAuth(struct call *call, const struct idp_InitiateAuth_in *in,
                        struct idp_InitiateAuth_out *out)
{
    struct sign_in s = {
        .call = call,
        .given_session = in->session,
        .metadata = client_metadata(call, &in->client_metadata),
        GIVEN(in->auth_parameters),
    };
    gh_err err = client_find(call, in->client_id, &s.client);
    if (!err)
        s.whence = whence_of_user(call, &s.client, in->user_context_data);
    if (!err)
        err = sign_in_initiate(&s, in->auth_flow);
    if (!err)
        ANSWER(out, s);
    return err;
}

gh_err idp_AdminInitiateAuth(struct call *call, const struct idp_AdminInitiateAuth_in *in,
                             struct idp_AdminInitiateAuth_out *out)
{
    struct sign_in s = {
        .call = call,
        .admin = true,
        .whence = whence_of_admin(call, in->context_data),
        .given_session = in->session,
        .metadata = client_metadata(call, &in->client_metadata),
        GIVEN(in->auth_parameters),
    };
    gh_err err = admin_client(call, in->user_pool_id, in->client_id, &s.client);
    if (!err)
        err = sign_in_initiate(&s, in->auth_flow);
    if (!err)
        ANSWER(out, s);
    return err;
}

gh_err idp_RespondToAuthChallenge(struct call *call, const struct idp_RespondToAuthChallenge_in *in,
                                  struct idp_RespondToAuthChallenge_out *out)
{
    struct sign_in s = {
        .call = call,
        .given_session = in->session,
        .metadata = client_metadata(call, &in->client_metadata),
        GIVEN(in->challenge_responses),
    };
    gh_err err = client_find(call, in->client_id, &s.client);
    if (!err)
        s.whence = whence_of_user(call, &s.client, in->user_context_data);
    if (!err)
        err = sign_in_respond(&s, in->challenge_name);
    if (!err)
        ANSWER(out, s);
    return err;
}

gh_err idp_AdminRespondToAuthChallenge(struct call *call, const struct idp_AdminRespondToAuthChallenge_in *in,
                                       struct idp_AdminRespondToAuthChallenge_out *out)
{
    struct sign_in s = {
        .call = call,
        .admin = true,
        .whence = whence_of_admin(call, in->context_data),
        .given_session = in->session,
        .metadata = client_metadata(call, &in->client_metadata),
        GIVEN(in->challenge_responses),
    };
    gh_err err = admin_client(call, in->user_pool_id, in->client_id, &s.client);
    if (!err)
        err = sign_in_respond(&s, in->challenge_name);
    if (!err)
        ANSWER(out, s);
    return err;
}
