/* Who is behind an access key, from memory: long-term keys, sessions, roots, and what a change does. */
#include "tests/support/identity_fixture.h"

#include <pthread.h>
#include <stdatomic.h>

#include "identity/iam/resource.h"
#include "identity/key_id.h"
#include "identity/access/principals.h"
#include "identity/store/access_key.h"
#include "identity/store/iam_entity.h"
#include "identity/store/iam_policy.h"
#include "identity/sts/session.h"

#define ACCOUNT STR("123456789012")
static struct identity_fixture f;
static struct str key_id; /* ann's */

static struct entity entity_named(enum entity_kind kind, const char *name, const char *id)
{
    return (struct entity){ .kind = kind, .account = ACCOUNT, .name = str_of(name), .path = STR("/"), .id = str_of(id),
                            .max_session_s = 3600 };
}

static void commit(struct tx *tx)
{
    if (tx_commit(tx))
        fail_msg("not stored");
}

static int setup(void **state)
{
    (void)state;
    fixture_new(&f);
    struct entity ann = entity_named(ENTITY_USER, "ann", "AIDAANN"), role = entity_named(ENTITY_ROLE, "r", "AROAR");
    key_id = key_id_new(&f.env, f.sealer, f.arena, "AKIA", ACCOUNT);
    struct access_key key = { .id = key_id, .account = ACCOUNT, .owner = ann.id, .secret = STR("ann's secret"),
                              .status = STR("Active") };
    struct tx tx;
    tx_begin(&tx, f.db, f.arena);
    entity_insert(&tx, &ann);
    entity_insert(&tx, &role);
    access_key_insert(&tx, f.sealer, &key);
    inline_put(&tx, ann.id, STR("p"), STR("{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":"
                                          "\"a:Read\",\"Resource\":\"*\"}}"));
    commit(&tx);
    principals_reload(f.identity, f.arena, ann.id);
    principals_reload(f.identity, f.arena, role.id);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_end(&f);
    return 0;
}

static enum credential_verdict look_up(struct str id, struct str token, struct credential *out)
{
    return identity_credential(f.identity, f.arena, id, token, env_now_s(&f.env), out);
}

static void key_ids_carry_account_and_check(void **state)
{
    (void)state;
    struct str account;
    assert_true(key_id_account(f.arena, key_id, &account) && str_eq(account, ACCOUNT));
    assert_true(key_id_is_ours(f.sealer, key_id));
    struct str forged = str_copy(f.arena, key_id);
    ((char *)(uintptr_t)forged.ptr)[19] = forged.ptr[19] == 'A' ? 'B' : 'A';
    assert_false(key_id_is_ours(f.sealer, forged));
    assert_false(key_id_is_ours(f.sealer, STR("AKIAIOSFODNN7EXAMPLE")));
    assert_false(key_id_account(f.arena, STR("AKIA1"), &account));
}

static void set_status(const char *status)
{
    struct tx tx;
    tx_begin(&tx, f.db, f.arena);
    access_key_set_status(&tx, key_id, str_of(status));
    commit(&tx);
    principals_reload(f.identity, f.arena, STR("AIDAANN"));
}

static void a_long_term_key(void **state)
{
    (void)state;
    struct credential who;
    assert_int_equal(look_up(key_id, STR_NONE, &who), CREDENTIAL_OK);
    assert_true(str_is(who.secret, "ann's secret") && str_is(who.principal.arn, "arn:aws:iam::123456789012:user/ann"));
    assert_int_equal(look_up(key_id, STR("token"), &who), CREDENTIAL_BAD_TOKEN);
    set_status("Inactive");
    assert_int_equal(look_up(key_id, STR_NONE, &who), CREDENTIAL_INACTIVE);
    set_status("Active");
    assert_int_equal(look_up(STR("AKIANOBODY"), STR_NONE, &who), CREDENTIAL_UNKNOWN);
    assert_int_equal(look_up(STR(""), STR_NONE, &who), CREDENTIAL_UNKNOWN);
    assert_int_equal(look_up(STR("123456789012"), STR_NONE, &who), CREDENTIAL_UNKNOWN); /* not in dev mode */
}

static void dev_mode_knows_roots_by_account(void **state)
{
    (void)state;
    struct credential who;
    f.identity->dev_root = true;
    assert_int_equal(look_up(STR("test"), STR_NONE, &who), CREDENTIAL_OK);
    assert_true(who.root && !who.secret.ptr && str_is(who.principal.arn, "arn:aws:iam::000000000000:root"));
    assert_int_equal(look_up(STR("210987654321"), STR("anything"), &who), CREDENTIAL_OK);
    assert_true(str_is(who.principal.account, "210987654321"));
    /* Issued here and gone: nobody, not root. */
    assert_int_equal(look_up(key_id_new(&f.env, f.sealer, f.arena, "AKIA", ACCOUNT), STR_NONE, &who), CREDENTIAL_UNKNOWN);
    assert_int_equal(look_up(key_id_new(&f.env, f.sealer, f.arena, "ASIA", ACCOUNT), STR_NONE, &who), CREDENTIAL_BAD_TOKEN);
    f.identity->dev_root = false;
}

