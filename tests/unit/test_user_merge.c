/* Two who read a user, change something and save, one after the other. */
#include "tests/support/identity_fixture.h"

#include "identity/users/merge.h"

static struct identity_fixture fixture;

static int setup(void **state)
{
    (void)state;
    fixture_new(&fixture);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_end(&fixture);
    return 0;
}

static struct user load(struct call *call)
{
    struct user user;
    bool found;
    assert_null(
        store_user_find(call->db, NULL, call->arena, STR("p"), USER_BY_NAME, STR("ada"), &user, &found));
    assert_true(found);
    return user;
}

static void save(struct call *call, struct user *user)
{
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    assert_null(user_merge(call, &tx, user));
    store_user_update(&tx, user);
    assert_null(tx_commit(&tx));
}

static void both_have_their_way(void **state)
{
    (void)state;
    struct call call = {
        .arena = fixture.arena, .env = &fixture.env, .db = fixture.db, .sealer = fixture.sealer
    };
    const struct user fresh = {
        .pool = STR("p"),
        .folded = STR("ada"),
        .sub = STR("00000000-0000-4000-8000-000000000001"),
        .username = STR("ada"),
        .status = CONFIRMED,
        .enabled = true,
        .password = STR("$argon2id$old"),
        .attributes = json_parse(
            call.arena, STR("{\"email\":\"a@b.example\",\"name\":\"Ada\",\"nickname\":\"a\"}"), NULL),
        .more = json_parse(call.arena, STR("{\"mfa\":{\"preferred\":\"SMS_MFA\"},\"gone\":1}"), NULL),
    };
    struct tx tx;
    tx_begin(&tx, call.db, call.arena);
    store_user_insert(&tx, &fresh);
    assert_null(tx_commit(&tx));

    struct user mine = load(&call), theirs = load(&call);
    theirs.enabled = false;
    theirs.status = RESET_REQUIRED;
    json_set_str(theirs.attributes, "email", STR("new@b.example"));
    json_set_str(theirs.attributes, "locale", STR("de"));
    json_object_del(theirs.attributes, "nickname");
    json_set_i64(theirs.more, "devices", 2);
    json_object_del(theirs.more, "gone");
    mine.password = STR("$argon2id$new");
    mine.password_us = 7;
    json_set_str(mine.attributes, "name", STR("Ada L."));
    json_set_str(mine.attributes, "zoneinfo", STR("UTC"));
    json_object_set_new(mine.more, "mfa", json_pack("{s:s}", "preferred", "SOFTWARE_TOKEN_MFA"));
    save(&call, &theirs);
    save(&call, &mine);

    struct user now = load(&call);
    assert_false(now.enabled);
    assert_true(str_eq(now.status, RESET_REQUIRED));
    assert_true(str_is(now.password, "$argon2id$new"));
    assert_int_equal(now.password_us, 7);
    json_t *attributes = json_parse(
        call.arena,
        STR("{\"email\":\"new@b.example\",\"name\":\"Ada L.\",\"locale\":\"de\",\"zoneinfo\":\"UTC\"}"),
        NULL);
    json_t *more =
        json_parse(call.arena, STR("{\"mfa\":{\"preferred\":\"SOFTWARE_TOKEN_MFA\"},\"devices\":2}"), NULL);
    if (!json_equal(now.attributes, attributes))
        fail_msg("attributes: %s", json_print(call.arena, now.attributes).ptr);
    if (!json_equal(now.more, more))
        fail_msg("more: %s", json_print(call.arena, now.more).ptr);

    /* the same thing changed by both: the later one */
    struct user one = load(&call), other = load(&call);
    json_set_str(one.attributes, "name", STR("One"));
    json_set_str(other.attributes, "name", STR("Other"));
    save(&call, &one);
    save(&call, &other);
    assert_true(
        str_is(user_attribute(&(struct user){ .attributes = load(&call).attributes }, "name"), "Other"));

    /* who is gone is not made anew */
    struct user late = load(&call);
    tx_begin(&tx, call.db, call.arena);
    store_user_delete(&tx, &late);
    assert_null(tx_commit(&tx));
    tx_begin(&tx, call.db, call.arena);
    gh_err err = user_merge(&call, &tx, &late);
    assert_non_null(err);
    assert_ptr_equal(err->kind, &idp_UserNotFoundException);
    tx_rollback(&tx);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(both_have_their_way, setup,
                                                                        teardown) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
