/* An identity over a data folder of its own, with user pools whose keys the test may use. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "core/base64.h"
#include "core/db.h"
#include "core/embed.h"
#include "core/json.h"
#include "core/jwt.h"
#include "core/seal.h"
#include "identity/tokens/directory.h"
#include "identity/tokens/revocation.h"

struct identity_fixture {
    char folder[64];
    struct arena *arena;
    struct env env;
    struct db *db;
    struct sealer *sealer;
    struct identity *identity;
};

static inline void fixture_open(struct identity_fixture *f)
{
    struct str why = STR("");
    int code;
    f->arena = arena_new(64 * 1024);
    env_system(&f->env);
    f->db = db_open(str_printf(f->arena, "%s/db", f->folder).ptr, f->arena, &why, &code);
    f->sealer = sealer_open(str_printf(f->arena, "%s/key", f->folder).ptr, true, &f->env, f->arena, &why);
    if (!f->db || !f->sealer)
        fail_msg("%s", why.ptr);
    struct migration steps[64];
    size_t n = 0;
    for (size_t i = 0; embedded_migrations[i].path && n < COUNT(steps); i++) {
        struct str path = str_of(embedded_migrations[i].path);
        if (str_starts(path, STR("identity/store/")))
            steps[n++] = (struct migration){ "identity", atoi(path.ptr + strlen("identity/store/")),
                                             embedded_migrations[i].bytes };
    }
    if (!db_migrate(f->db, steps, n, f->arena, &why, &code))
        fail_msg("%s", why.ptr);
    const struct identity_config config = {
        .env = &f->env,
        .db = f->db,
        .sealer = f->sealer,
        .base_url = STR("http://127.0.0.1:4566"),
        .partition = STR("aws"),
        .region = STR("us-east-1"),
        .default_account = STR("000000000000"),
    };
    f->identity = identity_open(&config, f->arena, &why);
    if (!f->identity)
        fail_msg("%s", why.ptr);
}

static inline void fixture_close(struct identity_fixture *f)
{
    identity_close(f->identity);
    sealer_free(f->sealer);
    db_close(f->db);
    arena_free(f->arena);
}

static inline void fixture_new(struct identity_fixture *f)
{
    strcpy(f->folder, "/tmp/gatehouse-identity-XXXXXX");
    if (!mkdtemp(f->folder))
        fail_msg("no folder");
    fixture_open(f);
}

static inline void fixture_end(struct identity_fixture *f)
{
    char command[128];
    fixture_close(f);
    snprintf(command, sizeof command, "rm -r %s", f->folder);
    if (system(command) != 0)
        fail_msg("%s stays", f->folder);
}

/* A pool with keys of its own, as CreateUserPool leaves it, without the rest. */
static inline const struct listed_pool *fixture_pool(struct identity_fixture *f, struct str id)
{
    struct stored_key keys[KEY_USES];
    if (!key_stock_take(f->identity->pools->stock, f->arena, keys))
        fail_msg("no keys");
    struct tx tx;
    tx_begin(&tx, f->db, f->arena);
    tx_run(&tx, "INSERT INTO pools (id, account, region, created_us, doc) VALUES ($1, $2, $3, 0, '{}')",
           "sss", id, STR("000000000000"), STR("us-east-1"));
    for (int use = 0; use < KEY_USES; use++)
        store_key_put(&tx, &keys[use], id, key_use_name((enum key_use)use));
    if (tx_commit(&tx))
        fail_msg("no pool");
    pool_directory_add(f->identity->pools, id, STR("000000000000"), STR("us-east-1"), keys);
    return pool_directory_find(f->identity->pools, f->arena, id);
}

/* Any header and payload, signed by the key. */
static inline struct str fixture_sign(struct arena *arena, const struct key *key, struct str header,
                                      struct str payload)
{
    struct str input =
        str_printf(arena, "%s.%s", base64url_encode(arena, header).ptr, base64url_encode(arena, payload).ptr);
    return str_printf(arena, "%s.%s", input.ptr,
                      base64url_encode(arena, key_sign_rs256(arena, key, input)).ptr);
}
