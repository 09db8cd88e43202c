/* Resource policies: AddPermission, RemovePermission, GetPolicy. */
#include "functions/ops/common.h"
#include "functions/store/permission.h"
#include "policy/eval.h"

enum { POLICY_BYTES = 20480 };

static gh_err check_qualifier(struct call *call, struct tx *tx, const struct named *named, struct str *revision);
static gh_err touch(struct call *call, struct tx *tx, const struct named *named, struct str revision);
static json_t *statement_of(struct call *call, const struct lambda_AddPermission_in *in, const struct named *named);
static gh_err principal_of(struct call *call, struct str given, json_t **out);
static gh_err check_compiles(struct call *call, struct str statements);

static struct str key_of(const struct named *named)
{
    return named->qualifier.ptr ? named->qualifier : STR("");
}

static gh_err load(struct call *call, struct tx *tx, const struct named *named, struct permission_row *row,
                   json_t **statements, bool *found)
{
    gh_err err = permission_find(call->db, tx, call->arena, &named->id, key_of(named), row, found);
    *statements = !err && *found ? json_parse(call->arena, row->statements, NULL) : NULL;
    if (!err && *found && !*statements)
        err = gh_fail(call->arena, &GH_INTERNAL, "the stored policy cannot be read");
    if (!err && !*found)
        *statements = json_own(call->arena, json_array());
    return err;
}

static ptrdiff_t index_of(const json_t *statements, struct str id)
{
    size_t i;
    json_t *one;
    json_array_foreach(statements, i, one)
        if (str_eq(json_str(one, "Sid"), id))
            return (ptrdiff_t)i;
    return -1;
}

gh_err lambda_AddPermission(struct call *call, const struct lambda_AddPermission_in *in,
                            struct lambda_AddPermission_out *out)
{
    struct permission_row row;
    struct named named;
    struct tx tx;
    struct str revision = STR_NONE;
    json_t *statements, *statement;
    bool found;
    gh_err err = named_resolve(call, in->function_name, in->qualifier, &named);
    if (err)
        return err;
    if (str_is(named.qualifier, "$LATEST"))
        return lambda_fail(call, &lambda_InvalidParameterValueException,
                           "We currently do not support adding policies for $LATEST.");
    tx_begin(&tx, call->db, call->arena);
    err = check_qualifier(call, &tx, &named, &revision);
    if (!err)
        err = load(call, &tx, &named, &row, &statements, &found);
    if (!err)
        err = revision_must_match(call, in->revision_id, found ? row.revision : revision, "GetPolicy");
    if (!err && index_of(statements, in->statement_id) >= 0)
        err = lambda_fail(call, &lambda_ResourceConflictException,
                          "The statement id (%.*s) provided already exists. Please provide a new statement id, or remove the "
                          "existing statement.", STR_FMT(in->statement_id));
    json_t *principal = NULL;
    if (!err)
        err = principal_of(call, in->principal, &principal);
    if (!err) {
        statement = statement_of(call, in, &named);
        json_object_set(statement, "Principal", principal);
        json_array_append(statements, statement);
        row = (struct permission_row){ new_revision(call), json_print(call->arena, statements) };
        if (row.statements.len > POLICY_BYTES)
            err = lambda_fail(call, &lambda_PolicyLengthExceededException, "The final policy size (%zu) is bigger than the limit (%d).",
                              row.statements.len, POLICY_BYTES);
    }
    if (!err)
        err = check_compiles(call, row.statements);
    if (!err) {
        permission_save(&tx, &named.id, key_of(&named), &row);
        err = touch(call, &tx, &named, row.revision);
    }
    if (!err)
        err = tx_commit(&tx);
    tx_rollback(&tx);
    if (err)
        return err;
    fleet_forget(functions_of(call), named.id.account, named.id.region, named.id.name, false);
    out->statement = json_print(call->arena, statement);
    return NULL;
}

