#include "gateway/ops/patch.h"

static const struct {
    const char *name;
    unsigned bit;
} op_names[] = {
    { "add", PATCH_ADD },
    { "replace", PATCH_REPLACE },
    { "remove", PATCH_REMOVE },
    { "copy", PATCH_COPY },
};

static unsigned op_bit(struct str name);
static bool row_matches(const char *pattern, struct patch *patch);
static const struct patch_row *row_for(const struct patch_rules *rules, struct patch *patch);
static struct str unescape(struct arena *arena, struct str segment);
static json_t *container(struct patch *patch, json_t *(*make)(void));
static gh_err entry_missing(struct patch *patch);
static gh_err set_entry(struct patch *patch, json_t *fresh);
static const char *member_name(struct patch *patch);

gh_err patch_apply(const struct patch_rules *rules, struct arena *arena, json_t *target,
                   const struct apigw_ListOfPatchOperation *operations, void *ctx)
{
    for (size_t i = 0; i < operations->n; i++) {
        static const struct apigw_PatchOperation nothing;
        const struct apigw_PatchOperation *one =
            operations->items[i] ? operations->items[i] : &nothing; /* [null] */
        struct patch patch = { .arena = arena,
                               .target = target,
                               .op = op_bit(one->op),
                               .op_name = one->op,
                               .path = one->path,
                               .value = one->value,
                               .from = one->from,
                               .rules = rules,
                               .ctx = ctx };
        patch.row = row_for(rules, &patch);
        bool taken = patch.row && (patch.row->ops & patch.op);
        gh_err err = taken ? patch.row->apply(&patch) : rules->refuse(&patch);
        if (err)
            return err;
    }
    return NULL;
}

gh_err patch_string(struct patch *patch)
{
    if (patch->op == PATCH_REMOVE || !patch->value.ptr)
        json_object_del(patch->target, member_name(patch));
    else
        json_set_str(patch->target, member_name(patch), patch->value);
    return NULL;
}

gh_err patch_text(struct patch *patch)
{
    if (str_empty(patch->value))
        patch->value = STR_NONE;
    return patch_string(patch);
}

static bool flag_value(const struct patch *patch)
{
    return str_eq_nocase(patch->value, STR("true"));
}

gh_err patch_flag(struct patch *patch)
{
    json_set_flag(patch->target, member_name(patch), flag_value(patch));
    return NULL;
}

gh_err patch_integer(struct patch *patch)
{
    int64_t number;
    if (!str_i64(patch->value, &number))
        return gh_fail(patch->arena, &apigw_BadRequestException, "Invalid value for %s: %.*s",
                       member_name(patch), STR_FMT(patch->value));
    json_set_i64(patch->target, member_name(patch), number);
    return NULL;
}

gh_err patch_string_entry(struct patch *patch)
{
    return set_entry(patch, json_of(patch->value.ptr ? patch->value : STR("")));
}

gh_err patch_template_entry(struct patch *patch)
{
    return set_entry(patch, str_empty(patch->value) ? json_null() : json_of(patch->value));
}

gh_err patch_flag_entry(struct patch *patch)
{
    return set_entry(patch, json_boolean(flag_value(patch)));
}

static size_t list_find(const json_t *list, struct str element)
{
    size_t i;
    for (i = 0; i < json_array_size(list); i++)
        if (str_eq(json_value_str(json_array_get(list, i)), element))
            break;
    return i;
}

/* "replace" of ["png","jpeg"] at /png with "gif" was recorded to give ["jpeg","gif"]. */
static gh_err change_list(struct patch *patch, struct str gone, struct str added)
{
    json_t *list = container(patch, json_array);
    size_t at = gone.ptr ? list_find(list, gone) : json_array_size(list);
    if (patch->row->missing && patch->op != PATCH_ADD && at == json_array_size(list))
        return entry_missing(patch);
    if (gone.ptr)
        json_array_remove(list, at);
    if (added.ptr && list_find(list, added) == json_array_size(list))
        json_array_append_new(list, json_of(added));
    if (!json_array_size(list))
        json_object_del(patch->target, member_name(patch));
    return NULL;
}

gh_err patch_key_in_list(struct patch *patch)
{
    if (patch->op == PATCH_ADD)
        return change_list(patch, STR_NONE, patch->key);
    return change_list(patch, patch->key, patch->op == PATCH_REPLACE ? patch->value : STR_NONE);
}

gh_err patch_value_in_list(struct patch *patch)
{
    if (patch->op == PATCH_ADD)
        return change_list(patch, STR_NONE, patch->value);
    if (patch->op == PATCH_REMOVE)
        return change_list(patch, patch->value, STR_NONE);
    json_object_del(patch->target, member_name(patch)); /* replace: the value is all there is */
    return change_list(patch, STR_NONE, patch->value);
}

