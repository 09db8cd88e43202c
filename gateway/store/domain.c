#include "gateway/store/domain.h"

static const char DOMAIN_SELECT[] = "SELECT doc FROM domain_names WHERE name = $1 AND account = $2 AND region = $3";
static const char DOMAIN_NAMED[] = "SELECT doc FROM domain_names WHERE name = $1";
static const char DOMAIN_LIST[] = "SELECT doc FROM domain_names WHERE account = $1 AND region = $2 ORDER BY name";
static const char DOMAIN_ALL[] = "SELECT doc FROM domain_names ORDER BY name";
static const char DOMAIN_SAVE[] = "INSERT INTO domain_names (id, account, region, name, doc) VALUES ($1, $2, $3, $4, $5)"
                                  " ON CONFLICT (id) DO UPDATE SET doc = excluded.doc";
static const char *const DOMAIN_DELETES[] = {
    "DELETE FROM domain_mappings WHERE domain_id = $1",
    "DELETE FROM domain_rules WHERE domain_id = $1",
    "DELETE FROM domain_associations WHERE domain_id = $1",
    "DELETE FROM domain_names WHERE id = $1",
};
static const char *const DOMAIN_DELETES_OF[] = {
    "DELETE FROM domain_mappings WHERE domain_id IN (SELECT id FROM domain_names WHERE account = $1)",
    "DELETE FROM domain_rules WHERE domain_id IN (SELECT id FROM domain_names WHERE account = $1)",
    "DELETE FROM domain_associations WHERE account = $1",
    "DELETE FROM domain_names WHERE account = $1",
};

static const char MAPPING_SELECT[] = "SELECT doc FROM domain_mappings WHERE domain_id = $1 AND base_path = $2";
static const char MAPPING_LIST[] = "SELECT doc FROM domain_mappings WHERE domain_id = $1 ORDER BY base_path";
static const char MAPPING_SAVE[] =
    "INSERT INTO domain_mappings (domain_id, base_path, rest_api_id, doc) VALUES ($1, $2, $3, $4)"
    " ON CONFLICT (domain_id, base_path) DO UPDATE SET rest_api_id = excluded.rest_api_id, doc = excluded.doc";
static const char MAPPING_DELETE[] = "DELETE FROM domain_mappings WHERE domain_id = $1 AND base_path = $2";

static const char RULE_SELECT[] = "SELECT doc FROM domain_rules WHERE domain_id = $1 AND id = $2";
static const char RULE_LIST[] = "SELECT doc FROM domain_rules WHERE domain_id = $1 ORDER BY priority";
static const char RULE_SAVE[] =
    "INSERT INTO domain_rules (domain_id, id, priority, rest_api_id, doc) VALUES ($1, $2, $3, $4, $5)"
    " ON CONFLICT (domain_id, id) DO UPDATE SET priority = excluded.priority, rest_api_id = excluded.rest_api_id,"
    " doc = excluded.doc";
static const char RULE_DELETE[] = "DELETE FROM domain_rules WHERE domain_id = $1 AND id = $2";
static const char API_USES[] = "SELECT domain_id FROM domain_mappings WHERE rest_api_id = $1"
                               " UNION SELECT domain_id FROM domain_rules WHERE rest_api_id = $1";

static const char ASSOCIATION_SELECT[] = "SELECT doc FROM domain_associations WHERE arn = $1";
static const char ASSOCIATION_LIST[] =
    "SELECT doc FROM domain_associations WHERE account = $1 AND region = $2 ORDER BY arn";
static const char ASSOCIATION_OF[] = "SELECT doc FROM domain_associations WHERE domain_id = $1 ORDER BY arn";
static const char ASSOCIATION_SAVE[] =
    "INSERT INTO domain_associations (arn, account, region, domain_id, doc) VALUES ($1, $2, $3, $4, $5)"
    " ON CONFLICT (arn) DO UPDATE SET doc = excluded.doc";
static const char ASSOCIATION_DELETE[] = "DELETE FROM domain_associations WHERE arn = $1";

gh_err domain_load(struct db *db, struct tx *tx, struct arena *arena, struct str account, struct str region,
                   struct str name, json_t **out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, DOMAIN_SELECT, "sss", name, account, region);
    return doc_read(&rows, out);
}

gh_err domain_named(struct db *db, struct tx *tx, struct arena *arena, struct str name, json_t **out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, DOMAIN_NAMED, "s", name);
    return doc_read(&rows, out);
}

