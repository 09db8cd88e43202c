#include "identity/store/iam_entity.h"

#include "identity/store/iam_tags.h"

#define COLUMNS "account, kind, name, path, id, created_us, doc"

static const char *const kind_names[] = {
    [ENTITY_USER] = "user",     [ENTITY_GROUP] = "group",
    [ENTITY_ROLE] = "role",     [ENTITY_POLICY] = "policy",
    [ENTITY_PROFILE] = "instance-profile",
    [ENTITY_OIDC] = "oidc-provider",
    [ENTITY_SAML] = "saml-provider",
    [ENTITY_CERTIFICATE] = "server-certificate",
};

const char *entity_kind_name(enum entity_kind kind)
{
    return kind_names[kind];
}

static struct str kind_str(enum entity_kind kind)
{
    return str_of(kind_names[kind]);
}

struct str entity_arn(struct arena *arena, enum entity_kind kind, struct str account, struct str path,
                      struct str name)
{
    return str_printf(arena, "arn:aws:iam::%.*s:%s%.*s%.*s", STR_FMT(account), kind_names[kind], STR_FMT(path),
                      STR_FMT(name));
}

static struct str print_doc(struct arena *arena, const struct entity *entity)
{
    json_t *doc = json_own(arena, json_object());
    json_set_str(doc, "boundary", entity->boundary);
    json_set_str(doc, "description", entity->description);
    json_set_str(doc, "trust", entity->trust);
    json_set_str(doc, "named", entity->named);
    json_set_str(doc, "service", entity->service);
    if (entity->kind == ENTITY_ROLE)
        json_set_i64(doc, "maxSession", entity->max_session_s);
    if (entity->kind == ENTITY_POLICY) {
        json_set_i64(doc, "default", entity->default_version);
        json_set_i64(doc, "last", entity->last_version);
        json_set_i64(doc, "updated", entity->updated_us);
    }
    if (entity->tags.n)
        json_object_set_new(doc, "tags", iam_tags_json(&entity->tags));
    return json_print(arena, doc);
}

static void parse_doc(struct arena *arena, struct str text, struct entity *out)
{
    struct str why;
    const json_t *doc = json_parse(arena, text, &why);
    out->boundary = json_str(doc, "boundary");
    out->description = json_str(doc, "description");
    out->trust = json_str(doc, "trust");
    out->named = json_str(doc, "named");
    out->service = json_str(doc, "service");
    out->max_session_s = json_i64(doc, "maxSession", 3600);
    out->default_version = json_i64(doc, "default", 0);
    out->last_version = json_i64(doc, "last", 0);
    out->updated_us = json_i64(doc, "updated", 0);
    iam_tags_parse(arena, json_object_get(doc, "tags"), &out->tags);
}

static void read_row(struct rows *rows, struct arena *arena, struct entity *out)
{
    *out = (struct entity){ .account = rows_str(rows, 0), .name = rows_str(rows, 2), .path = rows_str(rows, 3),
                            .id = rows_str(rows, 4), .created_us = rows_i64(rows, 5) };
    struct str kind = rows_str(rows, 1);
    for (size_t i = 0; i < COUNT(kind_names); i++)
        if (str_is(kind, kind_names[i]))
            out->kind = (enum entity_kind)i;
    out->arn = entity_arn(arena, out->kind, out->account, out->path, out->name);
    parse_doc(arena, rows_str(rows, 6), out);
}

static gh_err read_one(struct rows *rows, struct arena *arena, struct entity *out, bool *found)
{
    *found = rows_next(rows);
    if (*found)
        read_row(rows, arena, out);
    return rows_close(rows);
}

static gh_err read_all(struct rows *rows, struct arena *arena, struct entity_list *out)
{
    size_t cap = 16;
    *out = (struct entity_list){ .items = ARENA_ARRAY(arena, struct entity, cap) };
    while (rows_next(rows)) {
        if (out->n == cap) {
            struct entity *more = ARENA_ARRAY(arena, struct entity, cap * 2);
            memcpy(more, out->items, cap * sizeof *more);
            out->items = more;
            cap *= 2;
        }
        read_row(rows, arena, &out->items[out->n++]);
    }
    return rows_close(rows);
}

gh_err entity_load(struct db *db, struct tx *tx, struct arena *arena, struct str account, enum entity_kind kind,
                   struct str name, struct entity *out, bool *found)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena,
              "SELECT " COLUMNS " FROM iam_entity WHERE account = $1 AND kind = $2 AND name_key = $3 AND name = $4",
              "ssss", account, kind_str(kind), str_lower(arena, name), name);
    return read_one(&rows, arena, out, found);
}

