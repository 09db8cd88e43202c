/* AWS_IAM: a Signature Version 4 for execute-api, then the signer's policies and the API's together. */
#include "gateway/stage/stage.h"
#include "policy/eval.h"
#include "wire/sigv4.h"

static enum sigv4_verdict find_key(void *ctx, struct arena *arena, struct str access_key_id, struct str session_token,
                                   int64_t now_s, struct sigv4_key *out)
{
    static const enum sigv4_verdict verdicts[] = {
        [CREDENTIAL_OK] = SIGV4_OK,
        [CREDENTIAL_UNKNOWN] = SIGV4_UNKNOWN_KEY,
        [CREDENTIAL_INACTIVE] = SIGV4_UNKNOWN_KEY,
        [CREDENTIAL_EXPIRED] = SIGV4_EXPIRED_TOKEN,
        [CREDENTIAL_BAD_TOKEN] = SIGV4_BAD_TOKEN,
    };
    struct gateway *gateway = ctx;
    struct credential *credential = ARENA_NEW(arena, struct credential);
    enum credential_verdict verdict =
        identity_credential(gateway->config.identity, arena, access_key_id, session_token, now_s, credential);
    *out = (struct sigv4_key){ credential->secret, &credential->principal, credential };
    return verdicts[verdict];
}

static enum gw_next refuse(struct gw_request *r, struct sigv4_outcome *who)
{
    trace_note(&r->trace, "signature", who->why);
    if (who->verdict == SIGV4_UNSIGNED)
        return gw_fail(r, RESPONSE_MISSING_AUTHENTICATION_TOKEN);
    if (who->verdict == SIGV4_EXPIRED_TOKEN)
        return gw_fail(r, RESPONSE_EXPIRED_TOKEN);
    gh_err err = sigv4_error(r->arena, who, PROTOCOL_REST_JSON);
    r->failure_error_type = str_of(err->kind->code);
    return gw_fail_text(r, RESPONSE_INVALID_SIGNATURE, err->message);
}

static enum gw_next authorize_enter(struct gw_request *r)
{
    static const char *const services[] = { "execute-api", NULL };
    const struct sigv4_request request = { .method = r->x->method, .path = r->x->path, .query = r->x->query,
                                           .headers = &r->x->headers, .body = r->body };
    const struct sigv4_rules rules = { .services = services, .region = r->snapshot->region,
                                       .now_s = (r->wall_us - env_system_offset_us()) / 1000000,
                                       .path_as_sent = true };
    const struct sigv4_keys keys = { r->gateway, find_key };
    struct sigv4_outcome who;
    if (sigv4_verify(r->arena, &request, &rules, &keys, &who) != SIGV4_OK)
        return refuse(r, &who);
    const struct credential *credential = who.key.credential;
    struct policy_request ask = stage_policy_request(r, true);
    if (ask.resource.len > GW_MAX_ARN)
        return stage_uri_too_long(r);
    struct policy_decision decision;
    r->caller.credential = credential;
    r->caller.access_key_id = who.access_key_id;
    trace_note(&r->trace, "signed by", credential->principal.arn);
    bool allowed = stage_decide(r, credential, r->snapshot->policy, &ask, &decision);
    return allowed ? GW_NEXT : stage_policy_denied(r, &ask, &decision);
}

const struct gw_step step_auth_iam = { "authorize", authorize_enter, NULL, .guards = true };
