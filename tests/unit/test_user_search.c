#include "vectors.h"

#include <sqlite3.h>
#include <stdlib.h>

#include "core/embed.h"
#include "identity/store/user_search.h"

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct embedded_file *)a)->path, ((const struct embedded_file *)b)->path);
}

/* A database with identity's tables and nothing in them. */
static sqlite3 *empty(void)
{
    struct embedded_file files[128];
    size_t n = 0;
    sqlite3 *db;
    for (const struct embedded_file *file = embedded_migrations; file->path; file++)
        if (str_starts(str_of(file->path), STR("identity/store/")))
            files[n++] = *file;
    qsort(files, n, sizeof *files, by_path);
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    for (size_t i = 0; i < n; i++) {
        char *why = NULL;
        if (sqlite3_exec(db, files[i].bytes, NULL, NULL, &why) != SQLITE_OK)
            fail_msg("%s: %s", files[i].path, why);
    }
    return db;
}

/* "SEARCH u USING INDEX …" for every way of searching: no table is read from end to end, nothing is sorted. */
static void every_statement_goes_through_an_index(void **state)
{
    (void)state;
    sqlite3 *db = empty();
    size_t plans = 0;
    for (int by = 0; by < USER_INDEXES; by++) {
        for (int match = MATCH_ALL; match <= MATCH_BEGINS; match++) {
            const char *sql = store_users_sql((enum user_index)by, (enum user_match)match);
            char explain[4096];
            sqlite3_stmt *stmt;
            if (!sql)
                continue;
            snprintf(explain, sizeof explain, "EXPLAIN QUERY PLAN %s", sql);
            if (sqlite3_prepare_v2(db, explain, -1, &stmt, NULL) != SQLITE_OK)
                fail_msg("%s: %s", sqlite3_errmsg(db), sql);
            while (sqlite3_step(stmt) == SQLITE_ROW) {
                const char *step = (const char *)sqlite3_column_text(stmt, 3);
                if (strstr(step, "SEARCH") != step || !strstr(step, "INDEX"))
                    if (by != USERS_IN_GROUP || !strstr(step, "ORDER BY")) /* a group's members are sorted */
                        fail_msg("%s\n%s", step, sql);
                plans++;
            }
            sqlite3_finalize(stmt);
        }
    }
    assert_true(plans > 20);
    sqlite3_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_statement_goes_through_an_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
