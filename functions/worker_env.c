#include "functions/worker_env.h"

#include <stdio.h>

#include "core/base64.h"
#include "core/time.h"

/* Not for functions to set; what they may (LANG, PATH, TZ, …) is a default below. */
static const char *const reserved[] = {
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API",
    "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
};

struct list {
    struct arena *arena;
    const char **items;
    size_t n, cap;
};

static void set(struct list *list, const char *name, struct str value);
static void add(struct list *list, const char *line);

bool worker_env_is_reserved(struct str name)
{
    for (size_t i = 0; i < COUNT(reserved); i++)
        if (str_is(name, reserved[i]))
            return true;
    return false;
}

const char *const *worker_env_build(const struct worker_env *env, struct arena *arena, char *mark, size_t mark_cap)
{
    const struct target *target = env->target;
    const struct functions_config *config = &env->functions->config;
    struct list list = { .arena = arena, .cap = target->n_variables + 48 };
    list.items = ARENA_ARRAY(arena, const char *, list.cap);
    uint8_t bytes[16];
    env_random(config->env, bytes, sizeof bytes);
    struct str day = time_iso8601(arena, env_now_s(config->env));
    struct str stream = str_printf(arena, "%.4s/%.2s/%.2s/[%.*s]%s", day.ptr, day.ptr + 5, day.ptr + 8,
                                   STR_FMT(target->version),
                                   hex_encode(arena, (struct str){ (char *)bytes, sizeof bytes }).ptr);
    snprintf(mark, mark_cap, "AWS_LAMBDA_LOG_STREAM_NAME=%s", stream.ptr);
    set(&list, "_HANDLER", target->handler);
    set(&list, "AWS_REGION", target->region);
    set(&list, "AWS_DEFAULT_REGION", target->region);
    set(&list, "AWS_LAMBDA_FUNCTION_NAME", target->name);
    set(&list, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", str_printf(arena, "%lld", (long long)target->memory_mb));
    set(&list, "AWS_LAMBDA_FUNCTION_VERSION", target->version);
    set(&list, "AWS_LAMBDA_INITIALIZATION_TYPE", STR("on-demand"));
    set(&list, "AWS_LAMBDA_LOG_GROUP_NAME", target->log_group);
    set(&list, "AWS_LAMBDA_LOG_STREAM_NAME", stream);
    set(&list, "AWS_LAMBDA_RUNTIME_API", str_printf(arena, "127.0.0.1:%u", env->port));
    set(&list, "AWS_ACCESS_KEY_ID", env->key_id);
    set(&list, "AWS_SECRET_ACCESS_KEY", env->key_id.ptr ? env->secret : STR_NONE);
    set(&list, "AWS_SESSION_TOKEN", env->key_id.ptr ? env->token : STR_NONE);
    set(&list, "LAMBDA_TASK_ROOT", str_of(env->code_dir));
    set(&list, "LAMBDA_RUNTIME_DIR", str_of(env->runtime_dir));
    set(&list, "PWD", str_of(env->code_dir));
    if (!str_starts(target->runtime, STR("provided")))
        set(&list, "AWS_EXECUTION_ENV", str_concat(arena, STR("AWS_Lambda_"), target->runtime));
    /* AWS's SDKs then speak to us. Of Gatehouse, not Lambda; a function may point elsewhere. */
    set(&list, "AWS_ENDPOINT_URL", config->base_url);
    for (size_t i = 0; i < target->n_variables; i++)
        if (!worker_env_is_reserved(str_sub(str_of(target->variables[i]), 0,
                                            (size_t)str_find(str_of(target->variables[i]), '='))))
            add(&list, target->variables[i]);
    set(&list, "LANG", STR("en_US.UTF-8"));
    set(&list, "TZ", STR(":UTC"));
    set(&list, "PATH", STR("/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin"));
    set(&list, "LD_LIBRARY_PATH",
        STR("/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"));
    if (str_starts(target->runtime, STR("python"))) {
        set(&list, "PYTHONPATH", str_of(env->runtime_dir));
        set(&list, "LC_CTYPE", STR("C.UTF-8"));
    }
    if (str_starts(target->runtime, STR("nodejs"))) {
        struct str major = str_sub(target->runtime, 6, 2);
        set(&list, "NODE_PATH", str_printf(arena, "/opt/nodejs/node%.*s/node_modules:/opt/nodejs/node_modules:"
                                                  "/var/runtime/node_modules:/var/runtime:%s",
                                           STR_FMT(major), env->code_dir));
    }
    return list.items;
}

/* A default: what the function has set itself stays. */
static void set(struct list *list, const char *name, struct str value)
{
    size_t len = strlen(name);
    if (!value.ptr)
        return;
    for (size_t i = 0; i < list->n; i++)
        if (strncmp(list->items[i], name, len) == 0 && list->items[i][len] == '=')
            return;
    add(list, str_printf(list->arena, "%s=%.*s", name, STR_FMT(value)).ptr);
}

static void add(struct list *list, const char *line)
{
    if (list->n + 1 < list->cap)
        list->items[list->n++] = line;
}
