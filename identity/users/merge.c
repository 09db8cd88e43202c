#include "identity/users/merge.h"

#include "core/json.h"

/* For each name that stood in `read` or stands in `now`: mine if I changed it. */
static void merge_objects(json_t *mine, const json_t *read, json_t *now)
{
    const char *name;
    json_t *value;
    void *next;
    json_object_foreach_safe(mine, next, name, value) {
        if (!json_object_get(now, name) && json_equal(value, json_object_get(read, name)))
            json_object_del(mine, name);
    }
    json_object_foreach(now, name, value) {
        json_t *was = json_object_get(read, name), *own = json_object_get(mine, name);
        bool untouched = was ? own && json_equal(own, was) : !own;
        if (untouched)
            json_object_set(mine, name, value);
    }
}

static bool is_as_read(const struct user_read *now, const struct user_read *read)
{
    return str_eq(now->status, read->status) && now->enabled == read->enabled &&
           now->password_us == read->password_us && str_eq(now->salt, read->salt) &&
           str_eq(now->verifier, read->verifier) && str_eq(now->password, read->password) &&
           str_eq(now->doc, read->doc);
}

static void merge_str(struct str *mine, struct str read, struct str now)
{
    if (str_eq(*mine, read))
        *mine = now;
}

gh_err user_merge(struct call *call, struct tx *tx, struct user *user)
{
    const struct user_read *read = user->read;
    struct user now;
    bool found;
    if (!read)
        return NULL;
    gh_err err = store_user_find(call->db, tx, call->arena, user->pool, USER_BY_SUB, user->sub, &now, &found);
    if (err)
        return err;
    if (!found)
        return gh_fail(call->arena, &idp_UserNotFoundException, "User does not exist.");
    if (is_as_read(now.read, read))
        return NULL;
    json_t *doc = json_parse(call->arena, read->doc, NULL);
    merge_objects(user->attributes, json_object_get(doc, "attributes"), now.attributes);
    json_object_del(doc, "attributes");
    merge_objects(user->more, doc, now.more);
    merge_str(&user->status, read->status, now.status);
    merge_str(&user->salt, read->salt, now.salt);
    merge_str(&user->verifier, read->verifier, now.verifier);
    merge_str(&user->password, read->password, now.password);
    if (user->enabled == read->enabled)
        user->enabled = now.enabled;
    if (user->password_us == read->password_us)
        user->password_us = now.password_us;
    return NULL;
}
