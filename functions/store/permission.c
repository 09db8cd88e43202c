#include "functions/store/permission.h"

static const char find[] =
    "SELECT revision, doc FROM function_policies WHERE account = $1 AND region = $2 AND name = $3 AND qualifier = $4";
static const char save[] =
    "INSERT INTO function_policies (account, region, name, qualifier, revision, doc) VALUES ($1, $2, $3, $4, $5, $6) "
    "ON CONFLICT (account, region, name, qualifier) DO UPDATE SET revision = $5, doc = $6";
static const char drop[] =
    "DELETE FROM function_policies WHERE account = $1 AND region = $2 AND name = $3 AND qualifier = $4";

gh_err permission_find(struct db *db, struct tx *tx, struct arena *arena, const struct function_id *id,
                       struct str qualifier, struct permission_row *out, bool *found)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, find, "ssss", id->account, id->region, id->name, qualifier);
    *found = rows_next(&rows);
    if (*found)
        *out = (struct permission_row){ rows_str(&rows, 0), rows_str(&rows, 1) };
    return rows_close(&rows);
}

struct str permission_document(struct arena *arena, struct str statements)
{
    return str_printf(arena, "{\"Version\":\"2012-10-17\",\"Id\":\"default\",\"Statement\":%.*s}", STR_FMT(statements));
}

void permission_save(struct tx *tx, const struct function_id *id, struct str qualifier,
                     const struct permission_row *row)
{
    tx_run(tx, save, "ssssss", id->account, id->region, id->name, qualifier, row->revision, row->statements);
}

void permission_delete(struct tx *tx, const struct function_id *id, struct str qualifier)
{
    tx_run(tx, drop, "ssss", id->account, id->region, id->name, qualifier);
}