/* The function, version or alias must be there. *revision: its own, while it has no policy. */
static gh_err check_qualifier(struct call *call, struct tx *tx, const struct named *named, struct str *revision)
{
    struct function_row function;
    struct alias_row alias;
    struct version_row row;
    struct named whole = *named;
    bool found;
    whole.qualifier = STR_NONE;
    gh_err err = named_row(call, tx, &whole, &function);
    if (err)
        return err;
    struct str version = named->qualifier.ptr ? named->qualifier : STR("$LATEST");
    err = alias_find(call->db, tx, call->arena, &named->id, version, &alias, &found);
    if (found)
        *revision = alias.config.revision_id;
    if (err || found)
        return err;
    err = function_version_find(call->db, tx, call->sealer, call->arena, &named->id, version, &row, &found);
    if (found)
        *revision = row.config.revision_id;
    if (err || found)
        return err;
    /* A name that can only be an alias is looked for as one. */
    bool number = true, dollar = false;
    for (size_t i = 0; i < version.len; i++) {
        number &= version.ptr[i] >= '0' && version.ptr[i] <= '9';
        dollar |= version.ptr[i] == '$';
    }
    if (number || dollar)
        return named_missing(call, named);
    return lambda_fail(call, &lambda_ResourceNotFoundException, "Cannot find alias arn: %.*s:%.*s", STR_FMT(named->arn),
                       STR_FMT(version));
}

/* "RevisionId … on permission changes": the one of what the policy belongs to. */
static gh_err touch(struct call *call, struct tx *tx, const struct named *named, struct str revision)
{
    struct alias_row alias;
    struct version_row row;
    struct str version = named->qualifier.ptr ? named->qualifier : STR("$LATEST");
    bool found;
    gh_err err = alias_find(call->db, tx, call->arena, &named->id, version, &alias, &found);
    if (err)
        return err;
    if (found) {
        alias.config.revision_id = revision;
        alias_save(tx, &named->id, &alias.config);
        return NULL;
    }
    err = function_version_find(call->db, tx, call->sealer, call->arena, &named->id, version, &row, &found);
    if (!err && found) {
        row.config.revision_id = revision;
        function_version_save(tx, call->sealer, &named->id, &row);
    }
    return err;
}

static json_t *statement_of(struct call *call, const struct lambda_AddPermission_in *in, const struct named *named)
{
    json_t *statement = json_own(call->arena, json_object()), *equals = json_object(), *like = json_object();
    json_t *condition = json_object();
    json_set_str(statement, "Sid", in->statement_id);
    json_set_str(statement, "Effect", STR("Allow"));
    json_object_set_new(statement, "Principal", json_null()); /* keeps its place in the order */
    json_set_str(statement, "Action", in->action);
    json_set_str(statement, "Resource", named->qualifier.ptr
                 ? str_printf(call->arena, "%.*s:%.*s", STR_FMT(named->arn), STR_FMT(named->qualifier)) : named->arn);
    json_set_str(equals, "AWS:SourceAccount", in->source_account);
    json_set_str(equals, "lambda:FunctionUrlAuthType", in->function_url_auth_type);
    json_set_str(equals, "lambda:EventSourceToken", in->event_source_token);
    json_set_str(equals, "aws:PrincipalOrgID", in->principal_org_id);
    json_set_str(like, "AWS:SourceArn", in->source_arn);
    if (json_object_size(equals))
        json_object_set(condition, "StringEquals", equals);
    if (json_object_size(like))
        json_object_set(condition, "ArnLike", like);
    if (in->invoked_via_function_url.set)
        json_object_set_new(condition, "Bool", json_pack("{s:s}", "lambda:InvokedViaFunctionUrl",
                                                         in->invoked_via_function_url.value ? "true" : "false"));
    if (json_object_size(condition))
        json_object_set(statement, "Condition", condition);
    json_decref(condition);
    json_decref(equals);
    json_decref(like);
    return statement;
}

