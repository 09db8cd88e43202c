#include "identity/triggers/authentication.h"

#include "core/json.h"

static gh_err run(const struct sign_in *s, enum trigger trigger, const char *source, json_t *request)
{
    json_t *response;
    return trigger_run(s->call,
                       &(struct trigger_event){
                           .trigger = trigger,
                           .source = source,
                           .pool = &s->client.pool,
                           .client = &s->client,
                           .user_name = s->user.sub.ptr ? s->user.username : json_str(s->state, "name"),
                           .request = request,
                       },
                       &response);
}

gh_err trigger_pre_authentication(const struct sign_in *s)
{
    if (!trigger_is_set(&s->client.pool, TRIGGER_PRE_AUTHENTICATION))
        return NULL;
    json_t *request = trigger_request(s->call, &s->user, NULL);
    if (s->validation)
        json_object_set(request, "validationData", s->validation);
    else
        json_object_set_new(request, "validationData", json_null());
    json_set_flag(request, "userNotFound", !s->user.sub.ptr);
    return run(s, TRIGGER_PRE_AUTHENTICATION, "PreAuthentication_Authentication", request);
}

gh_err trigger_post_authentication(const struct sign_in *s, bool new_device)
{
    if (!trigger_is_set(&s->client.pool, TRIGGER_POST_AUTHENTICATION))
        return NULL;
    json_t *request = trigger_request(s->call, &s->user, s->metadata);
    json_set_flag(request, "newDeviceUsed", new_device);
    return run(s, TRIGGER_POST_AUTHENTICATION, "PostAuthentication_Authentication", request);
}
