#include "functions/target.h"

#include <stdlib.h>

#include "core/arena.h"
#include "core/json.h"
#include "core/log.h"
#include "functions/store/function.h"
#include "functions/store/permission.h"
#include "policy/eval.h"

static struct target *target_load(struct db *db, const struct sealer *sealer, struct str account, struct str region,
                                  struct str name, struct str version, int64_t reserved, struct arena *arena,
                                  gh_err *err);

static gh_err policy_load(struct db *db, struct arena *arena, const struct function_id *id, struct str qualifier,
                          const struct policy_set **out);

bool route_load(struct db *db, const struct sealer *sealer, struct str account, struct str region, struct str name,
                struct str qualifier, struct route *out, struct arena *arena, struct str *why)
{
    struct function_row row;
    struct alias_row alias;
    struct function_id id = { account, region, name };
    struct str first = qualifier.ptr ? qualifier : STR("$LATEST"), second = STR_NONE;
    bool found;
    *out = (struct route){ 0 };
    gh_err err = function_find(db, NULL, arena, &id, &row, &found);
    if (!err && found && !str_is(first, "$LATEST")) {
        bool is_alias;
        err = alias_find(db, NULL, arena, &id, first, &alias, &is_alias);
        if (is_alias) {
            first = alias.version;
            second = alias.second_version;
            out->second_weight = alias.second_weight;
        }
    }
    if (!err && found)
        out->targets[0] = target_load(db, sealer, account, region, name, first, row.reserved, arena, &err);
    if (!err && out->targets[0] && second.ptr)
        out->targets[1] = target_load(db, sealer, account, region, name, second, row.reserved, arena, &err);
    if (!err && out->targets[0])
        err = policy_load(db, arena, &id, qualifier, &out->policy);
    out->n = out->targets[0] ? (out->targets[1] ? 2 : 1) : 0;
    if (err) {
        *why = err->message;
        target_free(out->targets[0]);
        target_free(out->targets[1]);
        policy_set_free(out->policy);
        *out = (struct route){ 0 };
    }
    return !err;
}

/* A version and an alias have policies of their own; "$LATEST" is the function. */
static gh_err policy_load(struct db *db, struct arena *arena, const struct function_id *id, struct str qualifier,
                          const struct policy_set **out)
{
    struct permission_row row;
    bool found;
    struct str why, key = !qualifier.ptr || str_is(qualifier, "$LATEST") ? STR("") : qualifier;
    gh_err err = permission_find(db, NULL, arena, id, key, &row, &found);
    if (err || !found)
        return err;
    struct policy_set *set = policy_set_new();
    if (policy_set_add(set, POLICY_RESOURCE, STR("default"), permission_document(arena, row.statements), arena, &why)) {
        *out = set;
        return NULL;
    }
    policy_set_free(set); /* AddPermission looked at it before it was stored: nobody gets in by a damaged one */
    log_at(LOG_ERROR, "a function's policy cannot be read", { "function", id->name }, { "why", why });
    return NULL;
}

static struct target *target_load(struct db *db, const struct sealer *sealer, struct str account, struct str region,
                                  struct str name, struct str version, int64_t reserved, struct arena *arena,
                                  gh_err *err)
{
    struct function_id id = { account, region, name };
    struct version_row row;
    bool found;
    *err = function_version_find(db, NULL, sealer, arena, &id, version, &row, &found);
    if (*err || !found)
        return NULL;
    struct arena *own = arena_new(4096);
    struct target *target = ARENA_NEW(own, struct target);
    const struct lambda_FunctionConfiguration *config = &row.config;
    *target = (struct target){
        .arena = own,
        .account = str_copy(own, account),
        .region = str_copy(own, region),
        .name = str_copy(own, name),
        .version = str_copy(own, version),
        .arn = str_copy(own, row.function_arn),
        .runtime = str_copy(own, config->runtime),
        .handler = str_copy(own, config->handler),
        .role = str_copy(own, config->role),
        .code = str_copy(own, row.code),
        .timeout_ms = (int)config->timeout.value * 1000,
        .memory_mb = config->memory_size.value,
        .tmp_mb = config->ephemeral_storage ? config->ephemeral_storage->size.value : 512,
        .log_group = str_printf(own, "/aws/lambda/%.*s", STR_FMT(name)),
        .reserved = reserved,
    };
    if (config->logging_config && config->logging_config->log_group.ptr)
        target->log_group = str_copy(own, config->logging_config->log_group);
    const char **variables = ARENA_ARRAY(own, const char *, row.variables.n + 1);
    for (size_t i = 0; i < row.variables.n; i++)
        variables[i] = str_printf(own, "%.*s=%.*s", STR_FMT(row.variables.items[i].key),
                                  STR_FMT(row.variables.items[i].value)).ptr;
    target->variables = variables;
    target->n_variables = row.variables.n;
    return target;
}

void target_free(struct target *target)
{
    if (target)
        arena_free(target->arena);
}
