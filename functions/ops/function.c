/* CreateFunction, GetFunction, lists, DeleteFunction, UpdateFunctionConfiguration. */
#include "functions/ops/code_url.h"
#include "functions/ops/settings.h"
#include "functions/ops/version.h"
#include "wire/codec_json.h"

enum { MAX_TAGS = 50, LIST_MAX = 50, NAME_MAX_LENGTH = 64 };

static gh_err create_check(struct call *call, const struct lambda_CreateFunction_in *in);
static void create_row(struct call *call, const struct lambda_CreateFunction_in *in, const struct named *named,
                       const struct package *package, struct version_row *row);

gh_err lambda_CreateFunction(struct call *call, const struct lambda_CreateFunction_in *in,
                             struct lambda_CreateFunction_out *out)
{
    struct functions *f = functions_of(call);
    struct package package;
    struct version_row row;
    struct named named;
    struct tx tx;
    gh_err err = create_check(call, in);
    if (!err)
        err = named_resolve(call, in->function_name, STR_NONE, &named);
    if (!err && named.qualifier.ptr)
        err = lambda_fail(call, &lambda_InvalidParameterValueException,
                          "The derived qualifier from the function name is not allowed: a function is created without one.");
    if (!err && named.id.name.len > NAME_MAX_LENGTH)
        err = lambda_fail(call, &lambda_InvalidParameterValueException,
                          "1 validation error detected: Value '%.*s' at 'functionName' failed to satisfy constraint: Member must "
                          "have length less than or equal to %d", STR_FMT(named.id.name), NAME_MAX_LENGTH);
    if (!err && str_is(named.id.name, "function") && str_starts(in->function_name, STR("arn:")))
        err = lambda_fail(call, &lambda_InvalidParameterValueException, "The function name %.*s is not valid.",
                          STR_FMT(in->function_name));
    if (err)
        return err;
    pthread_mutex_lock(&f->packages);
    err = code_store(call, in->code->zip_file, &package);
    if (!err) {
        struct function_row existing;
        bool found = false;
        create_row(call, in, &named, &package, &row);
        tx_begin(&tx, call->db, call->arena);
        err = function_find(call->db, &tx, call->arena, &named.id, &existing, &found);
        if (!err && found)
            err = lambda_fail(call, &lambda_ResourceConflictException, "Function already exist: %.*s", STR_FMT(named.id.name));
        if (!err) {
            struct function_row function = { .id = named.id, .next_version = 1, .reserved = -1,
                                             .tags = in->tags.n ? shape_print(call->arena, &lambda_shape_Tags, &in->tags)
                                                                : STR("{}") };
            function_version_save(&tx, call->sealer, &named.id, &row);
            if (in->publish.set && in->publish.value)
                err = version_publish(call, &tx, &function, &row, STR_NONE, &row);
            function_save(&tx, &function);
        }
        if (err)
            tx_rollback(&tx);
        else
            err = tx_commit(&tx);
        if (err)
            code_drop_unused(call, str_of(package.hex));
    }
    pthread_mutex_unlock(&f->packages);
    if (err)
        return err;
    fleet_forget(f, named.id.account, named.id.region, named.id.name, true);
    out->whole = config_shown(call, &row, STR_NONE);
    show_creating(call, &out->whole);
    return NULL;
}

static gh_err create_check(struct call *call, const struct lambda_CreateFunction_in *in)
{
    const struct settings settings = SETTINGS_OF(in);
    if (str_is(in->package_type, "Image") || in->code->image_uri.ptr)
        return refused(call, "PackageType Image", "functions are packages (Code.ZipFile).");
    if (in->code->s3_bucket.ptr || in->code->s3_key.ptr)
        return refused(call, "Code.S3Bucket", "there is no S3 here; send the package as Code.ZipFile.");
    if (in->code->source_kms_key_arn.ptr)
        return refused(call, "Code.SourceKMSKeyArn", "there is no KMS here.");
    if (in->code_signing_config_arn.ptr)
        return refused(call, "CodeSigningConfigArn", "signatures of packages are not checked.");
    if (in->tenancy_config)
        return refused(call, "TenancyConfig", "it is not built.");
    if (in->publish_to.ptr)
        return refused(call, "PublishTo", "it is not built.");
    if (!in->runtime.ptr || !in->handler.ptr)
        return lambda_fail(call, &lambda_InvalidParameterValueException,
                           "Runtime and Handler are mandatory parameters for functions created with deployment packages.");
    if (!in->code->zip_file.ptr)
        return lambda_fail(call, &lambda_InvalidParameterValueException,
                           "Please provide a source for function code.");
    if (in->tags.n > MAX_TAGS)
        return lambda_fail(call, &lambda_InvalidParameterValueException, "Number of tags exceeds resource tag limit.");
    gh_err err = architectures_check(call, &in->architectures);
    return err ? err : settings_check(call, &settings);
}

