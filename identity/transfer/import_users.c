/* POST /_gatehouse/user-pools/{id}/import-users: users of other servers, a batch of records a request.
 *
 *   {"from": "keycloak", "parameters": {…}, "dryRun": true, "createGroups": false, "records": [[line, {…}], …]}
 *   -> {"created": 498, "same": 1, "ignored": {"locale": 12}, "problems": [{"line": 7, "username": "…", "why": "…"}]}
 * A batch is one transaction, which a dry run takes back. Who is there already and is the same counts as `same`, so
 * that an import that was broken off is begun again from the start. */
#include "identity/pools/errand.h"
#include "identity/pools/group.h"
#include "identity/signin/mfa.h"
#include "identity/store/group.h"
#include "identity/transfer/person.h"
#include "identity/users/user.h"

#include "core/json.h"
#include "wire/pattern.h"

enum { MOST_RECORDS = 1000 };

struct batch {
    struct call *call;
    struct pool pool;
    struct tx tx;
    const struct person_source *source;
    const json_t *parameters;
    bool create_groups;
    int64_t created, same;
    json_t *problems, *ignored;
};

static void problem(struct batch *batch, int64_t line, struct str username, struct str why)
{
    json_t *one = json_object();
    json_set_i64(one, "line", line);
    json_set_str(one, "username", username);
    json_set_str(one, "why", str_trim(why));
    json_array_append_new(batch->problems, one);
}

/* The first of the names that this pool takes. */
static struct str name_of(const struct batch *batch, const struct person *person)
{
    const struct pool *pool = &batch->pool;
    bool by_email = pool_signs_in_by(pool, "email"), by_phone = pool_signs_in_by(pool, "phone_number");
    for (size_t i = 0; i < COUNT(person->names) && person->names[i].ptr; i++) {
        struct str name = person->names[i];
        bool email = is_email(name), phone = is_phone_number(name);
        if (by_email || by_phone ? (by_email && email) || (by_phone && phone)
                                 : !(email && pool_has_alias(pool, "email")) && !(phone && pool_has_alias(pool, "phone_number")))
            return name;
    }
    return person->names[0];
}

static struct idp_AttributeListType list_of(struct call *call, const json_t *attributes)
{
    struct idp_AttributeListType list = { .set = true,
                                          .items = ARENA_ARRAY(call->arena, struct idp_AttributeType *, json_object_size(attributes)) };
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)attributes, name, value) {
        list.items[list.n] = ARENA_NEW(call->arena, struct idp_AttributeType);
        *list.items[list.n++] = (struct idp_AttributeType){ str_of(name), json_value_str(value) };
    }
    return list;
}

/* What the person has, the user has too; a password that was renewed since is the person's still. */
static bool is_same(const struct person *person, const struct user *user)
{
    const char *name;
    json_t *value;
    json_object_foreach(person->attributes, name, value)
        if (!str_eq(json_value_str(value), json_str(user->attributes, name)))
            return false;
    return !person->sub.ptr || str_eq(person->sub, user->sub);
}

static void take_over(struct call *call, const struct pool *pool, const struct person *person, struct user *user)
{
    if (person->sub.ptr) {
        user->sub = person->sub;
        if (pool_names_are_subs(pool))
            user->username = user->folded = person->sub;
    }
    user->enabled = person->enabled;
    user->password = person->password;
    user->password_us = person->password.ptr ? call->now_us : 0;
    user->status = person->status.ptr ? person->status : person->password.ptr ? CONFIRMED : RESET_REQUIRED;
    if (person->created_us > 0 && person->created_us < call->now_us)
        user->created_us = person->created_us;
    if (person->totp.len) {
        enum mfa_factor totp = MFA_TOTP;
        totp_give(call, user, person->totp);
        user_mfa_set(user, MFA_BIT(MFA_TOTP), &totp);
    }
}

/* What no operation could name must not come in by this door. */
static bool fits(const struct shape *shape, struct str text)
{
    size_t chars = 0;
    for (size_t i = 0; i < text.len; i++)
        chars += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    return chars >= 1 && (!shape->has_max || (int64_t)chars <= shape->max) &&
           (!shape->pattern || pattern_matches(shape->pattern, text));
}

static gh_err check_status(struct call *call, struct str status)
{
    const struct str known[] = { CONFIRMED, UNCONFIRMED, RESET_REQUIRED };
    for (size_t i = 0; i < COUNT(known); i++)
        if (!status.ptr || str_eq(status, known[i]))
            return NULL;
    return gh_fail(call->arena, &idp_InvalidParameterException, "status is one of CONFIRMED, UNCONFIRMED, RESET_REQUIRED");
}

static gh_err join_groups(struct batch *batch, const struct person *person, const struct user *user)
{
    struct call *call = batch->call;
    const json_t *one;
    size_t i;
    json_array_foreach(person->groups, i, one) {
        struct group_row row;
        struct str name = json_value_str(one);
        bool found = false;
        gh_err err = name.len ? store_group_find(call->db, &batch->tx, call->arena, batch->pool.id, name, &row, &found) : NULL;
        if (!err && !found && (!batch->create_groups || !fits(&idp_shape_GroupNameType, name)))
            err = gh_fail(call->arena, &idp_ResourceNotFoundException, "there is no group %.*s: make it, or ask for groups to be made",
                          STR_FMT(name.ptr ? name : STR("")));
        if (!err && !found)
            err = group_make(call, &batch->tx, &batch->pool, name);
        if (err)
            return err;
        store_member_put(&batch->tx, user->pool, name, user->sub);
    }
    return batch->tx.err;
}

