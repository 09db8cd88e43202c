/* Condition keys that come with a management call: what it asks for, and the tags it brings. */
#include "wire/member_path.h"
#include "wire/resource.h"

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
            key = member_text(context->arena, shape->element, tag, STR("Key"));
            value = member_text(context->arena, shape->element, tag, STR("Value"));
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

static void add_request_keys(const struct call *call, const void *in, struct policy_context *context)
{
    for (const char *const *key = call->operation->keys; key && *key; key++) {
        struct str path = str_of(*key), name;
        str_split(&path, '|', &name);
        struct member_values values = { 0 };
        struct str arn;
        if (str_starts(path, STR("arn:"))) {
            arn = resource_expand(call, in, path);
            values = (struct member_values){ &arn, 1 };
        } else {
            values = member_values(call->arena, call->operation->in, in, path);
        }
        if (values.n)
            policy_context_add_list(context, str_c(call->arena, name), values.items, values.n);
    }
}

void request_keys(const struct call *call, const void *in, struct policy_context *context)
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
