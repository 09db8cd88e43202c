#include "policy/lint/findings.h"

static bool wild(struct str text)
{
    return str_find(text, '*') >= 0 || str_find(text, '?') >= 0;
}

static bool yes(struct str service, struct str name, void *ctx)
{
    (void)service;
    (void)name;
    (void)ctx;
    return false;
}

static void unknown_action(struct lint *lint, struct str action, struct str service, struct str name)
{
    struct str meant = wild(name) ? STR_NONE : catalogue_nearest_action(service, name);
    if (meant.ptr)
        lint_found(lint, FINDING_ERROR, "INVALID_ACTION",
                   "The action %.*s does not exist. Did you mean %.*s:%.*s?", STR_FMT(action),
                   STR_FMT(service), STR_FMT(meant));
    else
        lint_found(lint, FINDING_ERROR, "INVALID_ACTION", "The action %.*s does not exist.", STR_FMT(action));
}

static void action(struct lint *lint, struct str text, void *ctx)
{
    (void)ctx;
    struct str name = text, service;
    lint_variables(lint, text, false);
    if (str_is(text, "*"))
        return;
    str_split(&name, ':', &service);
    if (!name.ptr) {
        lint_found(lint, FINDING_ERROR, "INVALID_ACTION", "The action %.*s does not exist.", STR_FMT(text));
        return;
    }
    if (wild(service)) {
        lint_found(lint, FINDING_SUGGESTION, "WILDCARD_IN_SERVICE_NAME",
                   "Avoid using wildcards (*, ?) in the service name because it might grant unintended "
                   "access to other AWS "
                   "services with similar names.");
        return;
    }
    struct str lower = str_lower(lint->arena, service);
    if (catalogue_has_service(lower)) {
        if (!catalogue_each_action(text, yes, NULL))
            unknown_action(lint, text, lower, name);
        return;
    }
    struct str meant = catalogue_nearest_service(lower);
    if (meant.len > 3) /* of shorter ones there are too many like it */
        lint_found(lint, FINDING_ERROR, "INVALID_SERVICE_IN_ACTION",
                   "The service %.*s specified in the action does not exist. Did you mean %.*s?",
                   STR_FMT(service), STR_FMT(meant));
}

void lint_actions(struct lint *lint, const struct jt *statement)
{
    bool any = false;
    static const char *const names[] = { "Action", "NotAction" };
    for (size_t i = 0; i < COUNT(names); i++) {
        const struct jt *value = jt_get(statement, str_of(names[i]));
        if (!value)
            continue;
        any = true;
        lint_into(lint, str_of(names[i]));
        if (jt_is(value, JT_ARRAY) && value->n == 0)
            lint_found(lint, FINDING_SUGGESTION, "EMPTY_ARRAY_ACTION",
                       "This statement includes no actions and does not affect the policy. Specify actions.");
        lint_each(lint, value, action, NULL);
        lint_out(lint);
    }
    if (!any)
        lint_found(lint, FINDING_ERROR, "MISSING_ACTION",
                   "Add an Action or NotAction element to the policy statement.");
}
