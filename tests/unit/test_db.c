#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/db.h"
#include "core/seal.h"

static const struct migration steps[] = {
    { "test", 1, "CREATE TABLE users (pool TEXT, name TEXT, n BIGINT, PRIMARY KEY (pool, name));" },
    { "test", 2, "CREATE INDEX users_n ON users (n);" },
};

struct world {
    struct arena *arena;
    char path[64];
    struct db *db;
};

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct str why;
    int code;
    world->arena = arena_new(4096);
    snprintf(world->path, sizeof world->path, "/tmp/gh_test_db_XXXXXX");
    close(mkstemp(world->path));
    world->db = db_open(world->path, world->arena, &why, &code);
    assert_non_null(world->db);
    assert_true(db_migrate(world->db, steps, 2, world->arena, &why, &code));
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    char name[96];
    db_close(world->db);
    unlink(world->path);
    snprintf(name, sizeof name, "%s-wal", world->path);
    unlink(name);
    snprintf(name, sizeof name, "%s-shm", world->path);
    unlink(name);
    arena_free(world->arena);
    free(world);
    return 0;
}

static int64_t count(struct world *world)
{
    struct rows rows;
    rows_open(&rows, world->db, NULL, world->arena, "SELECT COUNT(*) FROM users", "");
    assert_true(rows_next(&rows));
    int64_t n = rows_i64(&rows, 0);
    assert_null(rows_close(&rows));
    return n;
}

static gh_err add(struct world *world, const char *name)
{
    return db_run(world->db, world->arena, "INSERT INTO users (pool, name, n) VALUES ('p', $1, 1)", "s", str_of(name));
}

static void placeholders_bind_by_name_in_any_order(void **state)
{
    struct world *world = *state;
    struct rows rows;
    rows_open(&rows, world->db, NULL, world->arena, "SELECT $2, $1, $3", "ssn", STR("one"), STR("two"));
    assert_true(rows_next(&rows));
    assert_true(str_is(rows_str(&rows, 0), "two"));
    assert_true(str_is(rows_str(&rows, 1), "one"));
    assert_null(rows_str(&rows, 2).ptr);
    assert_null(rows_close(&rows));
}

static void a_transaction_sees_its_own_writes_and_others_do_not_until_commit(void **state)
{
    struct world *world = *state;
    struct tx tx;
    struct str name;
    tx_begin(&tx, world->db, world->arena);
    tx_run(&tx, "INSERT INTO users (pool, name, n) VALUES ($1, $2, $3)", "ssi", STR("p"), STR("ann"), (int64_t)1);
    assert_int_equal(tx.changes, 1);
    assert_null(db_find(world->db, &tx, world->arena, &name, "SELECT name FROM users", ""));
    assert_true(str_is(name, "ann"));
    assert_int_equal(count(world), 0);
    assert_null(tx_commit(&tx));
    assert_int_equal(count(world), 1);
}

static void an_error_sticks_and_undoes_its_transaction_only(void **state)
{
    struct world *world = *state;
    struct tx tx;
    assert_null(add(world, "bob"));
    tx_begin(&tx, world->db, world->arena);
    tx_run(&tx, "INSERT INTO users (pool, name, n) VALUES ('p', 'cid', 1)", "");
    tx_run(&tx, "INSERT INTO users (pool, name, n) VALUES ('p', 'bob', 1)", ""); /* taken */
    assert_non_null(tx.err);
    assert_non_null(tx_commit(&tx));
    assert_int_equal(count(world), 1);
    assert_null(add(world, "cid"));
    assert_int_equal(count(world), 2);
}

static void rollback_after_commit_does_nothing(void **state)
{
    struct world *world = *state;
    struct tx tx;
    tx_begin(&tx, world->db, world->arena);
    tx_run(&tx, "INSERT INTO users (pool, name, n) VALUES ('p', 'dan', 1)", "");
    assert_null(tx_commit(&tx));
    tx_rollback(&tx);
    assert_int_equal(count(world), 1);
}

enum { THREADS = 8, EACH = 50 };

static void *insert_many(void *ptr)
{
    struct world *world = ptr;
    struct arena *arena = arena_new(4096);
    for (int i = 0; i < EACH; i++) {
        struct tx tx;
        tx_begin(&tx, world->db, arena);
        tx_run(&tx, "INSERT INTO users (pool, name, n) VALUES ($1, $2, $3)", "ssi",
               str_printf(arena, "%lu", (unsigned long)pthread_self()), str_printf(arena, "u%d", i), (int64_t)i);
        if (i % 5 == 4)
            tx_rollback(&tx); /* must not take its neighbours in the batch along */
        else if (tx_commit(&tx))
            break;
    }
    arena_free(arena);
    return NULL;
}

