#include "functions/ops/settings.h"

#include <sys/utsname.h>

#include "core/base64.h"
#include "core/digest.h"
#include "functions/interpreter.h"
#include "functions/worker_env.h"
#include "wire/codec_json.h"

enum { ENVIRONMENT_BYTES = 4096 };

/* In AWS's order. */
static const char runtimes[] =
    "nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, nodejs24.x, nodejs22.x, java25, python3.10, "
    "python3.11, java21, ruby3.3, ruby3.4, ruby3.2, python3.8, python3.9, java17, nodejs16.x, dotnet10, dotnet8, java11, "
    "dotnet6, nodejs18.x, provided.al2, java8.al2";
static const char *const retired[] = {
    "nodejs", "nodejs4.3", "nodejs4.3-edge", "nodejs6.10", "nodejs8.10", "nodejs10.x", "nodejs12.x", "nodejs14.x",
    "python2.7", "python3.6", "python3.7", "ruby2.5", "ruby2.7", "go1.x", "java8", "dotnetcore1.0", "dotnetcore2.0",
    "dotnetcore2.1", "dotnetcore3.1", "provided",
};

static gh_err check_role(struct call *call, struct str role);
static gh_err check_runtime(struct call *call, struct str runtime);
static gh_err check_environment(struct call *call, const struct lambda_EnvironmentVariables *variables);
static gh_err check_logging(struct call *call, const struct lambda_LoggingConfig *logging);

gh_err refused(struct call *call, const char *member, const char *why)
{
    return lambda_fail(call, &lambda_InvalidParameterValueException, "%s is not supported by Gatehouse: %s", member, why);
}

gh_err settings_check(struct call *call, const struct settings *s)
{
    gh_err err = s->runtime.ptr ? check_runtime(call, s->runtime) : NULL;
    if (!err && s->environment)
        err = check_environment(call, &s->environment->variables);
    if (!err && s->logging_config)
        err = check_logging(call, s->logging_config);
    if (!err && s->role.ptr)
        err = check_role(call, s->role);
    if (err)
        return err;
    if (s->n_layers)
        return refused(call, "Layers", "there are no layers yet; put their files into the package.");
    if (s->vpc_config && (s->vpc_config->subnet_ids.n || s->vpc_config->security_group_ids.n))
        return refused(call, "VpcConfig", "functions share this machine's network.");
    if (s->dead_letter_config && !str_empty(s->dead_letter_config->target_arn))
        return refused(call, "DeadLetterConfig.TargetArn", "there are no queues or topics here.");
    if (!str_empty(s->kms_key_arn))
        return refused(call, "KMSKeyArn", "there is no KMS here; variables are sealed with the data folder's key.");
    if (s->n_file_systems)
        return refused(call, "FileSystemConfigs", "there is no EFS here.");
    if (s->tracing_config && str_is(s->tracing_config->mode, "Active"))
        return refused(call, "TracingConfig.Mode Active", "there is no X-Ray here; leave it out or say PassThrough.");
    if (s->snap_start && str_is(s->snap_start->apply_on, "PublishedVersions"))
        return refused(call, "SnapStart.ApplyOn PublishedVersions", "there are no snapshots of processes.");
    const struct {
        const void *given;
        const char *name;
    } others[] = { { s->image_config, "ImageConfig" }, { s->capacity_provider_config, "CapacityProviderConfig" },
                   { s->durable_config, "DurableConfig" }, { s->runtime_config, "RuntimeConfig" },
                   { s->accelerator_config, "AcceleratorConfig" } };
    for (size_t i = 0; i < COUNT(others); i++)
        if (others[i].given)
            return refused(call, others[i].name, "it is not built.");
    return NULL;
}

static gh_err check_role(struct call *call, struct str role)
{
    const struct functions_config *config = &functions_of(call)->config;
    struct str key_id, secret, token;
    if (!config->roles_must_exist || !config->role_keys ||
        config->role_keys(config->role_keys_ctx, call->arena, role, STR("check"), &key_id, &secret, &token))
        return NULL;
    return lambda_fail(call, &lambda_InvalidParameterValueException,
                       "The role defined for the function cannot be assumed by Lambda.");
}

static gh_err check_runtime(struct call *call, struct str runtime)
{
    struct str all = STR(runtimes), one;
    bool known = false;
    for (size_t i = 0; i < COUNT(retired); i++)
        if (str_is(runtime, retired[i]))
            return lambda_fail(call, &lambda_InvalidParameterValueException,
                               "The runtime parameter of %.*s is no longer supported for creating or updating AWS Lambda "
                               "functions. We recommend you use a supported runtime while creating or updating functions.",
                               STR_FMT(runtime));
    while (str_split(&all, ',', &one))
        known |= str_eq(str_trim(one), runtime);
    if (!known)
        return lambda_fail(call, &lambda_InvalidParameterValueException,
                           "Value %.*s at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [%s] "
                           "or be a valid ARN", STR_FMT(runtime), runtimes);
    const struct interpreter *interpreter = interpreter_for(runtime);
    if (!interpreter)
        return lambda_fail(call, &lambda_InvalidParameterValueException,
                           "The runtime %.*s is not supported by Gatehouse: it runs nodejs*, python3* and provided.*.",
                           STR_FMT(runtime));
    if (atomic_load(&functions_of(call)->probed) && !interpreter->found)
        return lambda_fail(call, &lambda_InvalidParameterValueException,
                           "The runtime %.*s cannot be served: its interpreter is not installed on this machine.",
                           STR_FMT(runtime));
    return NULL;
}

