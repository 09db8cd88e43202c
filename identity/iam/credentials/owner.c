#include "identity/iam/credentials/owner.h"

gh_err credential_owner(struct call *call, struct tx *tx, struct str user_name, struct credential_owner *out)
{
    struct entity user;
    if (call->principal->kind == PRINCIPAL_ROOT && (!user_name.ptr || str_eq(user_name, call->account))) {
        *out = (struct credential_owner){ .id = call->account, .root = true };
        return NULL;
    }
    gh_err err = iam_user_or_caller(call, tx, user_name, &user);
    if (!err)
        *out = (struct credential_owner){ .id = user.id, .name = user.name };
    return err;
}
