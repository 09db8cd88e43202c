/* What is said twice: statement ids, actions and resources that another one covers, whole statements. */
#include "core/glob.h"
#include "policy/lint/findings.h"

typedef bool covers(struct str pattern, struct str text); /* glob_match, with or without regard to case */

enum { MOST_COMPARED = 1000 }; /* each with each; a managed policy has no room for more */

static struct str text_at(const struct jt *list, uint32_t i)
{
    return jt_is(&list->items[i], JT_STRING) ? jt_text(&list->items[i]) : STR_NONE;
}

/* Of two that are equal, the second is the one too many. */
static bool is_covered(const struct jt *list, uint32_t i, covers *covered_by)
{
    struct str text = text_at(list, i);
    for (uint32_t k = 0; text.ptr && k < list->n; k++) {
        struct str other = text_at(list, k);
        if (k != i && other.ptr && covered_by(other, text) && (k < i || !covered_by(text, other)))
            return true;
    }
    return false;
}

static void redundant(struct lint *lint, const struct jt *statement, const char *element, covers *covered_by,
                      bool actions)
{
    const struct jt *list = jt_get(statement, str_of(element));
    lint_into(lint, str_of(element));
    for (uint32_t i = 0; jt_is(list, JT_ARRAY) && list->n <= MOST_COMPARED && i < list->n; i++) {
        if (!is_covered(list, i, covered_by))
            continue;
        lint_at(lint, i);
        if (actions)
            lint_found(lint, FINDING_SUGGESTION, "REDUNDANT_ACTION",
                       "The action(s) are redundant because they provide similar permissions. Update the "
                       "policy to remove the "
                       "redundant action such as: %.*s.",
                       STR_FMT(text_at(list, i)));
        else
            lint_found(lint, FINDING_SUGGESTION, "REDUNDANT_RESOURCE",
                       "The resource ARN(s) are redundant because they reference the same resource. Review "
                       "the use of "
                       "wildcards (*): %.*s",
                       STR_FMT(text_at(list, i)));
        lint_out(lint);
    }
    lint_out(lint);
}

static void statement_id(struct lint *lint, const struct jt *list, uint32_t i)
{
    struct str sid = jt_get_str(&list->items[i], "Sid");
    bool unique = lint->use != POLICY_RESOURCE;
    for (uint32_t k = 0; sid.len && k < i; k++) {
        if (!str_eq(jt_get_str(&list->items[k], "Sid"), sid))
            continue;
        lint_into(lint, STR("Sid"));
        lint_found(
            lint, unique ? FINDING_ERROR : FINDING_WARNING,
            unique ? "UNIQUE_SIDS_REQUIRED" : "UNIQUE_SIDS_RECOMMENDED",
            unique ? "Duplicate statement IDs are not supported for this policy type. Update the Sid value."
                   : "We recommend that you use statement IDs that are unique to your policy. Update the Sid "
                     "value.");
        lint_out(lint);
        return;
    }
}

static bool same_but_for_sid(const struct jt *a, const struct jt *b)
{
    size_t members = 0;
    for (uint32_t i = 0; jt_is(a, JT_OBJECT) && i < a->n; i++) {
        const struct jt_member *member = &a->object->members[i];
        int64_t steps = 10000;
        const struct jt *other = jt_get(b, member->name);
        if (str_is(member->name, "Sid"))
            continue;
        if (!other || !jt_equal(&member->value, other, &steps))
            return false;
        members++;
    }
    return members > 0 && jt_is(b, JT_OBJECT) && members == b->n - (jt_get(b, STR("Sid")) != NULL);
}

void lint_repetition(struct lint *lint, const struct jt *statements)
{
    uint32_t n = !jt_is(statements, JT_ARRAY) ? 1 : statements->n <= MOST_COMPARED ? statements->n : 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct jt *one = jt_is(statements, JT_ARRAY) ? &statements->items[i] : statements;
        if (jt_is(statements, JT_ARRAY))
            lint_at(lint, i);
        redundant(lint, one, "Action", glob_match_nocase, true);
        redundant(lint, one, "Resource", glob_match, false);
        if (jt_is(statements, JT_ARRAY)) {
            statement_id(lint, statements, i);
            for (uint32_t k = 0; k < i; k++)
                if (same_but_for_sid(&statements->items[k], one)) {
                    lint_found(lint, FINDING_SUGGESTION, "REDUNDANT_STATEMENT",
                               "The statements are redundant because they provide identical permissions. "
                               "Update the policy to "
                               "remove the redundant statement.");
                    break;
                }
            lint_out(lint);
        }
    }
}
