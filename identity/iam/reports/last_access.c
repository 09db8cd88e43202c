#include "identity/iam/reports/last_access.h"

#include <stdlib.h>

#include "core/tally.h"
#include "identity/store/last_access.h"

enum {
    WRITTEN_EVERY_S = 5,
    MOST_PENDING = 4096,
    TRACKED_S = 400 * 24 * 3600, /* "IAM reports activity for at least the last 400 days" */
};

/* One principal's action, or one key. */
struct use {
    struct accessed access;
    struct str key_id; /* of a key's row; else absent */
};
/* It waits to be written. */
struct pending {
    struct use use; /* views into bytes[] */
    char bytes[];
};

struct last_access {
    struct identity *identity;
    struct tally *uses; /* "owner service:Action" or a key id -> struct pending */
};

/* ---- noting ---- */

static struct str add(char **at, struct str text)
{
    memcpy(*at, text.ptr, text.len);
    struct str copy = { *at, text.len };
    *at += text.len;
    return copy;
}

static struct pending *pending_new(const struct use *from)
{
    const struct accessed *access = &from->access;
    const struct str parts[] = { access->owner, access->service, access->action, access->region,
                                 from->key_id };
    size_t total = 0;
    for (size_t i = 0; i < COUNT(parts); i++)
        total += parts[i].len;
    struct pending *row = calloc(1, sizeof *row + total);
    if (!row)
        abort();
    char *at = row->bytes;
    row->use.access = (struct accessed){ add(&at, access->owner), add(&at, access->service),
                                         add(&at, access->action), add(&at, access->region), access->at_s };
    row->use.key_id = from->key_id.ptr ? add(&at, from->key_id) : STR_NONE;
    return row;
}

static void *merge(void *row, const void *note)
{
    struct pending *had = row;
    const struct use *one = note;
    if (!had || !str_eq(had->use.access.region, one->access.region) ||
        !str_eq(had->use.access.service, one->access.service))
        return pending_new(one);
    had->use.access.at_s = one->access.at_s;
    return had;
}

void last_access_note(struct identity *identity, struct str owner, struct str key_id, struct str region,
                      struct str action, int64_t now_s)
{
    char text[512];
    struct str service, name = action;
    struct last_access *access = identity->last_access;
    if (!access || !owner.len || !str_split(&name, ':', &service) || !name.len ||
        owner.len + action.len + 1 > sizeof text)
        return;
    memcpy(text, owner.ptr, owner.len);
    text[owner.len] = ' ';
    memcpy(text + owner.len + 1, action.ptr, action.len);
    struct use one = { { owner, service, name, region, now_s }, STR_NONE };
    tally_note(access->uses, (struct str){ text, owner.len + 1 + action.len }, &one);
    if (str_starts(key_id, STR("AKIA"))) {
        one.access.action = STR("");
        one.key_id = key_id;
        tally_note(access->uses, key_id, &one);
    }
}

/* ---- writing ---- */

static void put(struct tx *tx, const void *row)
{
    const struct use *use = &((const struct pending *)row)->use;
    if (use->key_id.ptr)
        last_access_put_key(tx, use->key_id, &use->access);
    else
        last_access_put(tx, &use->access);
}

static void prune(struct tx *tx, void *ctx)
{
    const struct last_access *access = ctx;
    last_access_prune(tx, env_now_s(access->identity->env) - TRACKED_S);
}

/* ---- reading ---- */

gh_err last_access_of(struct identity *identity, struct arena *arena, struct str owner, struct accesses *out)
{
    gh_err err = identity->last_access ? tally_write(identity->last_access->uses, arena) : NULL;
    return err ? err
               : last_access_list(identity->db, arena, owner, env_now_s(identity->env) - TRACKED_S, out);
}

static void keep_later(struct arena *arena, const struct accessed *one, struct accessed *out)
{
    if (one->at_s < out->at_s)
        return;
    *out = (struct accessed){ str_copy(arena, one->owner), str_copy(arena, one->service),
                              str_copy(arena, one->action), str_copy(arena, one->region), one->at_s };
}

/* Of what is not written yet; few rows, since they wait for seconds only. */
struct search {
    struct arena *arena;
    struct str owner, key_id; /* one of them */
    struct accessed *out;
};

static void look_at(const void *row, void *ctx)
{
    const struct use *use = &((const struct pending *)row)->use;
    const struct search *search = ctx;
    bool fits = search->key_id.ptr ? use->key_id.ptr && str_eq(use->key_id, search->key_id)
                                   : !use->key_id.ptr && str_eq(use->access.owner, search->owner);
    if (fits)
        keep_later(search->arena, &use->access, search->out);
}

/* Reading one row costs no commit: GetRole is called often. */
static gh_err latest(struct identity *identity, struct search *search)
{
    struct tally *uses = identity->last_access ? identity->last_access->uses : NULL;
    if (uses)
        tally_hold(uses);
    gh_err err = search->key_id.ptr
                     ? last_access_find_key(identity->db, search->arena, search->key_id, search->out)
                     : last_access_find(identity->db, search->arena, search->owner, search->out);
    if (uses && !err)
        tally_each(uses, look_at, search);
    if (uses)
        tally_release(uses);
    return err;
}

gh_err last_access_latest(struct identity *identity, struct arena *arena, struct str owner,
                          struct accessed *out)
{
    return latest(identity, &(struct search){ arena, owner, STR_NONE, out });
}

gh_err last_access_of_key(struct identity *identity, struct arena *arena, struct str key_id,
                          struct accessed *out)
{
    return latest(identity, &(struct search){ arena, STR_NONE, key_id, out });
}

/* ---- start and end ---- */

struct last_access *last_access_open(struct identity *identity)
{
    struct last_access *access = calloc(1, sizeof *access);
    if (!access)
        abort();
    access->identity = identity;
    access->uses = tally_open(&(struct tally_spec){ .db = identity->db,
                                                    .what = "last uses",
                                                    .every_s = WRITTEN_EVERY_S,
                                                    .most = MOST_PENDING,
                                                    .merge = merge,
                                                    .put = put,
                                                    .prune = prune,
                                                    .ctx = access });
    return access;
}

void last_access_close(struct last_access *access)
{
    if (!access)
        return;
    tally_close(access->uses);
    free(access);
}