static gh_err principal_of(struct call *call, struct str given, json_t **out)
{
    *out = json_own(call->arena, json_object());
    bool digits = given.len == 12;
    for (size_t i = 0; i < given.len; i++)
        digits &= given.ptr[i] >= '0' && given.ptr[i] <= '9';
    if (str_is(given, "*"))
        *out = json_own(call->arena, json_string("*"));
    else if (digits)
        json_set_str(*out, "AWS", str_printf(call->arena, "arn:%.*s:iam::%.*s:root", STR_FMT(call->partition), STR_FMT(given)));
    else if (str_starts(given, STR("arn:")))
        json_set_str(*out, "AWS", given);
    else if (str_ends(given, STR(".amazonaws.com")) || str_ends(given, STR(".amazonaws.com.cn")) || str_is(given, "amazonaws.com") ||
             str_ends(given, STR(".amazon.com")))
        json_set_str(*out, "Service", given);
    else
        return lambda_fail(call, &lambda_InvalidParameterValueException,
                           "The provided principal was invalid. Please check the principal and try again.");
    return NULL;
}

/* What is stored can be decided by: functions/target.c compiles it for the runtime. */
static gh_err check_compiles(struct call *call, struct str statements)
{
    struct str why, document = permission_document(call->arena, statements);
    if (policy_check(call->arena, POLICY_RESOURCE, document, &why))
        return NULL;
    return lambda_fail(call, &lambda_InvalidParameterValueException, "The policy is not valid: %.*s", STR_FMT(why));
}

gh_err lambda_RemovePermission(struct call *call, const struct lambda_RemovePermission_in *in,
                               struct lambda_RemovePermission_out *out)
{
    struct function_row function;
    struct permission_row row;
    struct named named;
    struct tx tx;
    struct str revision = STR_NONE;
    json_t *statements;
    ptrdiff_t at = -1;
    bool found;
    (void)out;
    gh_err err = named_resolve(call, in->function_name, in->qualifier, &named);
    if (err)
        return err;
    tx_begin(&tx, call->db, call->arena);
    err = function_find(call->db, &tx, call->arena, &named.id, &function, &found);
    if (!err && !found)
        err = lambda_fail(call, &lambda_ResourceNotFoundException, "No policy found for: %.*s", STR_FMT(named.arn));
    if (!err)
        err = check_qualifier(call, &tx, &named, &revision);
    if (!err)
        err = load(call, &tx, &named, &row, &statements, &found);
    if (!err && !found)
        err = lambda_fail(call, &lambda_ResourceNotFoundException, "No policy is associated with the given resource.");
    if (!err)
        err = revision_must_match(call, in->revision_id, row.revision, "GetPolicy");
    if (!err && (at = index_of(statements, in->statement_id)) < 0)
        err = lambda_fail(call, &lambda_ResourceNotFoundException, "Statement %.*s is not found in resource policy.",
                          STR_FMT(in->statement_id));
    if (!err) {
        json_array_remove(statements, (size_t)at);
        row = (struct permission_row){ new_revision(call), json_print(call->arena, statements) };
        if (json_array_size(statements))
            permission_save(&tx, &named.id, key_of(&named), &row);
        else
            permission_delete(&tx, &named.id, key_of(&named));
        err = touch(call, &tx, &named, row.revision);
    }
    if (!err)
        err = tx_commit(&tx);
    tx_rollback(&tx);
    if (!err)
        fleet_forget(functions_of(call), named.id.account, named.id.region, named.id.name, false);
    return err;
}

gh_err lambda_GetPolicy(struct call *call, const struct lambda_GetPolicy_in *in, struct lambda_GetPolicy_out *out)
{
    struct permission_row row;
    struct named named;
    json_t *statements;
    bool found;
    gh_err err = named_resolve(call, in->function_name, in->qualifier, &named);
    if (!err)
        err = load(call, NULL, &named, &row, &statements, &found);
    if (!err && !found)
        err = lambda_fail(call, &lambda_ResourceNotFoundException, "The resource you requested does not exist.");
    if (err)
        return err;
    json_t *policy = json_own(call->arena, json_object());
    json_set_str(policy, "Version", STR("2012-10-17"));
    json_set_str(policy, "Id", STR("default"));
    json_object_set(policy, "Statement", statements);
    out->policy = json_print(call->arena, policy);
    out->revision_id = row.revision;
    return NULL;
}
