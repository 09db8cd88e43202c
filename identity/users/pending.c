/* Addresses that wait for their code: "keeps the original value until the user verifies the new one"
 * (AttributesRequireVerificationBeforeUpdate). They stand in user->more "pending": {"email": the new one}. */
#include "core/json.h"
#include "identity/users/user.h"

struct str user_pending(const struct user *user, const char *attribute)
{
    return json_str(json_object_get(user->more, "pending"), attribute);
}

void user_set_pending(struct user *user, const char *attribute, struct str value)
{
    json_t *pending = json_object_get(user->more, "pending");
    if (value.len && !pending) {
        pending = json_object();
        json_object_set_new(user->more, "pending", pending);
    }
    if (value.len)
        json_set_str(pending, attribute, value);
    else if (pending)
        json_object_del(pending, attribute);
    if (pending && !json_object_size(pending))
        json_object_del(user->more, "pending");
}

/* A user who has no such address yet has nothing to keep: the first one is set at once, unverified. */
bool pending_waits(const struct pool *pool, const struct user *user, const char *attribute, struct str value)
{
    const struct idp_UserAttributeUpdateSettingsType *settings = pool->doc->user_attribute_update_settings;
    struct str now = user_attribute(user, attribute);
    if (!settings || !value.len || !now.len || str_eq(now, value))
        return false;
    for (size_t i = 0; i < settings->attributes_require_verification_before_update.n; i++)
        if (str_is(settings->attributes_require_verification_before_update.items[i], attribute))
            return true;
    return false;
}
