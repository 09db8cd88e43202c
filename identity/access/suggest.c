#include "identity/access/suggest.h"

#include "core/json.h"
#include "core/time.h"
#include "core/uri.h"
#include "identity/iam/iam.h"

enum { DENIALS_SHOWN = 1000, MANAGED_SIZE = 6144, FEWEST_SIBLINGS = 2 };

/* An ARN, "user/ann", "role/worker", or a name: a user's, else a role's. */
static gh_err principal_named(struct call *call, struct str name, struct entity *out)
{
    static const enum entity_kind kinds[] = { ENTITY_USER, ENTITY_ROLE };
    bool found = false;
    gh_err err = NULL;
    if (str_starts(name, STR("arn:"))) {
        err = entity_principal(call->db, NULL, call->arena, call->account, name, out, &found);
    } else {
        for (size_t i = 0; !err && !found && i < COUNT(kinds); i++) {
            struct str prefix = str_printf(call->arena, "%s/", entity_kind_name(kinds[i]));
            struct str plain = str_starts(name, prefix) ? str_from(name, prefix.len) : name;
            if (str_eq(plain, name) && str_find(name, '/') >= 0)
                continue;
            err = entity_load(call->db, NULL, call->arena, call->account, kinds[i], plain, out, &found);
        }
    }
    if (err || found)
        return err;
    return gh_fail(call->arena, &iam_NoSuchEntityException, "No user and no role of this account is called %.*s.", STR_FMT(name));
}

/* ---- denials ---- */

static json_t *denial(struct arena *arena, const struct asking *asking)
{
    json_t *doc = json_object();
    json_set_str(doc, "principal", asking->principal);
    json_set_str(doc, "action", asking->action);
    json_set_str(doc, "resource", asking->resource);
    if (asking->passed_to.len)
        json_set_str(doc, "passedTo", asking->passed_to);
    json_set_i64(doc, "wouldBe", asking->spared);
    json_set_i64(doc, "refused", asking->refused);
    json_set_str(doc, "reason", asking->reason);
    json_set_str(doc, "last", time_iso8601(arena, asking->at_s));
    return doc;
}

gh_err identity_denials(struct call *call, void *query, struct str *json)
{
    struct identity *identity = call->module;
    struct str name = uri_query_get(call->arena, *(const struct str *)query, "principal");
    struct entity principal = { .id = STR_NONE };
    struct askings askings;
    gh_err err = name.len ? principal_named(call, name, &principal) : NULL;
    if (!err)
        err = enforcement_write(identity, call->arena);
    if (!err)
        err = asking_denials(call->db, call->arena, call->account, principal.id, DENIALS_SHOWN + 1, &askings);
    if (err)
        return err;
    json_t *doc = json_own(call->arena, json_object()), *list = json_array();
    json_set_str(doc, "enforcement", enforcement_mode(identity));
    json_object_set_new(doc, "denials", list);
    for (size_t i = 0; i < askings.n && i < DENIALS_SHOWN; i++)
        json_array_append_new(list, denial(call->arena, &askings.items[i]));
    json_set_flag(doc, "more", askings.n > DENIALS_SHOWN);
    *json = json_print(call->arena, doc);
    return NULL;
}

/* ---- the least policy ---- */

struct names {
    struct str *items;
    size_t n;
};

/* A statement in the making: these actions on those resources. */
struct draft_statement {
    struct names actions, resources;
    struct str passed_to;
};

static struct names names_in(struct arena *arena, size_t most)
{
    return (struct names){ ARENA_ARRAY(arena, struct str, most + 1), 0 };
}

/* What stands in a policy for exactly this: wild cards and variables in it are plain characters. */
static struct str exactly(struct arena *arena, struct str resource)
{
    struct strbuf text = strbuf_in(arena, resource.len + 16);
    if (str_is(resource, "*"))
        return resource;
    for (size_t i = 0; i < resource.len; i++) {
        char c = resource.ptr[i];
        if (c == '*' || c == '?' || (c == '$' && i + 1 < resource.len && resource.ptr[i + 1] == '{'))
            strbuf_printf(&text, "${%c}", c);
        else
            strbuf_char(&text, c);
    }
    return strbuf_view(&text);
}

/* Everything up to the last part: "arn:…:function:" of "arn:…:function:f". Absent: there is no such thing. */
static struct str parent_of(struct str resource)
{
    ptrdiff_t slash = str_find_last(resource, '/'), colon = str_find_last(resource, ':');
    ptrdiff_t at = slash > colon ? slash : colon;
    int colons = 0;
    for (ptrdiff_t i = 0; i <= at; i++)
        colons += resource.ptr[i] == ':';
    return colons >= 5 && at > 0 ? str_sub(resource, 0, (size_t)at + 1) : STR_NONE;
}

/* Siblings become one pattern. */
static struct names widened(struct arena *arena, struct names resources)
{
    struct names out = names_in(arena, resources.n);
    for (size_t i = 0; i < resources.n; i++) {
        struct str parent = parent_of(resources.items[i]), resource = resources.items[i];
        size_t siblings = 0;
        bool known = false;
        for (size_t k = 0; parent.ptr && k < resources.n; k++)
            siblings += str_eq(parent_of(resources.items[k]), parent);
        if (siblings >= FEWEST_SIBLINGS)
            resource = str_concat(arena, parent, STR("*"));
        for (size_t k = 0; k < out.n; k++)
            known |= str_eq(out.items[k], resource);
        if (!known)
            out.items[out.n++] = resource;
    }
    return out;
}

static bool same_names(struct names a, struct names b)
{
    bool same = a.n == b.n;
    for (size_t i = 0; same && i < a.n; i++)
        same = str_eq(a.items[i], b.items[i]);
    return same;
}

