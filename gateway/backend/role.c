#include "gateway/backend/role.h"

#include <stdlib.h>

enum { KEEP_S = 3600 - 300, REFUSAL_S = 1, ROLES_MAX = 4096 };

/* One role. While `fetching`, the job owns what it fills in. */
struct gw_role {
    struct job job;
    struct gateway *gateway;
    struct gw_loop *home;           /* jobs end before loops do */
    struct arena *arena;            /* keys; made anew with each fetch */
    struct str key_id, secret, token;
    struct gw_request *waiting;
    int64_t until_s;
    bool fetching, good;
    char arn[];
};

static struct gw_role *find(struct gw_loop *home, struct str arn);
static bool fetch(struct gw_role *role, struct gateway *gateway, int64_t now_s);
static void fetch_run(struct job *job);
static void fetch_done(struct job *job);
static void role_free(void *ptr);

enum role_keys role_keys(struct gw_request *r, struct str arn, struct gw_actor *out)
{
    struct gateway *gateway = r->gateway;
    struct gw_role *role = find(r->home, arn);
    int64_t now_s = env_now_s(gateway->config.env);
    if (!role->fetching && now_s < role->until_s) {
        if (!role->good)
            return ROLE_REFUSED;
        struct credential *credential = ARENA_NEW(r->arena, struct credential);
        *out = (struct gw_actor){ str_copy(r->arena, role->key_id), str_copy(r->arena, role->secret),
                                  str_copy(r->arena, role->token), credential };
        if (identity_credential(gateway->config.identity, r->arena, out->key_id, out->token, now_s, credential) ==
            CREDENTIAL_OK)
            return ROLE_READY;
        *out = (struct gw_actor){ 0 }; /* the role is gone; one of the same name may have come */
        if (r->role_asked)
            return ROLE_REFUSED;
    }
    if (!role->fetching && !fetch(role, gateway, now_s))
        return ROLE_REFUSED;
    r->role_asked = true;
    r->awaited_role = role;
    r->next_for_role = role->waiting;
    role->waiting = r;
    return ROLE_ASKED;
}

static struct gw_role *find(struct gw_loop *home, struct str arn)
{
    struct gw_role *role = map_get(home->roles, arn);
    if (role)
        return role;
    if (map_count(home->roles) >= ROLES_MAX) { /* roles of APIs long gone: any idle one makes room */
        struct str key;
        void *value;
        for (size_t at = 0; map_each(home->roles, &at, &key, &value);)
            if (!((struct gw_role *)value)->fetching) {
                role_free(map_remove(home->roles, key));
                break;
            }
    }
    role = calloc(1, sizeof *role + arn.len + 1);
    if (!role)
        abort();
    memcpy(role->arn, arn.ptr, arn.len);
    role->gateway = home->gateway;
    role->home = home;
    map_set(home->roles, arn, role);
    return role;
}

static bool fetch(struct gw_role *role, struct gateway *gateway, int64_t now_s)
{
    role->job = (struct job){ .home = role->home->loop, .run = fetch_run, .done = fetch_done };
    role->until_s = now_s;
    role->fetching = job_submit(gateway->config.jobs, &role->job);
    return role->fetching;
}

static void fetch_run(struct job *job)
{
    struct gw_role *role = (struct gw_role *)job; /* its first member */
    if (role->arena)
        arena_reset(role->arena);
    else
        role->arena = arena_new(2048);
    role->good = identity_service_role(role->gateway->config.identity, role->arena, str_of(role->arn),
                                       STR("apigateway.amazonaws.com"), STR("BackplaneAssumeRoleSession"), &role->key_id,
                                       &role->secret, &role->token);
}

static void fetch_done(struct job *job)
{
    struct gw_role *role = (struct gw_role *)job;
    struct gw_request *waiting = role->waiting;
    role->fetching = false;
    role->waiting = NULL;
    role->until_s += role->good ? KEEP_S : REFUSAL_S;
    for (struct gw_request *r = waiting; r; r = r->next_for_role)
        r->awaited_role = NULL;
    while (waiting) { /* may free the request, and ask again */
        struct gw_request *r = waiting;
        waiting = r->next_for_role;
        r->next_for_role = NULL;
        gw_resume(r);
    }
}

void role_forget(struct gw_request *r)
{
    if (!r->awaited_role)
        return;
    for (struct gw_request **at = &r->awaited_role->waiting; *at; at = &(*at)->next_for_role)
        if (*at == r) {
            *at = r->next_for_role;
            break;
        }
    r->awaited_role = NULL;
    r->next_for_role = NULL;
}

static void role_free(void *ptr)
{
    struct gw_role *role = ptr;
    if (role->arena)
        arena_free(role->arena);
    free(role);
}

void roles_free(struct gw_loop *home)
{
    map_free(home->roles, role_free);
    home->roles = NULL;
}