gh_err entity_load_id(struct db *db, struct tx *tx, struct arena *arena, struct str id, struct entity *out,
                      bool *found)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, "SELECT " COLUMNS " FROM iam_entity WHERE id = $1", "s", id);
    return read_one(&rows, arena, out, found);
}

gh_err entity_principal(struct db *db, struct tx *tx, struct arena *arena, struct str account, struct str arn,
                        struct entity *out, bool *found)
{
    static const enum entity_kind kinds[] = { ENTITY_USER, ENTITY_ROLE };
    struct str name = str_from(arn, (size_t)(str_find_last(arn, '/') + 1));
    gh_err err = NULL;
    *found = false;
    for (size_t i = 0; !err && !*found && i < COUNT(kinds); i++) {
        err = entity_load(db, tx, arena, account, kinds[i], name, out, found);
        *found = !err && *found && str_eq(out->arn, arn);
    }
    return err;
}

gh_err entity_taken(struct db *db, struct tx *tx, struct arena *arena, struct str account, enum entity_kind kind,
                    struct str name, bool *taken)
{
    struct str id;
    gh_err err = db_find(db, tx, arena, &id,
                         "SELECT id FROM iam_entity WHERE account = $1 AND kind = $2 AND name_key = $3", "sss",
                         account, kind_str(kind), str_lower(arena, name));
    *taken = id.ptr != NULL;
    return err;
}

gh_err entity_list(struct db *db, struct arena *arena, struct str account, enum entity_kind kind, struct str prefix,
                   struct str after, int64_t limit, struct entity_list *out)
{
    struct rows rows;
    struct str below = prefix.ptr ? prefix : STR("/");
    rows_open(&rows, db, NULL, arena,
              "SELECT " COLUMNS " FROM iam_entity WHERE account = $1 AND kind = $2 AND name_key > $3 "
              "AND substr(path, 1, $4) = $5 ORDER BY name_key LIMIT $6",
              "sssisi", account, kind_str(kind), after.ptr ? str_lower(arena, after) : STR(""), (int64_t)below.len,
              below, limit);
    return read_all(&rows, arena, out);
}

gh_err entity_count(struct db *db, struct tx *tx, struct arena *arena, struct str account, enum entity_kind kind,
                    int64_t *out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, "SELECT COUNT(*) FROM iam_entity WHERE account = $1 AND kind = $2", "ss",
              account, kind_str(kind));
    *out = rows_next(&rows) ? rows_i64(&rows, 0) : 0;
    return rows_close(&rows);
}

gh_err entity_members(struct db *db, struct tx *tx, struct arena *arena, struct str parent, struct entity_list *out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena,
              "SELECT " COLUMNS " FROM iam_entity WHERE id IN (SELECT member FROM iam_member WHERE parent = $1) "
              "ORDER BY name_key",
              "s", parent);
    return read_all(&rows, arena, out);
}

gh_err entity_parents(struct db *db, struct tx *tx, struct arena *arena, struct str member, enum entity_kind kind,
                      struct entity_list *out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena,
              "SELECT " COLUMNS " FROM iam_entity WHERE kind = $1 AND id IN "
              "(SELECT parent FROM iam_member WHERE member = $2) ORDER BY name_key",
              "ss", kind_str(kind), member);
    return read_all(&rows, arena, out);
}

gh_err entity_trusting(struct db *db, struct tx *tx, struct arena *arena, struct str account, struct str id,
                       struct entity_list *out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena,
              "SELECT " COLUMNS " FROM iam_entity WHERE account = $1 AND kind = 'role' AND doc LIKE $2 ORDER BY name_key",
              "ss", account, str_printf(arena, "%% %.*s%%", STR_FMT(id))); /* the end of a line of `named` */
    return read_all(&rows, arena, out);
}

