#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/embed.h"
#include "identity/store/session.h"
#include "identity/tokens/activity.h"
#include "identity/tokens/agent.h"

struct world {
    struct arena *arena;
    char path[64];
    struct db *db;
};

static int by_number(const void *a, const void *b)
{
    return ((const struct migration *)a)->number - ((const struct migration *)b)->number;
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct migration steps[64];
    struct str why;
    int code;
    size_t n = 0;
    for (const struct embedded_file *file = embedded_migrations; file->path; file++)
        if (str_starts(str_of(file->path), STR("identity/store/")))
            steps[n++] =
                (struct migration){ "identity", atoi(file->path + strlen("identity/store/")), file->bytes };
    qsort(steps, n, sizeof *steps, by_number);
    world->arena = arena_new(4096);
    snprintf(world->path, sizeof world->path, "/tmp/gh_test_sessions_XXXXXX");
    close(mkstemp(world->path));
    world->db = db_open(world->path, world->arena, &why, &code);
    assert_non_null(world->db);
    assert_true(db_migrate(world->db, steps, n, world->arena, &why, &code));
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    static const char *const ends[] = { "", "-wal", "-shm" };
    db_close(world->db);
    for (size_t i = 0; i < COUNT(ends); i++)
        unlink(str_printf(world->arena, "%s%s", world->path, ends[i]).ptr);
    arena_free(world->arena);
    free(world);
    return 0;
}

static void keep(struct world *world, const char *mac, const char *origin, int64_t begun_s, int64_t expires_s)
{
    const struct session_row row = {
        .mac = str_of(mac),
        .pool = STR("p"),
        .client = STR("c"),
        .sub = STR("s"),
        .origin = str_of(origin),
        .event = STR("e"),
        .auth_s = begun_s,
        .expires_s = expires_s,
        .active_s = begun_s,
    };
    struct tx tx;
    tx_begin(&tx, world->db, world->arena);
    store_session_insert(&tx, &row);
    assert_null(tx_commit(&tx));
}

static bool is_there(struct world *world, const char *mac, struct session_row *row)
{
    bool found;
    assert_null(store_session_find(world->db, NULL, world->arena, str_of(mac), row, &found));
    return found;
}

/* One exchange a generation, whoever comes first; none once it is revoked. */
static void exchanged_once(void **state)
{
    struct world *world = *state;
    struct session_row row;
    keep(world, "m", "o", 1000, 9000);
    assert_true(is_there(world, "m", &row));
    static const struct {
        int64_t generation;
        bool wins;
    } rows[] = { { 0, true }, { 0, false }, { 1, true }, { 0, false }, { 3, false }, { 2, true } };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tx tx;
        row.generation = rows[i].generation;
        tx_begin(&tx, world->db, world->arena);
        store_session_rotate(&tx, &row, STR("[1]"), STR("{}"), 1000);
        if ((tx.changes == 1) != rows[i].wins)
            fail_msg("row %zu", i);
        assert_null(tx_commit(&tx));
    }
    assert_true(is_there(world, "m", &row));
    assert_int_equal(row.generation, 3);
    assert_int_equal(row.expires_s, 9000); /* "same remaining lifetime" */
    assert_int_equal(db_run(world->db, world->arena, "UPDATE pool_sessions SET revoked = 1", "") == NULL, 1);
    struct tx tx;
    tx_begin(&tx, world->db, world->arena);
    store_session_rotate(&tx, &row, STR("[1]"), STR("{}"), 1000);
    assert_int_equal(tx.changes, 0);
    tx_rollback(&tx);
}