static struct str vendor_of(struct str action)
{
    struct str vendor;
    str_split(&action, ':', &vendor);
    return vendor;
}

static bool is_needed(const struct asking *asking)
{
    return asking->allowed + asking->spared > 0;
}

/* Rows come by action and resource: one action's resources at a time; actions of a service that are asked for on
 * the same resources share a statement. */
static size_t group(struct arena *arena, const struct askings *askings, bool wildcards, struct draft_statement *out)
{
    size_t n = 0;
    bool *taken = arena_zalloc(arena, askings->n + 1);
    for (size_t i = 0; i < askings->n; i++) {
        const struct asking *first = &askings->items[i];
        if (taken[i] || !is_needed(first))
            continue;
        struct names resources = names_in(arena, askings->n - i);
        for (size_t k = i; k < askings->n; k++) {
            const struct asking *other = &askings->items[k];
            if (!str_eq(other->action, first->action) || !str_eq(other->passed_to, first->passed_to))
                continue;
            taken[k] = true;
            if (is_needed(other))
                resources.items[resources.n++] = exactly(arena, other->resource);
        }
        if (wildcards)
            resources = widened(arena, resources);
        size_t at = 0;
        while (at < n && !(same_names(out[at].resources, resources) && str_eq(out[at].passed_to, first->passed_to) &&
                           str_eq(vendor_of(out[at].actions.items[0]), vendor_of(first->action))))
            at++;
        if (at == n)
            out[n++] = (struct draft_statement){ names_in(arena, askings->n), resources, first->passed_to };
        out[at].actions.items[out[at].actions.n++] = first->action;
    }
    return n;
}

static json_t *one_or_list(struct names names)
{
    if (names.n == 1)
        return json_of(names.items[0]);
    json_t *list = json_array();
    for (size_t i = 0; i < names.n; i++)
        json_array_append_new(list, json_of(names.items[i]));
    return list;
}

/* "CognitoIdp2" */
static struct str sid_of(struct arena *arena, struct str vendor, size_t number)
{
    struct strbuf text = strbuf_in(arena, vendor.len + 8);
    bool upper = true;
    for (size_t i = 0; i < vendor.len; i++) {
        char c = vendor.ptr[i];
        if (c >= 'a' && c <= 'z')
            strbuf_char(&text, upper ? (char)(c - 'a' + 'A') : c);
        upper = c < 'a' || c > 'z';
    }
    strbuf_printf(&text, "%zu", number);
    return strbuf_view(&text);
}

static json_t *statement_of(struct arena *arena, const struct draft_statement *draft, size_t number)
{
    json_t *doc = json_object();
    json_set_str(doc, "Sid", sid_of(arena, vendor_of(draft->actions.items[0]), number));
    json_set_str(doc, "Effect", STR("Allow"));
    json_object_set_new(doc, "Action", one_or_list(draft->actions));
    json_object_set_new(doc, "Resource", one_or_list(draft->resources));
    if (draft->passed_to.len) {
        json_t *equals = json_object(), *condition = json_object();
        json_set_str(equals, "iam:PassedToService", draft->passed_to);
        json_object_set_new(condition, "StringEquals", equals);
        json_object_set_new(doc, "Condition", condition);
    }
    return doc;
}

/* What this policy alone does not open. */
static void add_notes(struct arena *arena, const struct askings *askings, struct str document, json_t *notes)
{
    for (size_t i = 0; i < askings->n; i++) {
        const struct asking *asking = &askings->items[i];
        bool other_layer = asking->reason.len && !str_starts(asking->reason, STR("no identity-based policy"));
        if (asking->spared && other_layer)
            json_array_append_new(notes, json_of(str_printf(arena, "%.*s on %.*s: %.*s; allowing it here does not lift that",
                                                            STR_FMT(asking->action), STR_FMT(asking->resource),
                                                            STR_FMT(asking->reason))));
    }
    if (askings->n >= USES_KEPT)
        json_array_append_new(notes, json_of(str_printf(arena, "only the latest %d kinds of use are known", USES_KEPT)));
    if (policy_size(document) > MANAGED_SIZE)
        json_array_append_new(notes, json_of(STR("larger than a managed policy may be (6,144 characters): split it, or ask for "
                                                 "wild cards")));
}

gh_err identity_suggest(struct call *call, void *query, struct str *json)
{
    const struct str asked = *(const struct str *)query;
    struct entity principal;
    struct askings askings;
    gh_err err = principal_named(call, uri_query_get(call->arena, asked, "principal"), &principal);
    if (!err)
        err = enforcement_write(call->module, call->arena);
    if (!err)
        err = asking_list(call->db, call->arena, principal.id, &askings);
    if (err)
        return err;
    struct draft_statement *drafts = ARENA_ARRAY(call->arena, struct draft_statement, askings.n + 1);
    bool wildcards = str_is(uri_query_get(call->arena, asked, "wildcards"), "true");
    size_t n = group(call->arena, &askings, wildcards, drafts);
    json_t *policy = json_object(), *statements = json_array(), *notes = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(statements, statement_of(call->arena, &drafts[i], i + 1));
    json_set_str(policy, "Version", STR("2012-10-17"));
    json_object_set_new(policy, "Statement", statements);
    add_notes(call->arena, &askings, json_print(call->arena, policy), notes);
    json_t *doc = json_own(call->arena, json_object());
    json_set_str(doc, "principal", principal.arn);
    json_object_set_new(doc, "policy", policy);
    json_set_i64(doc, "uses", (int64_t)askings.n);
    json_set_flag(doc, "complete", askings.n < USES_KEPT);
    json_object_set_new(doc, "notes", notes);
    *json = json_print(call->arena, doc);
    return NULL;
}
