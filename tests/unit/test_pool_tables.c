#include "vectors.h"

#include <sqlite3.h>
#include <stdlib.h>

#include "core/embed.h"
#include "identity/store/pool_tables.h"

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct embedded_file *)a)->path, ((const struct embedded_file *)b)->path);
}

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
    for (size_t i = 0; i < n; i++)
        assert_int_equal(sqlite3_exec(db, files[i].bytes, NULL, NULL, NULL), SQLITE_OK);
    return db;
}

/* A table that a migration adds must be exported and deleted with its pool, or said to be left behind. */
static void every_table_of_pools_is_listed(void **state)
{
    (void)state;
    sqlite3 *db = empty();
    sqlite3_stmt *stmt;
    size_t n = 0;
    sqlite3_prepare_v2(db, "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'pool%'", -1, &stmt, NULL);
    for (; sqlite3_step(stmt) == SQLITE_ROW; n++) {
        const char *name = (const char *)sqlite3_column_text(stmt, 0);
        if (!pool_table_find(str_of(name)))
            fail_msg("%s is not in identity/store/pool_tables.c: give it a row there", name);
    }
    sqlite3_finalize(stmt);
    assert_int_equal(n, n_pool_tables);
    sqlite3_close(db);
}

static void every_column_is_listed(void **state)
{
    (void)state;
    sqlite3 *db = empty();
    for (size_t t = 0; t < n_pool_tables; t++) {
        const struct pool_table *table = &pool_tables[t];
        char sql[128];
        sqlite3_stmt *stmt;
        size_t columns = 0;
        snprintf(sql, sizeof sql, "PRAGMA table_info(%s)", table->name);
        sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
        for (; sqlite3_step(stmt) == SQLITE_ROW; columns++) {
            struct str is = str_of((const char *)sqlite3_column_text(stmt, 1)), name;
            bool number, found = false, integer = strcmp((const char *)sqlite3_column_text(stmt, 2), "BIGINT") == 0;
            for (size_t i = 0; !found && pool_table_column(table, i, &name, &number); i++)
                found = str_eq(name, is) && number == integer;
            if (!found)
                fail_msg("%s.%.*s is not in its row of identity/store/pool_tables.c, or of another type", table->name,
                         STR_FMT(is));
        }
        sqlite3_finalize(stmt);
        if (columns != pool_table_columns(table))
            fail_msg("%s has %zu columns, its row %zu", table->name, columns, pool_table_columns(table));
    }
    sqlite3_close(db);
}

static void rows_make_sense(void **state)
{
    (void)state;
    for (size_t t = 0; t < n_pool_tables; t++) {
        const struct pool_table *table = &pool_tables[t];
        struct str rest = str_of(table->keys), one;
        if ((table->carry == CARRY_NOT) != (table->why != NULL))
            fail_msg("%s: what stays behind says why", table->name);
        if (table->carry != CARRY_NOT && (!table->keys || !table->pool))
            fail_msg("%s: what is carried has a pool and keys", table->name);
        for (; rest.ptr && str_split(&rest, ' ', &one);) {
            char columns[1024];
            snprintf(columns, sizeof columns, " %s ", table->columns);
            char word[128];
            snprintf(word, sizeof word, " %.*s ", STR_FMT(one));
            if (!strstr(columns, word))
                fail_msg("%s: the key %.*s is no column of text", table->name, STR_FMT(one));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_table_of_pools_is_listed),
        cmocka_unit_test(every_column_is_listed),
        cmocka_unit_test(rows_make_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
