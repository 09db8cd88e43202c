#include "identity/store/user_search.h"

/* $1 pool, $2 value, $3 end of the range (MATCH_BEGINS), $4 after_key, $5 after_value, $6 pattern of the document:
 * bound by name, and each statement has those it needs. */
#define TAIL    " AND ($6 IS NULL OR lower(u.doc) LIKE $6 ESCAPE '\\')"
#define FROM    "SELECT " USER_COLUMNS ", '' FROM pool_users u WHERE u.pool = $1"
#define IN_TURN TAIL " AND u.folded > $4 ORDER BY u.folded"
#define IS(column) FROM " AND u." column " = $2" IN_TURN
#define BEGINS(column)                                                                                       \
    "SELECT " USER_COLUMNS ", u." column " FROM pool_users u WHERE u.pool = $1 AND u." column " >= $2 AND u." column \
    " < $3 AND (u." column ", u.folded) > ($5, $4)" TAIL " ORDER BY u." column ", u.folded"
#define BOTH(column) { IS(column), BEGINS(column) }

static const char every[] = FROM IN_TURN;
static const struct {
    const char *is, *begins;
} statements[USER_INDEXES] = {
    [USERS_BY_KEY] = { IS("folded"),
                       "SELECT " USER_COLUMNS ", u.folded FROM pool_users u WHERE u.pool = $1 AND u.folded >= $2 AND"
                       " u.folded < $3 AND u.folded > $4" TAIL " ORDER BY u.folded" },
    [USERS_BY_SUB] = { IS("sub"),
                       "SELECT " USER_COLUMNS ", u.sub FROM pool_users u WHERE u.pool = $1 AND u.sub >= $2 AND"
                       " u.sub < $3 AND u.sub > $5 " TAIL " ORDER BY u.sub" },
    [USERS_BY_EMAIL] = BOTH("by_email"),
    [USERS_BY_PHONE_NUMBER] = BOTH("by_phone_number"),
    [USERS_BY_NAME] = BOTH("by_name"),
    [USERS_BY_GIVEN_NAME] = BOTH("by_given_name"),
    [USERS_BY_FAMILY_NAME] = BOTH("by_family_name"),
    [USERS_BY_PREFERRED_USERNAME] = BOTH("by_preferred_username"),
    [USERS_BY_STATUS] = BOTH("status"),
    [USERS_DISABLED] = { FROM " AND u.enabled = 0" IN_TURN, NULL },
    [USERS_IN_GROUP] = { "SELECT " USER_COLUMNS ", '' FROM pool_members m JOIN pool_users u ON u.pool = m.pool AND"
                         " u.sub = m.sub WHERE m.pool = $1 AND m.name = $2" IN_TURN, NULL },
};

const char *store_users_sql(enum user_index by, enum user_match match)
{
    return match == MATCH_ALL ? every : match == MATCH_IS ? statements[by].is : statements[by].begins;
}

bool user_index_has(enum user_index by, enum user_match match)
{
    return store_users_sql(by, match) != NULL;
}

/* "%50\%%": what LIKE takes for itself is escaped. */
static struct str pattern(struct arena *arena, struct str within)
{
    struct strbuf buf = strbuf_in(arena, within.len * 2 + 3);
    strbuf_char(&buf, '%');
    for (size_t i = 0; i < within.len; i++) {
        if (within.ptr[i] == '%' || within.ptr[i] == '_')
            strbuf_char(&buf, '\\');
        strbuf_char(&buf, within.ptr[i]);
    }
    strbuf_char(&buf, '%');
    return strbuf_view(&buf);
}

gh_err store_users_each(struct db *db, struct arena *arena, const struct user_query *q,
                        bool (*see)(void *ctx, struct arena *scratch, const struct user *user, struct str index_value),
                        void *ctx)
{
    enum { ROWS_BETWEEN_RESETS = 64 };
    struct arena *scratch = arena_new(64 * 1024);
    struct rows rows;
    bool more = true;
    rows_open(&rows, db, q->tx, scratch, store_users_sql(q->by, q->match), "ssssss", q->pool, q->value,
              str_concat(arena, q->value, STR("\xf4\x8f\xbf\xbf")), q->after_key.ptr ? q->after_key : STR(""),
              q->after_value.ptr ? q->after_value : STR(""), q->within.ptr ? pattern(arena, q->within) : STR_NONE);
    for (size_t n = 1; more && rows_next(&rows); n++) {
        const struct user user = store_user_of(&rows);
        more = see(ctx, scratch, &user, rows_str(&rows, USER_COLUMNS_N));
        if (n % ROWS_BETWEEN_RESETS == 0)
            arena_reset(scratch);
    }
    gh_err err = rows_close(&rows);
    if (err)
        err = gh_fail(arena, err->kind, "%.*s", STR_FMT(err->message));
    arena_free(scratch);
    return err;
}
