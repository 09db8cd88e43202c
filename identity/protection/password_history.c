#include "identity/protection/password_history.h"

#include "core/json.h"
#include "identity/users/user.h"

static const char PART[] = "passwords";

static int64_t size_of(const struct pool *pool)
{
    return pool->doc->policies->password_policy->password_history_size.value;
}

gh_err password_history_check(struct call *call, const struct pool *pool, const struct user *user,
                              struct str password)
{
    struct user before = *user;
    int64_t n = size_of(pool);
    bool used = n > 0 && user_password_is(call, &before, password);
    const json_t *kept = json_object_get(user->more, PART);
    for (size_t i = 0; !used && (int64_t)i + 1 < n && i < json_array_size(kept); i++) {
        before.password = json_value_str(json_array_get(kept, i));
        used = user_password_is(call, &before, password);
    }
    if (!used)
        return NULL;
    return gh_fail(call->arena, &idp_PasswordHistoryPolicyViolationException,
                   "Password has been used before: it must not be one of the last %lld.", (long long)n);
}

void password_history_keep(struct call *call, const struct pool *pool, struct user *user)
{
    int64_t n = size_of(pool) - 1;
    const json_t *old = json_object_get(user->more, PART);
    json_t *kept = json_own(call->arena, json_array());
    if (n > 0 && user->password.ptr)
        json_array_append_new(kept, json_of(user->password));
    for (size_t i = 0; i < json_array_size(old) && (int64_t)json_array_size(kept) < n; i++)
        json_array_append(kept, json_array_get(old, i));
    if (json_array_size(kept))
        json_object_set(user->more, PART, kept);
    else if (old)
        json_object_del(user->more, PART);
}
