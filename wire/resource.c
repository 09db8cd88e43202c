#include "wire/resource.h"

#include "wire/scalar.h"

static const struct member *member_named(const struct shape *shape, struct str name)
{
    for (size_t i = 0; i < shape->n_members; i++)
        if (str_is(name, shape->members[i].name))
            return &shape->members[i];
    return NULL;
}

static struct str text_of(const struct call *call, const void *in, struct str name)
{
    const struct member *member = member_named(call->operation->in, name);
    const void *at = member ? (const char *)in + member->offset : NULL;
    if (!member || !member_is_set(member->shape, at))
        return STR_NONE;
    return scalar_to_text(call->arena, member->shape, TIME_ISO8601, at);
}

/* "arn:…:function:" before a name that may itself be "123456789012:function:name". */
static struct str without_repeated_head(struct str head, struct str value)
{
    if (!str_ends(head, STR(":")) || str_starts(value, STR("arn:")))
        return value;
    struct str before = str_sub(head, 0, head.len - 1);
    struct str label = str_from(head, (size_t)(str_find_last(before, ':') + 1)); /* "function:" */
    ptrdiff_t at = str_find_str(value, label);
    return at < 0 ? value : str_from(value, (size_t)at + label.len);
}

/* The value of {Name} after `head`. False: there is none. */
static bool fill_in(const struct call *call, const void *in, struct str name, struct str head,
                    struct str *value)
{
    if (str_is(name, "p") || str_is(name, "r") || str_is(name, "a")) {
        *value = name.ptr[0] == 'p' ? call->partition : name.ptr[0] == 'r' ? call->region : call->account;
        return true;
    }
    *value = text_of(call, in, name);
    if (str_is(name, "Path") && !value->ptr)
        *value = STR("/");
    if (!value->ptr)
        return false;
    if (str_starts(*value, STR("https://"))) /* a provider's ARN has its URL without the scheme */
        *value = str_from(*value, 8);
    *value = without_repeated_head(head, *value);
    return true;
}

static struct str expand(const struct call *call, const void *in, struct str pattern)
{
    struct strbuf arn = strbuf_in(call->arena, 128);
    while (pattern.len) {
        ptrdiff_t open = str_find(pattern, '{'), optional = str_find(pattern, '[');
        if (optional >= 0 && (open < 0 || optional < open)) {
            ptrdiff_t end = str_find(pattern, ']');
            struct str part = str_sub(pattern, (size_t)optional + 1, (size_t)(end - optional - 1)), value;
            struct str literal = str_sub(part, 0, (size_t)str_find(part, '{'));
            strbuf_add(&arn, str_sub(pattern, 0, (size_t)optional));
            if (fill_in(call, in, str_sub(part, literal.len + 1, part.len - literal.len - 2), STR(""),
                        &value)) {
                strbuf_add(&arn, literal);
                strbuf_add(&arn, value);
            }
            pattern = str_from(pattern, (size_t)end + 1);
            continue;
        }
        strbuf_add(&arn, str_sub(pattern, 0, open < 0 ? pattern.len : (size_t)open));
        if (open < 0)
            break;
        ptrdiff_t close = str_find(pattern, '}');
        struct str value;
        if (!fill_in(call, in, str_sub(pattern, (size_t)open + 1, (size_t)(close - open - 1)),
                     strbuf_view(&arn), &value))
            return call->principal ? call->principal->arn
                                   : STR("*"); /* GetUser without UserName: the caller */
        if (str_starts(value, STR("arn:")))    /* a whole ARN is the resource */
            arn.len = 0;
        strbuf_add(&arn, value);
        pattern = str_from(pattern, (size_t)close + 1);
    }
    return strbuf_view(&arn);
}

struct str resource_of(const struct call *call, const void *in, struct str *shown)
{
    struct str pattern = str_of(call->operation->arn);
    ptrdiff_t bar = str_find(pattern, '|');
    *shown = bar < 0 ? STR_NONE : expand(call, in, str_from(pattern, (size_t)bar + 1));
    return expand(call, in, bar < 0 ? pattern : str_sub(pattern, 0, (size_t)bar));
}

/* --- tags --- */

static struct str string_in(const struct shape *shape, const void *value, const char *name)
{
    const struct member *member = member_named(shape, str_of(name));
    return member && member->shape->kind == SHAPE_STRING
               ? *(const struct str *)((const char *)value + member->offset)
               : STR_NONE;
}

/* Tags come as {"K": "V"} or as [{"Key": "K", "Value": "V"}]. */
static size_t add_tags(struct policy_context *context, const struct shape *shape, const struct any_list *tags,
                       struct str *keys)
{
    size_t n = 0;
    for (size_t i = 0; i < tags->n; i++) {
        struct str key, value;
        if (shape->kind == SHAPE_MAP) {
            const char *item = (const char *)tags->items + i * shape->alloc;
            key = *(const struct str *)item;
            value = *(const struct str *)(item + shape->value_offset);
        } else {
            const void *tag = ((void *const *)tags->items)[i];
            key = string_in(shape->element, tag, "Key");
            value = string_in(shape->element, tag, "Value");
        }
        if (!key.ptr)
            continue;
        policy_context_add_tagged(context, "aws:RequestTag/", key, value.ptr ? value : STR(""));
        keys[n++] = key;
    }
    return n;
}

static bool holds_tags(const struct member *member)
{
    const struct shape *shape = member->shape;
    bool named = str_ends(str_of(member->name), STR("Tags")) || str_is(str_of(member->name), "tags");
    if (!named || (shape->kind != SHAPE_MAP && shape->kind != SHAPE_LIST))
        return false;
    return shape->element->kind == (shape->kind == SHAPE_MAP ? SHAPE_STRING : SHAPE_STRUCT);
}

/* Members of a request that policies may ask about under a key of the service. */
static const struct {
    const char *service, *member, *key;
} request_keys[] = {
    { "iam", "PolicyArn", "iam:PolicyARN" },
    { "iam", "PermissionsBoundary", "iam:PermissionsBoundary" },
    { "iam", "AWSServiceName", "iam:AWSServiceName" },
    { "iam", "ServiceName", "iam:ServiceSpecificCredentialServiceName" },
    { "sts", "ExternalId", "sts:ExternalId" },
    { "sts", "RoleSessionName", "sts:RoleSessionName" },
    { "sts", "SourceIdentity", "sts:SourceIdentity" },
};

static void add_request_keys(const struct call *call, const void *in, struct policy_context *context)
{
    for (size_t i = 0; i < COUNT(request_keys); i++)
        if (strcmp(call->service->id, request_keys[i].service) == 0)
            policy_context_add(context, request_keys[i].key, text_of(call, in, str_of(request_keys[i].member)));
}

void resource_tags(const struct call *call, const void *in, struct policy_context *context)
{
    const struct shape *shape = call->operation->in;
    add_request_keys(call, in, context);
    for (size_t i = 0; i < shape->n_members; i++) {
        const struct member *member = &shape->members[i];
        const struct any_list *list = (const void *)((const char *)in + member->offset);
        if (holds_tags(member)) {
            struct str *keys = ARENA_ARRAY(call->arena, struct str, list->n);
            size_t n = add_tags(context, member->shape, list, keys);
            if (n)
                policy_context_add_list(context, "aws:TagKeys", keys, n);
        } else if (str_eq_nocase(str_of(member->name), STR("TagKeys")) && member->shape->kind == SHAPE_LIST &&
                   list->n) {
            policy_context_add_list(context, "aws:TagKeys", list->items, list->n);
        }
    }
}
