#include "policy/lint/findings.h"

static void principal(struct lint *lint, struct str text, void *ctx)
{
    const char *kind = ctx;
    lint_variables(lint, text, false);
    if (str_is(text, "*") && strcmp(kind, "AWS") == 0)
        return;
    if (str_find(text, '*') >= 0 || str_find(text, '?') >= 0)
        lint_found(
            lint, FINDING_ERROR, "UNSUPPORTED_WILDCARD_IN_PRINCIPAL",
            "Wildcards (*, ?) are not supported with the principal key %s. Replace the wildcard with a valid "
            "principal value.",
            kind);
    else if (str_starts(text, STR("AROA")))
        lint_found(lint, FINDING_WARNING, "INVALID_ROLE_REFERENCE",
                   "The Principal element includes the IAM role ID %.*s. We recommend that you use a role "
                   "ARN instead.",
                   STR_FMT(text));
    else if (str_starts(text, STR("AIDA")))
        lint_found(lint, FINDING_WARNING, "INVALID_USER_REFERENCE",
                   "The Principal element includes the IAM user ID %.*s. We recommend that you use a user "
                   "ARN instead.",
                   STR_FMT(text));
}

static void kinds(struct lint *lint, const struct jt *value)
{
    static const char *const known[] = { "AWS", "Service", "Federated", "CanonicalUser" };
    if (value->n == 0)
        lint_found(
            lint, FINDING_SUGGESTION, "EMPTY_OBJECT_PRINCIPAL",
            "This statement includes no principals and does not affect the policy. Specify principals.");
    for (uint32_t i = 0; i < value->n; i++) {
        const struct jt_member *member = &value->object->members[i];
        size_t k = 0;
        while (k < COUNT(known) && !str_is(member->name, known[k]))
            k++;
        lint_into(lint, member->name);
        if (k == COUNT(known))
            lint_found_name(lint, FINDING_ERROR, "INVALID_PRINCIPAL_KEY",
                            "The principal key %.*s is not valid.", STR_FMT(member->name));
        else if (jt_is(&member->value, JT_ARRAY) && member->value.n == 0)
            lint_found(
                lint, FINDING_SUGGESTION, "EMPTY_ARRAY_PRINCIPAL",
                "This statement includes no principals and does not affect the policy. Specify principals.");
        else
            lint_each(lint, &member->value, principal, (void *)(uintptr_t)known[k]);
        lint_out(lint);
    }
}

static void unsupported(struct lint *lint)
{
    if (lint->use == POLICY_SERVICE_CONTROL)
        lint_found_name(
            lint, FINDING_ERROR, "SCP_SYNTAX_ERROR_PRINCIPAL",
            "SCPs do not support specifying principals. Remove the Principal or NotPrincipal element.");
    else
        lint_found_name(
            lint, FINDING_ERROR, "UNSUPPORTED_PRINCIPAL",
            "The policy type IDENTITY_POLICY does not support the Principal element. Remove the Principal "
            "element.");
}

void lint_principals(struct lint *lint, const struct jt *statement)
{
    bool wanted =
        lint->use == POLICY_TRUST || lint->use == POLICY_RESOURCE || lint->use == POLICY_RESOURCE_CONTROL;
    bool any = false;
    static const char *const names[] = { "Principal", "NotPrincipal" };
    for (size_t i = 0; i < COUNT(names); i++) {
        const struct jt *value = jt_get(statement, str_of(names[i]));
        if (!value)
            continue;
        any = true;
        lint_into(lint, str_of(names[i]));
        if (!wanted)
            unsupported(lint);
        else if (jt_is(value, JT_OBJECT))
            kinds(lint, value);
        else if (!jt_is(value, JT_STRING) || !str_is(jt_text(value), "*"))
            lint_found(lint, FINDING_ERROR, "INVALID_PRINCIPAL_FORMAT",
                       "The Principal element contents are not valid. Specify a key-value pair in the "
                       "Principal element.");
        if (wanted && i == 1 && str_is(jt_get_str(statement, "Effect"), "Allow"))
            lint_found_name(
                lint, FINDING_SECURITY_WARNING, "ALLOW_WITH_NOT_PRINCIPAL",
                "Using Allow with NotPrincipal can be overly permissive. We recommend that you use Principal "
                "instead.");
        lint_out(lint);
    }
    if (wanted && !any)
        lint_found(lint, FINDING_ERROR, "MISSING_PRINCIPAL",
                   "Add a Principal element to the policy statement.");
}