/* All that a session is stands in its token: whoever has the key reads it, without a database. */
static void token_holds_the_session(void **state)
{
    (void)state;
    static const struct str values[] = { STR_INIT("shop"), STR_INIT("second") }, arns[] = { STR_INIT("arn:aws:iam::aws:policy/ReadOnlyAccess") };
    static const struct policy_key keys[] = { { STR_INIT("example.com:aud"), values, 2 } };
    static const struct tag tags[] = { { STR_INIT("Team"), STR_INIT("ops") } };
    static const struct str transitive[] = { STR_INIT("Team") };
    struct session made = { .kind = SESSION_ROLE, .account = ACCOUNT, .owner = STR("AROAR"), .name = STR("work"), .issued_s = 1000,
                            .expires_s = 1900, .mfa_s = 990, .parent = STR("AKIAX"), .policy = STR("{}"), .policy_arns = arns,
                            .n_policy_arns = 1, .tags = { 1, tags }, .transitive = transitive, .n_transitive = 1,
                            .source_identity = STR("ann"), .provider = STR("arn:p"), .keys = keys, .n_keys = 1,
                            .token_size = 3000 };
    struct session read;
    session_issue(&f.env, f.sealer, f.arena, &made);
    assert_true(made.token.len >= 3000 && made.token.len < 3100);
    assert_true(session_open(f.sealer, f.arena, made.key_id, made.token, &read));
    assert_true(read.kind == SESSION_ROLE && read.issued_s == 1000 && read.expires_s == 1900 && read.mfa_s == 990);
    assert_true(str_eq(read.secret, made.secret) && str_is(read.owner, "AROAR") && str_is(read.name, "work"));
    assert_true(str_is(read.parent, "AKIAX") && str_is(read.policy, "{}") && str_is(read.source_identity, "ann"));
    assert_true(read.n_policy_arns == 1 && str_eq(read.policy_arns[0], arns[0]) && str_is(read.provider, "arn:p"));
    assert_true(read.tags.n == 1 && str_is(read.tags.items[0].value, "ops") && read.n_transitive == 1);
    assert_true(read.n_keys == 1 && str_eq(read.keys[0].name, keys[0].name) && read.keys[0].n == 2 &&
                str_is(read.keys[0].values[1], "second"));
    struct session plain = { .kind = SESSION_USER, .account = ACCOUNT, .owner = STR("AIDAANN"), .issued_s = 1, .expires_s = 2 };
    session_issue(&f.env, f.sealer, f.arena, &plain);
    assert_true(session_open(f.sealer, f.arena, plain.key_id, plain.token, &read));
    assert_true(!read.mfa_s && !read.parent.ptr && !read.policy.ptr && !read.n_keys && !read.tags.n && !read.n_policy_arns);
    assert_false(session_open(f.sealer, f.arena, made.key_id, plain.token, &read));
}