static void threads_share_commits_and_lose_nothing(void **state)
{
    struct world *world = *state;
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, insert_many, world);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(count(world), THREADS * EACH * 4 / 5);
    assert_true(str_is(db_check(world->db, world->arena), "ok"));
}

static void a_full_disk_refuses_the_write_and_serves_reads(void **state)
{
    struct world *world = *state;
    struct rlimit before, small;
    assert_null(add(world, "eve"));
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 4096; /* the log may not grow any more */
    setrlimit(RLIMIT_FSIZE, &small);
    struct str blob = { arena_zalloc(world->arena, 100000), 100000 };
    memset((char *)blob.ptr, 'x', blob.len);
    gh_err err = db_run(world->db, world->arena, "INSERT INTO users (pool, name, n) VALUES ($1, 'big', 1)", "s", blob);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_non_null(err);
    assert_ptr_equal(err->kind, &GH_UNAVAILABLE);
    assert_int_equal(count(world), 1);
    assert_null(add(world, "fay"));
    assert_int_equal(count(world), 2);
}

static void migrations_run_once_and_know_a_newer_and_an_edited_schema(void **state)
{
    struct world *world = *state;
    struct migration edited[] = { steps[0], steps[1] };
    struct str why;
    int code;
    edited[1].sql = "CREATE INDEX users_n ON users (n, name);";
    assert_true(db_migrate(world->db, steps, 2, world->arena, &why, &code));
    assert_false(db_migrate(world->db, edited, 2, world->arena, &why, &code));
    assert_true(str_find_str(why, STR("differs")) > 0);
    assert_false(db_migrate(world->db, steps, 1, world->arena, &why, &code));
    assert_int_equal(code, 2);
    assert_true(str_find_str(why, STR("newer Gatehouse")) > 0);
}

static void a_file_that_is_no_database_is_damaged(void **state)
{
    (void)state;
    char path[] = "/tmp/gh_test_db_XXXXXX";
    struct arena *arena = arena_new(4096);
    struct str why;
    int code, fd = mkstemp(path);
    for (int i = 0; i < 200; i++)
        assert_int_equal(write(fd, "this is not a database at all. ", 31), 31);
    close(fd);
    assert_null(db_open(path, arena, &why, &code));
    assert_int_equal(code, 3);
    unlink(path);
    arena_free(arena);
}

static void a_sealed_value_opens_only_in_its_place(void **state)
{
    (void)state;
    char folder[] = "/tmp/gh_test_seal_XXXXXX";
    struct arena *arena = arena_new(4096);
    struct env env;
    struct str why, plain;
    env_system(&env);
    assert_non_null(mkdtemp(folder));
    const char *path = str_printf(arena, "%s/key", folder).ptr;
    assert_null(sealer_open(path, false, &env, arena, &why));
    struct sealer *sealer = sealer_open(path, true, &env, arena, &why);
    assert_non_null(sealer);
    struct str sealed = seal(sealer, arena, STR("pool/a"), STR("secret"));
    assert_true(unseal(sealer, arena, STR("pool/a"), sealed, &plain));
    assert_true(str_is(plain, "secret"));
    assert_false(unseal(sealer, arena, STR("pool/b"), sealed, &plain));
    for (size_t i = 3; i < sealed.len; i++) {
        char *bent = (char *)str_copy(arena, sealed).ptr;
        bent[i] = bent[i] == 'A' ? 'B' : 'A';
        assert_false(unseal(sealer, arena, STR("pool/a"), (struct str){ bent, sealed.len }, &plain));
    }
    sealer_free(sealer);
    sealer = sealer_open(path, false, &env, arena, &why); /* the key survives a restart */
    assert_true(unseal(sealer, arena, STR("pool/a"), sealed, &plain));
    sealer_free(sealer);
    unlink(path);
    rmdir(folder);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(placeholders_bind_by_name_in_any_order, setup, teardown),
        cmocka_unit_test_setup_teardown(a_transaction_sees_its_own_writes_and_others_do_not_until_commit, setup, teardown),
        cmocka_unit_test_setup_teardown(an_error_sticks_and_undoes_its_transaction_only, setup, teardown),
        cmocka_unit_test_setup_teardown(rollback_after_commit_does_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(threads_share_commits_and_lose_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_refuses_the_write_and_serves_reads, setup, teardown),
        cmocka_unit_test_setup_teardown(migrations_run_once_and_know_a_newer_and_an_edited_schema, setup, teardown),
        cmocka_unit_test(a_file_that_is_no_database_is_damaged),
        cmocka_unit_test(a_sealed_value_opens_only_in_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
