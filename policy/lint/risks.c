/* What a statement lets pass without saying so: any role to any service, roles that services make. */
#include "core/glob.h"
#include "policy/lint/findings.h"

static const struct risk {
    const char *action;
    const char *code; /* PASS_ROLE_…, CREATE_SLR_… */
    enum policy_finding_type type;
    const char *excused_by;                 /* a condition key that narrows it; or NULL */
    const char *named, *starred, *inverted; /* with NotResource: by name, by a wild card, by NotAction */
    const char *named_all, *starred_all, *inverted_all; /* with a wild card in Resource */
} risks[] = {
    { "iam:PassRole", "PASS_ROLE", FINDING_SECURITY_WARNING, "iam:PassedToService",
      "Using the iam:PassRole action with NotResource can be overly permissive because it can allow "
      "iam:PassRole permissions "
      "on multiple resources. We recommend that you specify resource ARNs instead.",
      "Using an action with a wildcard (*) and NotResource can be overly permissive because it can allow "
      "iam:PassRole "
      "permissions on multiple resources. We recommend that you specify resource ARNs instead.",
      "Using NotAction with NotResource can be overly permissive because it can allow iam:PassRole "
      "permissions on multiple "
      "resources. We recommend that you specify resource ARNs instead.",
      "Using the iam:PassRole action with wildcards (*) in the resource can be overly permissive because it "
      "allows "
      "iam:PassRole permissions on multiple resources. We recommend that you specify resource ARNs or add "
      "the "
      "iam:PassedToService condition key to your statement.",
      "Using wildcards (*) in the action and the resource can be overly permissive because it allows "
      "iam:PassRole permissions "
      "on all resources. We recommend that you specify resource ARNs or add the iam:PassedToService "
      "condition key to your "
      "statement.",
      "Using a resource with wildcards (*) and NotAction can be overly permissive because it allows "
      "iam:PassRole permissions "
      "on all resources. We recommend that you specify resource ARNs or add the iam:PassedToService "
      "condition key to your "
      "statement." },
    { "iam:CreateServiceLinkedRole", "CREATE_SLR", FINDING_WARNING, "iam:AWSServiceName",
      "Using the iam:CreateServiceLinkedRole action with NotResource can allow creation of unintended "
      "service-linked roles for "
      "multiple resources. We recommend that you specify resource ARNs instead.",
      "Using an action with a wildcard(*) and NotResource can allow creation of unintended service-linked "
      "roles because it "
      "can allow iam:CreateServiceLinkedRole permissions on multiple resources. We recommend that you "
      "specify resource ARNs "
      "instead.",
      "Using NotAction with NotResource can allow creation of unintended service-linked roles because it "
      "allows "
      "iam:CreateServiceLinkedRole permissions on multiple resources. We recommend that you specify resource "
      "ARNs instead.",
      "Using the iam:CreateServiceLinkedRole action with wildcards (*) in the resource can allow creation of "
      "unintended "
      "service-linked roles. We recommend that you specify resource ARNs instead.",
      "Using wildcards (*) in the action and the resource can allow creation of unintended service-linked "
      "roles because it "
      "allows iam:CreateServiceLinkedRole permissions on all resources. We recommend that you specify "
      "resource ARNs instead.",
      "Using a resource with wildcards (*) and NotAction can allow creation of unintended service-linked "
      "roles because it "
      "allows iam:CreateServiceLinkedRole permissions on all resources. We recommend that you specify "
      "resource ARNs instead." },
};

enum how { NOT_AT_ALL, NAMED, STARRED, INVERTED };

static bool covers(const struct jt *value, const char *action, bool *starred)
{
    bool any = false;
    uint32_t n = jt_is(value, JT_ARRAY) ? value->n : 1;
    for (uint32_t i = 0; i < n; i++) {
        const struct jt *one = jt_is(value, JT_ARRAY) ? &value->items[i] : value;
        if (!jt_is(one, JT_STRING) || !glob_match_nocase(jt_text(one), str_of(action)))
            continue;
        any = true;
        *starred = str_find(jt_text(one), '*') >= 0 || str_find(jt_text(one), '?') >= 0;
        if (!*starred)
            break;
    }
    return any;
}

static enum how how(const struct jt *statement, const char *action)
{
    bool starred = false;
    const struct jt *not_action = jt_get(statement, STR("NotAction"));
    if (not_action)
        return covers(not_action, action, &starred) ? NOT_AT_ALL : INVERTED;
    if (!covers(jt_get(statement, STR("Action")), action, &starred))
        return NOT_AT_ALL;
    return starred ? STARRED : NAMED;
}

static bool any_role(struct str resource)
{
    struct str role;
    ptrdiff_t at = str_find_str(resource, STR(":role/"));
    if (at < 0)
        return glob_match(resource, STR("arn:aws:iam::000000000000:role/any"));
    role = str_from(resource, (size_t)at + 6);
    return str_is(role, "*");
}

static bool narrowed(const struct jt *statement, const char *key)
{
    const struct jt *blocks = jt_get(statement, STR("Condition"));
    for (uint32_t b = 0; jt_is(blocks, JT_OBJECT) && b < blocks->n; b++) {
        const struct jt *keys = &blocks->object->members[b].value;
        for (uint32_t k = 0; jt_is(keys, JT_OBJECT) && k < keys->n; k++)
            if (str_eq_nocase(keys->object->members[k].name, str_of(key)))
                return true;
    }
    return false;
}

static void tell(struct lint *lint, const struct risk *risk, const char *what, const char *sentence)
{
    lint_found(lint, risk->type, str_c(lint->arena, str_printf(lint->arena, "%s_WITH_%s", risk->code, what)),
               "%s", sentence);
}

void lint_risks(struct lint *lint, const struct jt *statement)
{
    if (lint->use != POLICY_IDENTITY || !str_is(jt_get_str(statement, "Effect"), "Allow"))
        return;
    for (size_t i = 0; i < COUNT(risks); i++) {
        const struct risk *risk = &risks[i];
        enum how by = how(statement, risk->action);
        if (by == NOT_AT_ALL || narrowed(statement, risk->excused_by))
            continue;
        if (jt_get(statement, STR("NotResource"))) {
            tell(lint, risk,
                 by == NAMED     ? "NOT_RESOURCE"
                 : by == STARRED ? "STAR_IN_ACTION_AND_NOT_RESOURCE"
                                 : "NOT_ACTION_AND_NOT_RESOURCE",
                 by == NAMED     ? risk->named
                 : by == STARRED ? risk->starred
                                 : risk->inverted);
        } else if (lint_any(jt_get(statement, STR("Resource")), any_role)) {
            tell(lint, risk,
                 by == NAMED     ? "STAR_IN_RESOURCE"
                 : by == STARRED ? "STAR_IN_ACTION_AND_RESOURCE"
                                 : "STAR_IN_RESOURCE_AND_NOT_ACTION",
                 by == NAMED     ? risk->named_all
                 : by == STARRED ? risk->starred_all
                                 : risk->inverted_all);
        }
    }
}