static void sessions(void **state)
{
    (void)state;
    struct credential who;
    int64_t now_s = env_now_s(&f.env);
    struct session role = { .kind = SESSION_ROLE, .account = ACCOUNT, .owner = STR("AROAR"), .name = STR("work"),
                            .issued_s = now_s, .expires_s = now_s + 900 };
    struct str token = session_issue(&f.env, f.sealer, f.arena, &role);
    assert_int_equal(look_up(role.key_id, token, &who), CREDENTIAL_OK);
    assert_true(str_eq(who.secret, role.secret) && who.temporary);
    assert_true(str_is(who.principal.arn, "arn:aws:sts::123456789012:assumed-role/r/work"));
    assert_true(str_is(who.principal.id, "AROAR:work") && str_is(who.role_arn, "arn:aws:iam::123456789012:role/r"));

    struct session other = role;
    struct str foreign = session_issue(&f.env, f.sealer, f.arena, &other);
    const struct {
        const char *name;
        struct str id, token;
        enum credential_verdict verdict;
    } rows[] = {
        { "no token", role.key_id, STR_NONE, CREDENTIAL_BAD_TOKEN },
        { "empty token", role.key_id, STR(""), CREDENTIAL_BAD_TOKEN },
        { "another session's token", role.key_id, foreign, CREDENTIAL_BAD_TOKEN },
        { "token cut short", role.key_id, str_sub(token, 0, token.len - 1), CREDENTIAL_BAD_TOKEN },
        { "a long-term key with a token", key_id, token, CREDENTIAL_BAD_TOKEN },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (look_up(rows[i].id, rows[i].token, &who) != rows[i].verdict)
            fail_msg("%s", rows[i].name);

    assert_int_equal(identity_credential(f.identity, f.arena, role.key_id, token, now_s + 901, &who), CREDENTIAL_EXPIRED);
    struct session gone = role;
    gone.owner = STR("AROAGONE");
    token = session_issue(&f.env, f.sealer, f.arena, &gone);
    assert_int_equal(look_up(gone.key_id, token, &who), CREDENTIAL_UNKNOWN);
    struct session root = { .kind = SESSION_USER, .account = ACCOUNT, .owner = ACCOUNT, .issued_s = now_s,
                            .expires_s = now_s + 900 };
    token = session_issue(&f.env, f.sealer, f.arena, &root);
    assert_int_equal(look_up(root.key_id, token, &who), CREDENTIAL_UNKNOWN); /* outside dev mode this root has no key */
}

static bool may(const struct credential *who, const char *action)
{
    struct policy_request request = { .action = str_of(action), .resource = STR("*") };
    struct policy_decision decision;
    return identity_allows(f.identity, f.arena, who, &request, &decision);
}

static void what_they_may(void **state)
{
    (void)state;
    struct credential ann;
    int64_t now_s = env_now_s(&f.env);
    assert_int_equal(look_up(key_id, STR_NONE, &ann), CREDENTIAL_OK);
    assert_true(may(&ann, "a:Read"));
    assert_false(may(&ann, "a:Write"));
    assert_true(may(&ann, "sts:GetCallerIdentity"));

    struct session lent = { .kind = SESSION_USER, .account = ACCOUNT, .owner = STR("AIDAANN"), .issued_s = now_s,
                            .expires_s = now_s + 900 };
    struct session federated = { .kind = SESSION_FEDERATED, .account = ACCOUNT, .owner = STR("AIDAANN"),
                                 .name = STR("fed"), .issued_s = now_s, .expires_s = now_s + 900 };
    struct credential who;
    struct str token = session_issue(&f.env, f.sealer, f.arena, &lent);
    assert_int_equal(look_up(lent.key_id, token, &who), CREDENTIAL_OK);
    assert_true(may(&who, "a:Read"));
    token = session_issue(&f.env, f.sealer, f.arena, &federated);
    assert_int_equal(look_up(federated.key_id, token, &who), CREDENTIAL_OK);
    assert_false(may(&who, "a:Read")); /* no session policy was passed */
    assert_true(may(&who, "sts:GetCallerIdentity"));
}

/* Readers on loop threads never see half of a change; what they hold outlives it. */
static atomic_bool stop;

static atomic_int reads;

static void *reader(void *seen)
{
    while (!atomic_load(&stop)) {
        struct arena *arena = arena_new(4096);
        struct credential who;
        struct policy_request request = { .action = STR("a:Read"), .resource = STR("*") };
        struct policy_decision decision;
        bool allowed = identity_credential(f.identity, arena, key_id, STR_NONE, 0, &who) == CREDENTIAL_OK &&
                       identity_allows(f.identity, arena, &who, &request, &decision);
        ++((size_t *)seen)[allowed];
        atomic_fetch_add(&reads, 1);
        arena_free(arena);
    }
    return NULL;
}

static void readers_and_a_writer(void **state)
{
    (void)state;
    pthread_t threads[2];
    size_t seen[2][2] = { 0 }; /* refused, allowed */
    atomic_store(&stop, false);
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_create(&threads[i], NULL, reader, seen[i]);
    for (int i = 0; i < 300 || atomic_load(&reads) < 10; i++) { /* until both sides have been at it */
        struct arena *arena = arena_new(4096);
        principals_reload(f.identity, arena, STR("AIDAANN"));
        arena_free(arena);
    }
    atomic_store(&stop, true);
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(seen[0][0] + seen[1][0], 0);
    assert_true(seen[0][1] + seen[1][1] > 0);
}

static void they_are_there_after_a_restart(void **state)
{
    (void)state;
    char id[32];
    snprintf(id, sizeof id, "%.*s", STR_FMT(key_id));
    fixture_close(&f);
    fixture_open(&f);
    struct credential ann;
    assert_int_equal(look_up(str_of(id), STR_NONE, &ann), CREDENTIAL_OK);
    assert_true(may(&ann, "a:Read"));
    key_id = str_copy(f.arena, str_of(id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_ids_carry_account_and_check),
        cmocka_unit_test(a_long_term_key),
        cmocka_unit_test(dev_mode_knows_roots_by_account),
        cmocka_unit_test(token_holds_the_session),
        cmocka_unit_test(sessions),
        cmocka_unit_test(what_they_may),
        cmocka_unit_test(readers_and_a_writer),
        cmocka_unit_test(they_are_there_after_a_restart),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