/* With the defaults that the answer shows. */
static void create_row(struct call *call, const struct lambda_CreateFunction_in *in, const struct named *named,
                       const struct package *package, struct version_row *row)
{
    struct arena *arena = call->arena;
    const struct settings settings = SETTINGS_OF(in);
    struct lambda_FunctionConfiguration *config = &row->config;
    struct str *architecture = ARENA_NEW(arena, struct str);
    *architecture = str_of(machine_architecture());
    *row = (struct version_row){ .version = STR("$LATEST"), .code = str_of(package->hex), .code_size = package->zip_bytes,
                                 .function_arn = named->arn };
    *config = (struct lambda_FunctionConfiguration){
        .function_name = named->id.name,
        .function_arn = named->arn,
        .code_size = some_i64(package->zip_bytes),
        .code_sha256 = package->sha256_base64,
        .description = STR(""),
        .timeout = some_i64(3),
        .memory_size = some_i64(128),
        .last_modified = modified_now(call),
        .version = row->version,
        .revision_id = new_revision(call),
        .state = STR("Active"),
        .last_update_status = STR("Successful"),
        .package_type = STR("Zip"),
        .architectures = { .set = true, .n = 1, .items = architecture },
        .ephemeral_storage = ARENA_NEW(arena, struct lambda_EphemeralStorage),
        .tracing_config = ARENA_NEW(arena, struct lambda_TracingConfigResponse),
        .snap_start = ARENA_NEW(arena, struct lambda_SnapStartResponse),
        .logging_config = ARENA_NEW(arena, struct lambda_LoggingConfig),
    };
    config->ephemeral_storage->size = some_i64(512);
    config->tracing_config->mode = STR("PassThrough");
    *config->snap_start = (struct lambda_SnapStartResponse){ STR("None"), STR("Off") };
    *config->logging_config = (struct lambda_LoggingConfig){
        .log_format = STR("Text"), .log_group = str_printf(arena, "/aws/lambda/%.*s", STR_FMT(named->id.name)) };
    settings_apply(call, &settings, row);
}

/* What is stored is ready: it takes AWS seconds and us no time. The answer says what AWS's says,
 * with a revision that, as there, is not the one the function has once it is active. */
void show_creating(struct call *call, struct lambda_FunctionConfiguration *shown)
{
    shown->state = STR("Pending");
    shown->state_reason = STR("The function is being created.");
    shown->state_reason_code = STR("Creating");
    shown->last_update_status = STR_NONE;
    shown->revision_id = new_revision(call);
}

gh_err lambda_GetFunction(struct call *call, const struct lambda_GetFunction_in *in, struct lambda_GetFunction_out *out)
{
    struct function_row function;
    struct version_row row;
    struct named named;
    gh_err err = named_resolve(call, in->function_name, in->qualifier, &named);
    if (!err)
        err = named_row(call, NULL, &named, &function);
    if (!err)
        err = named_version(call, NULL, &named, &row);
    if (err)
        return err;
    out->configuration = ARENA_NEW(call->arena, struct lambda_FunctionConfiguration);
    *out->configuration = config_shown(call, &row, named.qualifier);
    out->code = ARENA_NEW(call->arena, struct lambda_FunctionCodeLocation);
    out->code->repository_type = STR("S3");
    out->code->location = code_url(call, row.code);
    if (!str_is(function.tags, "{}"))
        shape_parse(call->arena, &lambda_shape_Tags, function.tags, &out->tags);
    if (function.reserved >= 0) {
        out->concurrency = ARENA_NEW(call->arena, struct lambda_Concurrency);
        out->concurrency->reserved_concurrent_executions = some_i64(function.reserved);
    }
    return NULL;
}

gh_err lambda_GetFunctionConfiguration(struct call *call, const struct lambda_GetFunctionConfiguration_in *in,
                                       struct lambda_GetFunctionConfiguration_out *out)
{
    struct version_row row;
    struct named named;
    gh_err err = named_resolve(call, in->function_name, in->qualifier, &named);
    if (!err)
        err = named_version(call, NULL, &named, &row);
    if (!err)
        out->whole = config_shown(call, &row, named.qualifier);
    return err;
}