/* Those used least recently are surplus; the revoked and the expired are not counted. */
static void surplus_is_the_least_recently_used(void **state)
{
    struct world *world = *state;
    struct str *origins;
    size_t n;
    keep(world, "m1", "o1", 100, 9000);
    keep(world, "m2", "o2", 200, 9000);
    keep(world, "m3", "o3", 300, 9000);
    keep(world, "gone", "o0", 400, 450);
    struct tx tx;
    tx_begin(&tx, world->db, world->arena);
    store_session_seen(&tx, STR("m1"), STR("{}"), 500);
    store_session_seen(&tx, STR("m1"), STR("{}"), 150); /* an older note changes nothing */
    static const struct {
        int64_t keep;
        const char *origins[3];
    } rows[] = { { 3, { NULL } }, { 2, { "o2" } }, { 1, { "o3", "o2" } }, { 0, { "o1", "o3", "o2" } } };
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_null(
            store_session_surplus(&tx, world->arena, STR("p"), STR("s"), 600, rows[i].keep, &origins, &n));
        for (size_t j = 0; j < 3; j++)
            if ((j < n) != (rows[i].origins[j] != NULL) || (j < n && !str_is(origins[j], rows[i].origins[j])))
                fail_msg("keep %d, %zu", (int)rows[i].keep, j);
    }
    tx_rollback(&tx);
}

/* A few at a time, the oldest first, and nothing that is still good. */
static void the_expired_are_forgotten(void **state)
{
    struct world *world = *state;
    struct session_row row;
    char name[16];
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "m%02d", i);
        keep(world, name, name, 1, 100 + i);
    }
    keep(world, "good", "good", 1, 9000);
    for (int round = 1; round <= 4; round++) {
        struct tx tx;
        tx_begin(&tx, world->db, world->arena);
        store_session_sweep(&tx, 1000);
        assert_int_equal(tx.changes, round < 3 ? 16 : round == 3 ? 8 : 0);
        assert_null(tx_commit(&tx));
    }
    assert_true(is_there(world, "good", &row));
    assert_false(is_there(world, "m39", &row));
}

static int64_t active(struct world *world, const char *mac)
{
    struct session_row row;
    assert_true(is_there(world, mac, &row));
    return row.active_s;
}

/* In memory until a minute has passed, or somebody wants to know. */
static void use_is_written_together(void **state)
{
    struct world *world = *state;
    struct activity *activity = activity_open();
    keep(world, "m1", "o1", 100, 9000);
    keep(world, "m2", "o2", 100, 9000);
    assert_false(activity_note(activity, STR("m1"), STR("{\"ip\":\"::1\"}"), 200));
    assert_false(activity_note(activity, STR("m1"), STR("{\"ip\":\"::2\"}"), 259));
    assert_int_equal(active(world, "m1"), 100);
    assert_true(activity_note(activity, STR("m2"), STR("{}"), 260));
    assert_null(activity_settle(activity, world->db, world->arena));
    assert_int_equal(active(world, "m1"), 259);
    assert_int_equal(active(world, "m2"), 260);
    assert_false(activity_note(activity, STR("m2"), STR("{}"), 300));
    activity_close(activity, world->db);
    assert_int_equal(active(world, "m2"), 300);
}

static void agents_by_name(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *agent, *name;
    } rows[] = {
        { "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 "
          "Safari/537.36",
          "Chrome on Windows" },
        { "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 "
          "Safari/537.36 Edg/126.0.0.0",
          "Edge on Windows" },
        { "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
          "Version/17.5 Mobile/15E148 Safari/604.1",
          "Safari on iPhone" },
        { "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 "
          "Mobile Safari/537.36",
          "Chrome on Android" },
        { "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox on Linux" },
        { "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5)", "macOS" },
        { "Mozilla/5.0", "unknown" },
        { "aws-sdk-js/3.967.0 ua/2.1", "aws-sdk-js" },
        { "curl/8.5.0", "curl" },
        { "<script>", "<script>" }, /* as it was sent: who shows it escapes it */
        { "", "unknown" },
        { "\xff\xfe", "unknown" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str name = agent_name(world->arena, str_of(rows[i].agent));
        if (!str_is(name, rows[i].name))
            fail_msg("%s: %.*s", rows[i].agent, STR_FMT(name));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(exchanged_once, setup, teardown),
        cmocka_unit_test_setup_teardown(surplus_is_the_least_recently_used, setup, teardown),
        cmocka_unit_test_setup_teardown(the_expired_are_forgotten, setup, teardown),
        cmocka_unit_test_setup_teardown(use_is_written_together, setup, teardown),
        cmocka_unit_test_setup_teardown(agents_by_name, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