static gh_err check_environment(struct call *call, const struct lambda_EnvironmentVariables *variables)
{
    struct strbuf reserved = strbuf_in(call->arena, 64);
    for (size_t i = 0; i < variables->n; i++)
        if (worker_env_is_reserved(variables->items[i].key))
            strbuf_printf(&reserved, "%s%.*s", reserved.len ? ", " : "", STR_FMT(variables->items[i].key));
    if (reserved.len)
        return lambda_fail(call, &lambda_InvalidParameterValueException,
                           "Lambda was unable to configure your environment variables because the environment variables you "
                           "have provided contains reserved keys that are currently not supported for modification. "
                           "Reserved keys used in this request: %.*s", STR_FMT(strbuf_view(&reserved)));
    for (size_t i = 0; i < variables->n; i++)
        if (memchr(variables->items[i].value.ptr, 0, variables->items[i].value.len))
            return refused(call, "Environment.Variables", "a value holds a NUL byte.");
    if (!variables->n)
        return NULL;
    struct str measured = shape_print(call->arena, &lambda_shape_EnvironmentVariables, variables);
    if (measured.len > ENVIRONMENT_BYTES)
        return lambda_fail(call, &lambda_InvalidParameterValueException,
                           "Lambda was unable to configure your environment variables because the environment variables you "
                           "have provided exceeded the 4KB limit. String measured: %.*s", STR_FMT(measured));
    return NULL;
}

static gh_err check_logging(struct call *call, const struct lambda_LoggingConfig *logging)
{
    if (str_is(logging->log_format, "JSON"))
        return refused(call, "LoggingConfig.LogFormat JSON", "logs are text.");
    if (logging->application_log_level.ptr || logging->system_log_level.ptr)
        return refused(call, "LoggingConfig's log levels", "they belong to the JSON format, and logs are text.");
    return NULL;
}

gh_err architectures_check(struct call *call, const struct lambda_ArchitecturesList *given)
{
    if (given->n && !str_is(given->items[0], machine_architecture()))
        return lambda_fail(call, &lambda_InvalidParameterValueException,
                           "Architectures: this machine is %s, a function for %.*s would not run on it.",
                           machine_architecture(), STR_FMT(given->items[0]));
    return NULL;
}

const char *machine_architecture(void)
{
    struct utsname name;
    return uname(&name) == 0 && strcmp(name.machine, "aarch64") == 0 ? "arm64" : "x86_64";
}

/* arn:aws:lambda:REGION::runtime:HEX: one value for each runtime; health says which program serves it. */
static struct lambda_RuntimeVersionConfig *runtime_version(struct call *call, struct str runtime)
{
    struct lambda_RuntimeVersionConfig *out = ARENA_NEW(call->arena, struct lambda_RuntimeVersionConfig);
    uint8_t sum[SHA256_BYTES];
    digest_sha256(runtime, sum);
    out->runtime_version_arn = str_printf(call->arena, "arn:%.*s:lambda:%.*s::runtime:%s", STR_FMT(call->partition),
                                          STR_FMT(call->region), hex_encode(call->arena, digest_str(sum, sizeof sum)).ptr);
    return out;
}

void settings_apply(struct call *call, const struct settings *s, struct version_row *row)
{
    struct lambda_FunctionConfiguration *config = &row->config;
    if (s->runtime.ptr && !str_eq(s->runtime, config->runtime)) {
        config->runtime = s->runtime;
        config->runtime_version_config = runtime_version(call, s->runtime);
    }
    if (s->role.ptr)
        config->role = s->role;
    if (s->handler.ptr)
        config->handler = s->handler;
    if (s->description.ptr)
        config->description = s->description;
    if (s->timeout.set)
        config->timeout = s->timeout;
    if (s->memory_size.set)
        config->memory_size = s->memory_size;
    if (s->environment) {
        row->variables = s->environment->variables;
        row->variables.set = true;
    }
    if (s->ephemeral_storage) {
        config->ephemeral_storage = ARENA_NEW(call->arena, struct lambda_EphemeralStorage);
        *config->ephemeral_storage = *s->ephemeral_storage;
    }
    if (s->logging_config && s->logging_config->log_group.ptr) {
        config->logging_config = ARENA_NEW(call->arena, struct lambda_LoggingConfig);
        *config->logging_config = (struct lambda_LoggingConfig){ .log_format = STR("Text"),
                                                                 .log_group = s->logging_config->log_group };
    }
}
