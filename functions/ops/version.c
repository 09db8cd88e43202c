/* PublishVersion, ListVersionsByFunction. */
#include "functions/ops/version.h"

#include "functions/ops/settings.h"
#include "wire/codec_json.h"

enum { LIST_MAX = 50, ALIASES_MAX = 1000 };

static bool same(struct call *call, const struct version_row *a, const struct version_row *b, struct str description);

gh_err latest_of(struct call *call, struct tx *tx, const struct named *named, struct version_row *out)
{
    if (named->qualifier.ptr && !str_is(named->qualifier, "$LATEST"))
        return lambda_fail(call, &lambda_InvalidParameterValueException,
                           "This operation is permitted on Lambda functions only. Aliases and versions do not support this "
                           "operation. Please specify either a function name or an unqualified function ARN.");
    struct named latest = *named;
    bool found;
    gh_err err = function_version_find(call->db, tx, call->sealer, call->arena, &named->id, STR("$LATEST"), out, &found);
    latest.qualifier = STR_NONE;
    return err ? err : found ? NULL : named_missing(call, &latest);
}

gh_err version_publish(struct call *call, struct tx *tx, struct function_row *function, const struct version_row *latest,
                       struct str description, struct version_row *out)
{
    struct version_row last;
    bool found = false;
    gh_err err = NULL;
    /* "Lambda doesn't publish a version if the function's configuration and code haven't changed
     * since the last version." */
    if (function->next_version > 1)
        err = function_version_find(call->db, tx, call->sealer, call->arena, &function->id,
                           str_printf(call->arena, "%lld", (long long)function->next_version - 1), &last, &found);
    if (err)
        return err;
    if (found && same(call, &last, latest, description)) {
        *out = last;
        return NULL;
    }
    struct version_row row = *latest;
    row.number = function->next_version++;
    row.version = str_printf(call->arena, "%lld", (long long)row.number);
    row.config.version = row.version;
    row.config.revision_id = new_revision(call);
    if (description.ptr)
        row.config.description = description;
    function_version_save(tx, call->sealer, &function->id, &row);
    /* The function itself is told apart from before by a new revision, as on AWS. */
    struct version_row again = *latest;
    again.config.revision_id = new_revision(call);
    function_version_save(tx, call->sealer, &function->id, &again);
    *out = row;
    return NULL;
}

/* Code and configuration; not what names the version, and not when it was made. A description
 * given with PublishVersion does not make a difference. */
static bool same(struct call *call, const struct version_row *a, const struct version_row *b, struct str description)
{
    struct lambda_FunctionConfiguration x = a->config, y = b->config;
    (void)description;
    struct lambda_FunctionConfiguration *const both[] = { &x, &y };
    for (size_t i = 0; i < 2; i++) {
        both[i]->version = both[i]->revision_id = both[i]->last_modified = STR_NONE;
        both[i]->description = STR_NONE;
    }
    return str_eq(a->code, b->code) && a->variables.set == b->variables.set &&
           str_eq(shape_print(call->arena, &lambda_shape_EnvironmentVariables, &a->variables),
                  shape_print(call->arena, &lambda_shape_EnvironmentVariables, &b->variables)) &&
           str_eq(shape_print(call->arena, &lambda_shape_FunctionConfiguration, &x),
                  shape_print(call->arena, &lambda_shape_FunctionConfiguration, &y));
}

gh_err lambda_PublishVersion(struct call *call, const struct lambda_PublishVersion_in *in,
                             struct lambda_PublishVersion_out *out)
{
    struct function_row function;
    struct version_row latest = { 0 }, published;
    struct named named;
    struct tx tx;
    gh_err err = named_resolve(call, in->function_name, STR_NONE, &named);
    if (!err && in->publish_to.ptr)
        err = refused(call, "PublishTo", "it is not built.");
    if (err)
        return err;
    tx_begin(&tx, call->db, call->arena);
    err = named_row(call, &tx, &named, &function);
    if (!err)
        err = latest_of(call, &tx, &named, &latest);
    if (!err && in->code_sha256.ptr && !str_empty(in->code_sha256) && !str_eq(in->code_sha256, latest.config.code_sha256))
        err = lambda_fail(call, &lambda_InvalidParameterValueException,
                          "CodeSHA256 (%.*s) is different from current CodeSHA256 in $LATEST (%.*s). Please try again with "
                          "the CodeSHA256 in $LATEST.", STR_FMT(in->code_sha256), STR_FMT(latest.config.code_sha256));
    if (!err)
        err = revision_must_match(call, in->revision_id, latest.config.revision_id, "GetFunction/GetAlias");
    if (!err)
        err = version_publish(call, &tx, &function, &latest, in->description, &published);
    if (!err) {
        function_save(&tx, &function);
        err = tx_commit(&tx);
    }
    tx_rollback(&tx);
    if (!err)
        out->whole = config_shown(call, &published, published.version);
    return err;
}

gh_err lambda_ListVersionsByFunction(struct call *call, const struct lambda_ListVersionsByFunction_in *in,
                                     struct lambda_ListVersionsByFunction_out *out)
{
    struct function_row function;
    struct version_row *rows;
    struct named named;
    size_t n;
    int64_t after = -1, limit = page_size(in->max_items, LIST_MAX);
    if (in->marker.ptr && !str_i64(in->marker, &after))
        return lambda_fail(call, &lambda_InvalidParameterValueException, "Invalid marker");
    gh_err err = named_resolve(call, in->function_name, STR_NONE, &named);
    if (!err)
        err = named_row(call, NULL, &named, &function);
    if (!err)
        err = function_version_list(call->db, call->sealer, call->arena, &named.id, after, limit, &rows, &n);
    if (err)
        return err;
    struct lambda_FunctionConfiguration **items = ARENA_ARRAY(call->arena, struct lambda_FunctionConfiguration *, n);
    for (size_t i = 0; i < n; i++)
        items[i] = config_listed(call, &rows[i], rows[i].version);
    out->versions = (struct lambda_FunctionList){ true, n, items };
    if ((int64_t)n == limit)
        out->next_marker = str_printf(call->arena, "%lld", (long long)rows[n - 1].number);
    return NULL;
}

gh_err version_delete_checked(struct call *call, struct tx *tx, const struct named *named)
{
    struct alias_row *aliases;
    struct alias_row alias;
    size_t n;
    bool is_alias;
    gh_err err = alias_find(call->db, tx, call->arena, &named->id, named->qualifier, &alias, &is_alias);
    if (!err && is_alias)
        err = lambda_fail(call, &lambda_InvalidParameterValueException, "Deletion of aliases is not currently supported.");
    if (!err)
        err = alias_list(call->db, call->arena, &named->id, STR_NONE, STR_NONE, ALIASES_MAX, &aliases, &n);
    if (err)
        return err;
    struct strbuf users = strbuf_in(call->arena, 64);
    for (size_t i = 0; i < n; i++)
        if (str_eq(aliases[i].version, named->qualifier) || str_eq(aliases[i].second_version, named->qualifier))
            strbuf_printf(&users, "%s%.*s", users.len ? ", " : "", STR_FMT(aliases[i].config.alias_arn));
    if (users.len)
        return lambda_fail(call, &lambda_ResourceConflictException,
                           "Unable to delete version because the following aliases reference it: [%.*s]",
                           STR_FMT(strbuf_view(&users)));
    function_version_delete(tx, &named->id, named->qualifier);
    return NULL;
}