gh_err patch_not_built(struct patch *patch)
{
    return gh_fail(patch->arena, &apigw_BadRequestException, "%.*s is not supported by Gatehouse yet",
                   STR_FMT(patch->path));
}

gh_err patch_bad_path(struct patch *patch)
{
    struct str path = patch->path.ptr ? patch->path : STR("null");
    return gh_fail(patch->arena, &apigw_BadRequestException, "Invalid patch path %.*s", STR_FMT(path));
}

gh_err patch_refuse_path(struct patch *patch)
{
    return patch_bad_path(patch);
}

gh_err patch_refuse_plain(struct patch *patch)
{
    if (!patch->row)
        return patch_bad_path(patch);
    struct strbuf list = strbuf_in(patch->arena, 32);
    for (size_t i = 0; i < COUNT(op_names); i++)
        if (patch->row->ops & op_names[i].bit)
            strbuf_printf(&list, "%s%s", list.len ? ", " : "", op_names[i].name);
    return gh_fail(patch->arena, &apigw_BadRequestException,
                   "Invalid patch operation specified. Must be one of: [%.*s]", STR_FMT(strbuf_view(&list)));
}

gh_err patch_refuse_listed(struct patch *patch)
{
    struct str path = patch->path.ptr ? patch->path : STR("null");
    if (patch->op != PATCH_REPLACE)
        return gh_fail(
            patch->arena, &apigw_BadRequestException,
            "Invalid patch path  '%.*s' specified for op '%.*s'. Please choose supported operations",
            STR_FMT(path), STR_FMT(patch->op_name));
    return gh_fail(patch->arena, &apigw_BadRequestException,
                   "Invalid patch path  '%.*s' specified for op 'replace'. Must be one of: %s", STR_FMT(path),
                   patch->rules->choices);
}

/* --- helpers --- */

static unsigned op_bit(struct str name)
{
    for (size_t i = 0; i < COUNT(op_names); i++)
        if (str_is(name, op_names[i].name))
            return op_names[i].bit;
    return 0;
}

static bool row_matches(const char *pattern, struct patch *patch)
{
    struct str want = str_of(pattern), have = patch->path, part, segment;
    struct str *key = &patch->key;
    if (!have.ptr || !have.len || have.ptr[0] != '/')
        return false;
    want = str_from(want, 1);
    have = str_from(have, 1);
    struct str first = have;
    str_split(&first, '/', &patch->member);
    while (str_split(&want, '/', &part)) {
        if (str_is(part, "**")) {
            *key = unescape(patch->arena, have);
            return have.ptr != NULL;
        }
        if (!str_split(&have, '/', &segment))
            return false;
        if (!str_is(part, "*")) {
            if (!str_eq(part, segment))
                return false;
            continue;
        }
        *key = unescape(patch->arena, segment);
        key = &patch->key2;
    }
    return !have.ptr;
}

static const struct patch_row *row_for(const struct patch_rules *rules, struct patch *patch)
{
    const struct patch_row *end = rules->rows + rules->n_rows;
    for (const struct patch_row *row = rules->rows; row < end; row++)
        if (row_matches(row->path, patch))
            return row;
    return NULL;
}

static struct str unescape(struct arena *arena, struct str segment)
{
    struct strbuf buf = strbuf_in(arena, segment.len);
    for (size_t i = 0; i < segment.len; i++) {
        bool escaped = segment.ptr[i] == '~' && i + 1 < segment.len &&
                       (segment.ptr[i + 1] == '0' || segment.ptr[i + 1] == '1');
        strbuf_char(&buf, escaped ? (segment.ptr[++i] == '1' ? '/' : '~') : segment.ptr[i]);
    }
    return strbuf_view(&buf);
}

static const char *member_name(struct patch *patch)
{
    return str_c(patch->arena, patch->member);
}

static json_t *container(struct patch *patch, json_t *(*make)(void))
{
    json_t *found = json_at(patch->target, patch->member);
    if (!found) {
        found = make();
        json_object_set_new(patch->target, member_name(patch), found);
    }
    return found;
}

static gh_err entry_missing(struct patch *patch)
{
    return gh_fail(patch->arena, &apigw_NotFoundException, "%s", patch->row->missing);
}

/* Takes the reference. */
static gh_err set_entry(struct patch *patch, json_t *fresh)
{
    json_own(patch->arena, fresh);
    json_t *map = container(patch, json_object);
    if (patch->row->missing && patch->op != PATCH_ADD && !json_at(map, patch->key))
        return entry_missing(patch);
    if (patch->op == PATCH_REMOVE)
        json_object_del(map, str_c(patch->arena, patch->key));
    else
        json_object_set(map, str_c(patch->arena, patch->key), fresh);
    if (!json_object_size(map))
        json_object_del(patch->target, member_name(patch));
    return NULL;
}