gh_err domain_list(struct db *db, struct tx *tx, struct arena *arena, struct str account, struct str region,
                   struct docs *out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, DOMAIN_LIST, "ss", account, region);
    return docs_read(&rows, out);
}

gh_err domain_list_all(struct db *db, struct arena *arena, struct docs *out)
{
    struct rows rows;
    rows_open(&rows, db, NULL, arena, DOMAIN_ALL, "");
    return docs_read(&rows, out);
}

void domain_save(struct tx *tx, const json_t *domain)
{
    tx_run(tx, DOMAIN_SAVE, "sssss", json_str(domain, "id"), json_str(domain, "account"), json_str(domain, "region"),
           json_str(domain, "domainName"), json_print(tx->arena, domain));
}

void domain_delete(struct tx *tx, struct str id)
{
    for (size_t i = 0; i < COUNT(DOMAIN_DELETES); i++)
        tx_run(tx, DOMAIN_DELETES[i], "s", id);
}

void domain_delete_all(struct tx *tx, struct str account)
{
    for (size_t i = 0; i < COUNT(DOMAIN_DELETES_OF); i++)
        tx_run(tx, DOMAIN_DELETES_OF[i], "s", account);
}

gh_err mapping_load(struct db *db, struct tx *tx, struct arena *arena, struct str domain_id, struct str base_path,
                    json_t **out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, MAPPING_SELECT, "ss", domain_id, base_path);
    return doc_read(&rows, out);
}

gh_err mapping_list(struct db *db, struct tx *tx, struct arena *arena, struct str domain_id, struct docs *out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, MAPPING_LIST, "s", domain_id);
    return docs_read(&rows, out);
}

void mapping_save(struct tx *tx, struct str domain_id, struct str base_path, const json_t *mapping)
{
    tx_run(tx, MAPPING_SAVE, "ssss", domain_id, base_path, json_str(mapping, "restApiId"),
           json_print(tx->arena, mapping));
}

void mapping_delete(struct tx *tx, struct str domain_id, struct str base_path)
{
    tx_run(tx, MAPPING_DELETE, "ss", domain_id, base_path);
}

gh_err rule_load(struct db *db, struct tx *tx, struct arena *arena, struct str domain_id, struct str id, json_t **out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, RULE_SELECT, "ss", domain_id, id);
    return doc_read(&rows, out);
}

gh_err rule_list(struct db *db, struct tx *tx, struct arena *arena, struct str domain_id, struct docs *out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, RULE_LIST, "s", domain_id);
    return docs_read(&rows, out);
}

void rule_save(struct tx *tx, struct str domain_id, struct str api_id, const json_t *rule)
{
    tx_run(tx, RULE_SAVE, "ssiss", domain_id, json_str(rule, "routingRuleId"), json_i64(rule, "priority", 0), api_id,
           json_print(tx->arena, rule));
}

void rule_delete(struct tx *tx, struct str domain_id, struct str id)
{
    tx_run(tx, RULE_DELETE, "ss", domain_id, id);
}

gh_err domain_uses_api(struct db *db, struct tx *tx, struct arena *arena, struct str api_id, bool *out)
{
    struct str found = STR_NONE;
    gh_err err = db_find(db, tx, arena, &found, API_USES, "s", api_id);
    *out = found.ptr != NULL;
    return err;
}

gh_err association_load(struct db *db, struct tx *tx, struct arena *arena, struct str arn, json_t **out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, ASSOCIATION_SELECT, "s", arn);
    return doc_read(&rows, out);
}

gh_err association_list(struct db *db, struct arena *arena, struct str account, struct str region, struct docs *out)
{
    struct rows rows;
    rows_open(&rows, db, NULL, arena, ASSOCIATION_LIST, "ss", account, region);
    return docs_read(&rows, out);
}

gh_err association_list_of(struct db *db, struct tx *tx, struct arena *arena, struct str domain_id, struct docs *out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, ASSOCIATION_OF, "s", domain_id);
    return docs_read(&rows, out);
}

void association_save(struct tx *tx, struct str account, struct str region, struct str domain_id, const json_t *doc)
{
    tx_run(tx, ASSOCIATION_SAVE, "sssss", json_str(doc, "domainNameAccessAssociationArn"), account, region, domain_id,
           json_print(tx->arena, doc));
}

void association_delete(struct tx *tx, struct str arn)
{
    tx_run(tx, ASSOCIATION_DELETE, "s", arn);
}