/* The sub is free, so whatever is found under it after a refusal is what was inserted here. */
static gh_err insert(struct batch *batch, const struct person *person, struct user *user)
{
    struct user other;
    bool taken;
    gh_err err = store_user_find(batch->call->db, &batch->tx, batch->call->arena, user->pool, USER_BY_SUB, user->sub, &other,
                                 &taken);
    if (err)
        return err;
    if (taken)
        return gh_fail(batch->call->arena, &idp_UsernameExistsException, "the sub is another user's");
    err = user_insert(batch->call, &batch->tx, &batch->pool, user, false, "the name is another user's");
    if (!err)
        err = join_groups(batch, person, user);
    if (err && !batch->tx.err)
        store_user_delete(&batch->tx, user);
    return err;
}

/* NULL, or why the person does not come in; a fault of storage is in the transaction. */
static gh_err take(struct batch *batch, const struct person *person, struct str name)
{
    struct call *call = batch->call;
    struct user user;
    const struct idp_AttributeListType given = list_of(call, person->attributes);
    gh_err err = check_status(call, person->status);
    if (!err && !fits(&idp_shape_UsernameType, name))
        err = gh_fail(call->arena, &idp_InvalidParameterException, "this is no username as Cognito takes them");
    if (!err)
        err = user_new(call, &batch->pool, name, "is there already, and is not the same", &user);
    if (err && err->kind == &idp_UsernameExistsException && is_same(person, &user)) {
        batch->same++;
        return NULL;
    }
    if (!err)
        err = attributes_set(call, &batch->pool, NULL, &user, &given, WRITER_ADMIN_CREATE);
    if (!err)
        err = attributes_check_required(call, &batch->pool, &user);
    if (err)
        return err;
    take_over(call, &batch->pool, person, &user);
    err = insert(batch, person, &user);
    batch->created += !err;
    return err;
}

static void count_ignored(struct batch *batch, const json_t *names)
{
    const json_t *one;
    size_t i;
    json_array_foreach(names, i, one)
        if (json_object_size(batch->ignored) < 100 || json_object_get(batch->ignored, json_string_value(one)))
            json_set_i64(batch->ignored, json_string_value(one), json_i64(batch->ignored, json_string_value(one), 0) + 1);
}

static gh_err take_all(struct batch *batch, const json_t *records)
{
    const json_t *pair;
    size_t i;
    json_array_foreach(records, i, pair) {
        struct person person;
        struct str why;
        int64_t line = json_integer_value(json_array_get(pair, 0));
        if (!person_read(batch->call, &batch->pool, batch->source, batch->parameters, json_array_get(pair, 1), &person, &why)) {
            problem(batch, line, person.names[0], why);
            continue;
        }
        struct str name = name_of(batch, &person);
        gh_err err = take(batch, &person, name);
        if (batch->tx.err)
            return batch->tx.err;
        if (err && err->kind->server_fault)
            return err;
        if (err)
            problem(batch, line, name, err->message);
        else
            count_ignored(batch, person.ignored);
    }
    return NULL;
}

static gh_err bad(struct call *call, const char *text)
{
    return gh_fail(call->arena, &idp_InvalidParameterException, "%s", text);
}

gh_err pool_import_users(struct call *call, void *ctx, struct str *json)
{
    const struct pool_errand *errand = ctx;
    const json_t *body = json_parse(call->arena, *errand->body, NULL), *records = json_object_get(body, "records");
    struct batch batch = { .call = call, .parameters = json_object_get(body, "parameters"),
                           .create_groups = json_flag(body, "createGroups", false),
                           .problems = json_own(call->arena, json_array()), .ignored = json_own(call->arena, json_object()) };
    bool dry = json_flag(body, "dryRun", false);
    gh_err err = pool_load(call, errand->pool_id, &batch.pool);
    if (err)
        return err;
    batch.source = person_source_find(json_str(body, "from").ptr ? json_str(body, "from") : STR(""));
    if (!batch.source)
        return bad(call, "from is one of jsonl, keycloak, auth0, firebase, cognito.");
    if (!json_is_array(records) || json_array_size(records) > MOST_RECORDS)
        return bad(call, "records is an array of at most 1000 pairs [line, {…}].");
    tx_begin(&batch.tx, call->db, call->arena);
    err = take_all(&batch, records);
    if (err || dry)
        tx_rollback(&batch.tx);
    else
        err = tx_commit(&batch.tx);
    if (err)
        return err;
    json_t *answer = json_own(call->arena, json_object());
    json_set_i64(answer, "created", batch.created);
    json_set_i64(answer, "same", batch.same);
    json_set_flag(answer, "dryRun", dry);
    json_object_set(answer, "ignored", batch.ignored);
    json_object_set(answer, "problems", batch.problems);
    *json = json_print(call->arena, answer);
    return NULL;
}
