#include "gateway/store/vpc_link.h"

static const char LINK_SELECT[] = "SELECT doc FROM vpc_links WHERE id = $1 AND account = $2 AND region = $3";
static const char LINK_LIST[] = "SELECT doc FROM vpc_links WHERE account = $1 AND region = $2 ORDER BY id";
static const char LINK_SAVE[] = "INSERT INTO vpc_links (id, account, region, doc) VALUES ($1, $2, $3, $4)"
                                " ON CONFLICT (id) DO UPDATE SET doc = excluded.doc";
static const char LINK_DELETE_ALL[] = "DELETE FROM vpc_links WHERE account = $1";
static const char LINK_DELETE[] = "DELETE FROM vpc_links WHERE id = $1";

gh_err vpc_link_load(struct db *db, struct tx *tx, struct arena *arena, struct api_key key, json_t **out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, LINK_SELECT, "sss", key.id, key.account, key.region);
    return doc_read(&rows, out);
}

gh_err vpc_link_list(struct db *db, struct arena *arena, struct str account, struct str region,
                     struct docs *out)
{
    struct rows rows;
    rows_open(&rows, db, NULL, arena, LINK_LIST, "ss", account, region);
    return docs_read(&rows, out);
}

void vpc_link_save(struct tx *tx, struct api_key key, const json_t *link)
{
    tx_run(tx, LINK_SAVE, "ssss", key.id, key.account, key.region, json_print(tx->arena, link));
}

void vpc_link_delete(struct tx *tx, struct str id)
{
    tx_run(tx, LINK_DELETE, "s", id);
}

void vpc_link_delete_all(struct tx *tx, struct str account)
{
    tx_run(tx, LINK_DELETE_ALL, "s", account);
}