gh_err entity_ties(struct db *db, struct tx *tx, struct arena *arena, struct str id, struct entity_ties *out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena,
              "SELECT (SELECT COUNT(*) FROM iam_attachment WHERE owner = $1 AND kind <> 'boundary'), "
              "(SELECT COUNT(*) FROM iam_inline_policy WHERE owner = $1), "
              "(SELECT COUNT(*) FROM iam_access_key WHERE owner = $1), "
              "(SELECT COUNT(*) FROM iam_login_profile WHERE owner = $1), "
              "(SELECT COUNT(*) FROM iam_mfa_device WHERE owner = $1), "
              "(SELECT COUNT(*) FROM iam_ssh_key WHERE owner = $1) + "
              "(SELECT COUNT(*) FROM iam_signing_certificate WHERE owner = $1), "
              "(SELECT COUNT(*) FROM iam_service_credential WHERE owner = $1), "
              "(SELECT COUNT(*) FROM iam_member WHERE member = $1), "
              "(SELECT COUNT(*) FROM iam_member WHERE parent = $1)",
              "s", id);
    bool any = rows_next(&rows);
    bool *const flags[] = { &out->attached,    &out->inline_policies, &out->access_keys,
                            &out->login_profile, &out->mfa_devices,   &out->public_keys,
                            &out->service_credentials, &out->member,  &out->members };
    for (size_t i = 0; i < COUNT(flags); i++)
        *flags[i] = any && rows_i64(&rows, (int)i) > 0;
    return rows_close(&rows);
}

void entity_insert(struct tx *tx, const struct entity *entity)
{
    tx_run(tx,
           "INSERT INTO iam_entity (account, kind, name_key, name, path, id, created_us, doc) "
           "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
           "ssssssis", entity->account, kind_str(entity->kind), str_lower(tx->arena, entity->name), entity->name,
           entity->path, entity->id, entity->created_us, print_doc(tx->arena, entity));
}

void entity_update(struct tx *tx, const struct entity *entity)
{
    tx_run(tx, "UPDATE iam_entity SET name_key = $1, name = $2, path = $3, doc = $4 WHERE id = $5", "sssss",
           str_lower(tx->arena, entity->name), entity->name, entity->path, print_doc(tx->arena, entity), entity->id);
}

void entity_delete(struct tx *tx, struct str id)
{
    static const char *const statements[] = {
        "DELETE FROM iam_entity WHERE id = $1",
        "DELETE FROM iam_inline_policy WHERE owner = $1",
        "DELETE FROM iam_attachment WHERE owner = $1",
        "DELETE FROM iam_policy_version WHERE policy = $1",
        "DELETE FROM iam_member WHERE parent = $1",
        "DELETE FROM iam_member WHERE member = $1",
        "DELETE FROM iam_access_key WHERE owner = $1",
        "DELETE FROM iam_service_credential WHERE owner = $1",
        "DELETE FROM iam_provider WHERE id = $1",
        "DELETE FROM iam_provider_key WHERE provider = $1",
        "DELETE FROM iam_last_access WHERE owner = $1",
        "DELETE FROM iam_login_profile WHERE owner = $1",
        "DELETE FROM iam_ssh_key WHERE owner = $1",
        "DELETE FROM iam_signing_certificate WHERE owner = $1",
        "DELETE FROM iam_server_certificate WHERE id = $1",
    };
    for (size_t i = 0; i < COUNT(statements); i++)
        tx_run(tx, statements[i], "s", id);
}

void entity_add_member(struct tx *tx, struct str parent, struct str member)
{
    tx_run(tx, "INSERT INTO iam_member (parent, member) VALUES ($1, $2) ON CONFLICT DO NOTHING", "ss", parent,
           member);
}

void entity_remove_member(struct tx *tx, struct str parent, struct str member)
{
    tx_run(tx, "DELETE FROM iam_member WHERE parent = $1 AND member = $2", "ss", parent, member);
}

gh_err account_get(struct db *db, struct arena *arena, struct str account, struct str name, struct str *doc)
{
    return account_get_in(db, NULL, arena, account, name, doc);
}

gh_err account_get_in(struct db *db, struct tx *tx, struct arena *arena, struct str account, struct str name,
                      struct str *doc)
{
    return db_find(db, tx, arena, doc, "SELECT doc FROM iam_account WHERE account = $1 AND name = $2", "ss", account,
                   name);
}

gh_err account_holding(struct db *db, struct tx *tx, struct arena *arena, struct str name, struct str doc,
                       struct str *account)
{
    return db_find(db, tx, arena, account, "SELECT account FROM iam_account WHERE name = $1 AND doc = $2", "ss", name,
                   doc);
}

void account_put(struct tx *tx, struct str account, struct str name, struct str doc)
{
    tx_run(tx,
           "INSERT INTO iam_account (account, name, doc) VALUES ($1, $2, $3) "
           "ON CONFLICT (account, name) DO UPDATE SET doc = excluded.doc",
           "sss", account, name, doc);
}

void account_drop(struct tx *tx, struct str account, struct str name)
{
    tx_run(tx, "DELETE FROM iam_account WHERE account = $1 AND name = $2", "ss", account, name);
}
