#include "core/time.h"
#include "policy/eval.h"

struct policy_context policy_context_in(struct arena *arena)
{
    return (struct policy_context){ .arena = arena, .keys = ARENA_ARRAY(arena, struct policy_key, 16), .cap = 16 };
}

static void add(struct policy_context *context, struct str name, const struct str *values, size_t n)
{
    if (context->n == context->cap) {
        size_t bytes = context->cap * sizeof *context->keys;
        context->keys = arena_grow(context->arena, context->keys, bytes, 2 * bytes);
        context->cap *= 2;
    }
    context->keys[context->n++] = (struct policy_key){ name, values, n };
}

void policy_context_add(struct policy_context *context, const char *name, struct str value)
{
    if (value.ptr)
        policy_context_add_list(context, name, &value, 1);
}

void policy_context_add_list(struct policy_context *context, const char *name, const struct str *values, size_t n)
{
    struct str *copy = ARENA_ARRAY(context->arena, struct str, n);
    if (n)
        memcpy(copy, values, n * sizeof *values);
    add(context, str_of(name), copy, n);
}

void policy_context_add_keys(struct policy_context *context, const struct policy_key *keys, size_t n)
{
    for (size_t i = 0; i < n; i++)
        add(context, keys[i].name, keys[i].values, keys[i].n);
}

void policy_context_add_tagged(struct policy_context *context, const char *prefix, struct str tag, struct str value)
{
    struct str *copy = ARENA_NEW(context->arena, struct str);
    *copy = value;
    add(context, str_concat(context->arena, str_of(prefix), tag), copy, 1);
}

void policy_context_add_request(struct policy_context *context, int64_t now_s, struct str source_ip,
                                struct str user_agent, struct str referer, bool tls, struct str region)
{
    policy_context_add(context, "aws:CurrentTime", time_iso8601(context->arena, now_s));
    policy_context_add(context, "aws:EpochTime", str_printf(context->arena, "%lld", (long long)now_s));
    policy_context_add(context, "aws:SourceIp", source_ip);
    policy_context_add(context, "aws:UserAgent", user_agent);
    policy_context_add(context, "aws:referer", referer);
    policy_context_add(context, "aws:SecureTransport", tls ? STR("true") : STR("false"));
    policy_context_add(context, "aws:RequestedRegion", region);
    policy_context_add(context, "aws:ViaAWSService", STR("false"));
}

const struct policy_key *policy_context_find(const struct policy_key *keys, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (keys[i].name.len == name.len && str_starts_nocase(keys[i].name, name))
            return &keys[i];
    return NULL;
}