gh_err lambda_ListFunctions(struct call *call, const struct lambda_ListFunctions_in *in,
                            struct lambda_ListFunctions_out *out)
{
    struct version_row *rows;
    size_t n;
    int64_t limit = page_size(in->max_items, LIST_MAX);
    bool all_versions = str_is(in->function_version, "ALL");
    if (in->master_region.ptr)
        return refused(call, "MasterRegion", "there are no edge replicas.");
    gh_err err = function_list(call->db, call->sealer, call->arena, call->account, call->region, in->marker, limit, &rows, &n);
    if (err)
        return err;
    size_t cap = 0, filled = 0;
    struct lambda_FunctionConfiguration **items = NULL;
    for (size_t i = 0; i < n; i++) {
        struct version_row *versions = &rows[i];
        struct function_id id = { call->account, call->region, rows[i].config.function_name };
        size_t n_versions = 1;
        if (all_versions && (err = function_version_list(call->db, call->sealer, call->arena, &id, -1, 0, &versions, &n_versions)))
            return err;
        if (filled + n_versions > cap) {
            size_t wanted = 2 * (filled + n_versions);
            items = arena_grow(call->arena, items, filled * sizeof *items, wanted * sizeof *items);
            cap = wanted;
        }
        for (size_t k = 0; k < n_versions; k++)
            items[filled++] = config_listed(call, &versions[k], all_versions ? versions[k].version : STR_NONE);
    }
    out->functions = (struct lambda_FunctionList){ true, filled, items };
    if ((int64_t)n == limit)
        out->next_marker = rows[n - 1].config.function_name;
    return NULL;
}

gh_err lambda_DeleteFunction(struct call *call, const struct lambda_DeleteFunction_in *in,
                             struct lambda_DeleteFunction_out *out)
{
    struct functions *f = functions_of(call);
    struct function_row function;
    struct version_row *versions = NULL;
    struct named named;
    struct tx tx;
    size_t n = 0;
    gh_err err = named_resolve(call, in->function_name, in->qualifier, &named);
    if (err)
        return err;
    if (str_is(named.qualifier, "$LATEST"))
        return lambda_fail(call, &lambda_InvalidParameterValueException,
                           "$LATEST version cannot be deleted without deleting the function.");
    struct named whole = named;
    whole.qualifier = STR_NONE;
    pthread_mutex_lock(&f->packages);
    tx_begin(&tx, call->db, call->arena);
    err = named_row(call, &tx, &whole, &function);
    if (!err)
        err = function_version_list(call->db, call->sealer, call->arena, &named.id, -1, 0, &versions, &n);
    if (!err && named.qualifier.ptr)
        err = version_delete_checked(call, &tx, &named);
    else if (!err)
        function_delete(&tx, &named.id);
    if (err)
        tx_rollback(&tx);
    else
        err = tx_commit(&tx);
    for (size_t i = 0; i < n && !err; i++)
        code_drop_unused(call, versions[i].code);
    pthread_mutex_unlock(&f->packages);
    if (err)
        return err;
    fleet_forget(f, named.id.account, named.id.region, named.id.name, true);
    out->status_code = some_i64(204);
    return NULL;
}

/* What update answers show before it settles. */
void show_updating(struct call *call, struct lambda_FunctionConfiguration *shown)
{
    shown->last_update_status = STR("InProgress");
    shown->last_update_status_reason = STR("The function is being created.");
    shown->last_update_status_reason_code = STR("Creating");
    shown->revision_id = new_revision(call);
}

gh_err lambda_UpdateFunctionConfiguration(struct call *call, const struct lambda_UpdateFunctionConfiguration_in *in,
                                          struct lambda_UpdateFunctionConfiguration_out *out)
{
    const struct settings settings = SETTINGS_OF(in);
    struct version_row row;
    struct named named;
    struct tx tx;
    gh_err err = named_resolve(call, in->function_name, STR_NONE, &named);
    if (!err)
        err = settings_check(call, &settings);
    if (err)
        return err;
    tx_begin(&tx, call->db, call->arena);
    err = latest_of(call, &tx, &named, &row);
    if (!err)
        err = revision_must_match(call, in->revision_id, row.config.revision_id, "GetFunction/GetAlias");
    if (!err) {
        settings_apply(call, &settings, &row);
        row.config.last_modified = modified_now(call);
        row.config.revision_id = new_revision(call);
        function_version_save(&tx, call->sealer, &named.id, &row);
        err = tx_commit(&tx);
    }
    tx_rollback(&tx);
    if (err)
        return err;
    fleet_forget(functions_of(call), named.id.account, named.id.region, named.id.name, true);
    out->whole = config_shown(call, &row, STR_NONE);
    show_updating(call, &out->whole);
    return NULL;
}
