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

static const char LINK_USES[] =
    "SELECT s.name, d.api, s.doc FROM rest_stages s JOIN rest_apis a ON a.id = s.api_id"
    " JOIN rest_deployments d ON d.api_id = s.api_id AND d.id = s.deployment_id"
    " WHERE a.account = $1 AND a.region = $2 AND instr(d.api, '\"VPC_LINK\"') > 0";

/* "vpcLinkId", or "${stageVariables.name}" with that value in the stage. */
static bool names_link(struct str connection, const json_t *stage, struct str id)
{
    struct str before = STR("${stageVariables.");
    if (!str_starts(connection, before) || !str_ends(connection, STR("}")))
        return str_eq(connection, id);
    struct str name = str_sub(connection, before.len, connection.len - before.len - 1);
    return str_eq(json_value_str(json_at(json_object_get(stage, "variables"), name)), id);
}

static void add_use(struct vpc_link_uses *uses, struct arena *arena, struct str method, struct str resource, struct str stage)
{
    const struct str row[] = { str_copy(arena, method), resource, stage };
    size_t bytes = uses->n * sizeof row;
    uses->found = arena_grow(arena, uses->found, bytes, bytes + sizeof row);
    memcpy(uses->found + 3 * uses->n++, row, sizeof row);
}

gh_err vpc_link_uses_open(struct vpc_link_uses *uses, struct db *db, struct tx *tx, struct arena *arena,
                          struct api_key link)
{
    struct rows rows;
    *uses = (struct vpc_link_uses){ 0 };
    rows_open(&rows, db, tx, arena, LINK_USES, "ss", link.account, link.region);
    while (rows_next(&rows)) {
        struct str name = rows_str(&rows, 0);
        json_t *api = json_parse(arena, rows_str(&rows, 1), NULL), *stage = json_parse(arena, rows_str(&rows, 2), NULL);
        json_t *resource, *method;
        const char *id, *verb;
        json_object_foreach(json_object_get(api, "resources"), id, resource)
            json_object_foreach(json_object_get(resource, "resourceMethods"), verb, method) {
                const json_t *one = json_object_get(method, "methodIntegration");
                if (str_is(json_str(one, "connectionType"), "VPC_LINK") &&
                    names_link(json_str(one, "connectionId"), stage, link.id))
                    add_use(uses, arena, str_of(verb), json_str(resource, "id"), name);
            }
    }
    return rows_close(&rows);
}

bool vpc_link_uses_next(struct vpc_link_uses *uses)
{
    if (uses->at == uses->n)
        return false;
    const struct str *row = uses->found + 3 * uses->at++;
    uses->method = row[0];
    uses->resource_id = row[1];
    uses->stage = row[2];
    return true;
}
