#include "functions/ops/common.h"

#include <errno.h>

#include "core/id.h"
#include "core/log.h"
#include "core/time.h"
#include "functions/name.h"

gh_err lambda_fail(struct call *call, const struct gh_kind *kind, const char *fmt, ...)
{
    struct gh_err *err = ARENA_NEW(call->arena, struct gh_err);
    va_list args;
    va_start(args, fmt);
    err->kind = kind;
    err->message = str_vprintf(call->arena, fmt, args);
    err->extra = STR("{\"Type\":\"User\"}");
    va_end(args);
    return err;
}

gh_err named_resolve(struct call *call, struct str function_name, struct str qualifier, struct named *out)
{
    struct function_name name;
    if (!function_name_parse(function_name, &name))
        return lambda_fail(call, &lambda_InvalidParameterValueException, "The function name %.*s is not valid.",
                           STR_FMT(function_name));
    if (name.qualifier.ptr && qualifier.ptr && !str_eq(name.qualifier, qualifier))
        return lambda_fail(call, &lambda_InvalidParameterValueException,
                           "The derived qualifier from the function name does not match the specified qualifier.");
    if (name.region.ptr && !str_eq(name.region, call->region))
        return lambda_fail(call, &lambda_ResourceNotFoundException,
                           "Functions from '%.*s' are not reachable in this region ('%.*s')", STR_FMT(name.region),
                           STR_FMT(call->region));
    struct str account = name.account.ptr ? name.account : call->account;
    *out = (struct named){ .id = { account, call->region, name.name },
                           .qualifier = qualifier.ptr ? qualifier : name.qualifier };
    out->arn = str_printf(call->arena, "arn:%.*s:lambda:%.*s:%.*s:function:%.*s", STR_FMT(call->partition),
                          STR_FMT(call->region), STR_FMT(account), STR_FMT(name.name));
    /* Another account's function: only its resource policy could let anybody in, and that is not asked yet. */
    return str_eq(account, call->account) ? NULL : named_missing(call, out);
}

gh_err named_missing(struct call *call, const struct named *named)
{
    return lambda_fail(call, &lambda_ResourceNotFoundException, "Function not found: %.*s%s%.*s", STR_FMT(named->arn),
                       named->qualifier.ptr ? ":" : "", STR_FMT(named->qualifier));
}

gh_err named_row(struct call *call, struct tx *tx, const struct named *named, struct function_row *out)
{
    bool found;
    gh_err err = function_find(call->db, tx, call->arena, &named->id, out, &found);
    return err ? err : found ? NULL : named_missing(call, named);
}

gh_err named_version(struct call *call, struct tx *tx, const struct named *named, struct version_row *out)
{
    struct alias_row alias;
    struct str version = named->qualifier.ptr ? named->qualifier : STR("$LATEST");
    bool found;
    gh_err err = alias_find(call->db, tx, call->arena, &named->id, version, &alias, &found);
    if (err)
        return err;
    if (found)
        version = alias.version;
    err = function_version_find(call->db, tx, call->sealer, call->arena, &named->id, version, out, &found);
    return err ? err : found ? NULL : named_missing(call, named);
}

struct str new_revision(struct call *call)
{
    return id_uuid(call->env, call->arena);
}

struct str modified_now(struct call *call)
{
    struct str z = time_iso8601_ms(call->arena, call->now_us);
    return str_printf(call->arena, "%.*s+0000", (int)z.len - 1, z.ptr);
}

gh_err revision_must_match(struct call *call, struct str given, struct str ours, const char *read_with)
{
    if (!given.ptr || str_eq(given, ours))
        return NULL;
    return lambda_fail(call, &lambda_PreconditionFailedException,
                       "The Revision Id provided does not match the latest Revision Id. Call the %s API to retrieve "
                       "the latest Revision Id", read_with);
}

int64_t page_size(struct opt_i64 max_items, int64_t most)
{
    return max_items.set && max_items.value > 0 && max_items.value < most ? max_items.value : most;
}

struct lambda_FunctionConfiguration config_shown(struct call *call, const struct version_row *row, struct str qualifier)
{
    struct lambda_FunctionConfiguration shown = row->config;
    if (qualifier.ptr)
        shown.function_arn = str_printf(call->arena, "%.*s:%.*s", STR_FMT(row->function_arn), STR_FMT(qualifier));
    if (row->variables.set) {
        shown.environment = ARENA_NEW(call->arena, struct lambda_EnvironmentResponse);
        shown.environment->variables = row->variables;
    }
    return shown;
}

struct lambda_FunctionConfiguration *config_listed(struct call *call, const struct version_row *row, struct str qualifier)
{
    struct lambda_FunctionConfiguration *listed = ARENA_NEW(call->arena, struct lambda_FunctionConfiguration);
    *listed = config_shown(call, row, qualifier);
    listed->state = listed->last_update_status = STR_NONE;
    listed->runtime_version_config = NULL;
    return listed;
}

gh_err code_store(struct call *call, struct str zip, struct package *out)
{
    struct str why = STR_NONE;
    if (zip.len > PACKAGE_MAX_ZIPPED)
        return lambda_fail(call, &lambda_InvalidParameterValueException, "Zipped size must be smaller than %d bytes",
                           PACKAGE_MAX_ZIPPED);
    if (zip.len == 0)
        return lambda_fail(call, &lambda_InvalidParameterValueException, "Uploaded file must be a non-empty zip");
    switch (package_store(functions_of(call)->folder, call->env, zip, call->arena, out, &why)) {
    case ZIP_FINE:
        return NULL;
    case ZIP_EMPTY:
        return lambda_fail(call, &lambda_InvalidParameterValueException, "Uploaded file must be a non-empty zip");
    case ZIP_TOO_LARGE:
        return lambda_fail(call, &lambda_InvalidParameterValueException, "Unzipped size must be smaller than %d bytes",
                           PACKAGE_MAX_UNZIPPED);
    case ZIP_NO_ROOM:
        return gh_fail(call->arena, &GH_UNAVAILABLE, "The package could not be stored: %.*s", STR_FMT(why));
    case ZIP_BROKEN:
    case ZIP_UNSAFE:
        break;
    }
    /* AWS does not say more; our log does. */
    log_at(LOG_INFO, "a function package was refused", { "why", why.ptr ? why : STR("no zip") });
    return lambda_fail(call, &lambda_InvalidParameterValueException,
                       "Could not unzip uploaded file. Please check your file, then try to upload again.");
}

void code_drop_unused(struct call *call, struct str code)
{
    bool used;
    if (!code_is_used(call->db, NULL, call->arena, code, &used) && !used)
        package_remove(functions_of(call)->folder, str_c(call->arena, code));
}

struct functions *functions_of(struct call *call)
{
    return call->module;
}
