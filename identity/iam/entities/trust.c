/* Trust policies mean the users and roles that were there when they were written. */
#include "identity/iam/iam.h"

/* The lines of role->named without that of the principal, or with its ARN of now. */
static struct str named_without(struct arena *arena, struct str named, struct str id, struct str now)
{
    struct strbuf buf = strbuf_in(arena, named.len + now.len + 1);
    struct str line;
    while (str_split(&named, '\n', &line)) {
        struct str its = line, arn;
        str_split(&its, ' ', &arn);
        if (!line.len || (str_eq(its, id) && !now.ptr))
            continue;
        strbuf_printf(&buf, "%.*s %.*s\n", STR_FMT(str_eq(its, id) ? now : arn), STR_FMT(its));
    }
    return strbuf_view(&buf);
}

gh_err iam_trust_follows(struct call *call, struct tx *tx, struct str id, struct str arn, struct str now)
{
    struct entity_list roles;
    gh_err err = entity_trusting(call->db, tx, call->arena, call->account, id, &roles);
    for (size_t i = 0; !err && i < roles.n; i++) {
        struct entity *role = &roles.items[i];
        role->trust = policy_rename_principal(call->arena, role->trust, arn, now.ptr ? now : id);
        role->named = named_without(call->arena, role->named, id, now);
        entity_update(tx, role);
    }
    return err;
}
