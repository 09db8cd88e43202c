#include "identity/users/upload.h"

#include "core/base64.h"
#include "core/digest.h"
#include "core/id.h"
#include "identity/state.h"

enum { AWS_MOST_BYTES = 100 * 1024 * 1024, OPEN_MOST_BYTES = 1024 * 1024 * 1024 };

static struct str signature_of(const struct sealer *sealer, struct arena *arena, struct str pool, struct str job,
                               struct str expires)
{
    uint8_t mac[SHA256_BYTES];
    sealer_mac(sealer, STR("user-import"),
               str_printf(arena, "%.*s/%.*s/%.*s", STR_FMT(pool), STR_FMT(job), STR_FMT(expires)), mac);
    return base64url_encode(arena, digest_str(mac, sizeof mac));
}

struct str import_upload_url(const struct sealer *sealer, struct arena *arena, struct str base_url, struct str pool,
                             struct str job, int64_t expires_s)
{
    struct str expires = str_printf(arena, "%lld", (long long)expires_s);
    return str_printf(arena, "%.*s/_gatehouse/imports/%.*s/%.*s?expires=%.*s&signature=%.*s", STR_FMT(base_url), STR_FMT(pool),
                      STR_FMT(job), STR_FMT(expires), STR_FMT(signature_of(sealer, arena, pool, job, expires)));
}

static bool refuse(struct import_upload *upload, int status, const char *problem)
{
    upload->status = status;
    upload->problem = problem;
    return false;
}

bool import_upload_begin(struct identity *identity, struct arena *arena, struct str pool, struct str job,
                         struct str expires, struct str signature, struct import_upload *upload)
{
    struct import_job row;
    int64_t until_s;
    bool found;
    *upload = (struct import_upload){ .pool = pool, .job = job, .id = id_random(identity->env, arena, 20, ID_LOWER_ALNUM),
                                      .most_bytes = identity->aws_limits ? AWS_MOST_BYTES : OPEN_MOST_BYTES };
    if (!signature.ptr || !str_i64(expires, &until_s) ||
        !digest_equal(signature, signature_of(identity->sealer, arena, pool, job, expires)))
        return refuse(upload, 403, "This link is wrong: DescribeUserImportJob shows the right one.");
    if (env_now_s(identity->env) >= until_s)
        return refuse(upload, 403, "This link has expired: make a new import job.");
    if (store_import_find(identity->db, NULL, arena, pool, job, &row, &found))
        return refuse(upload, 503, "The file cannot be kept now; try again.");
    if (!found)
        return refuse(upload, 404, "There is no such import job.");
    if (!str_is(row.status, "Created"))
        return refuse(upload, 409, "The import job takes no file any more: it has been started.");
    return true;
}

bool import_upload_piece(struct identity *identity, struct import_upload *upload, struct str bytes)
{
    upload->bytes += (int64_t)bytes.len;
    if (upload->bytes > upload->most_bytes)
        return refuse(upload, 413, "The file is larger than an import job takes.");
    struct arena *arena = arena_new(IMPORT_PIECE_BYTES * 2);
    gh_err err = store_import_put_piece(identity->db, arena, upload->pool, upload->job, upload->id, upload->seq++,
                                        base64_encode(arena, bytes));
    arena_free(arena);
    return err ? refuse(upload, 503, "The file cannot be kept now; try again.") : true;
}

/* Pieces of the job but for those of `keep`, a few a transaction: others want to write meanwhile. */
static void drop_pieces(struct identity *identity, struct str job, struct str keep)
{
    struct arena *arena = arena_new(1024);
    int64_t dropped;
    do {
        struct tx tx;
        tx_begin(&tx, identity->db, arena);
        store_import_drop_pieces(&tx, job, keep);
        dropped = tx.changes;
        if (tx_commit(&tx))
            break;
    } while (dropped > 0);
    arena_free(arena);
}

bool import_upload_end(struct identity *identity, struct import_upload *upload)
{
    struct arena *arena = arena_new(1024);
    struct tx tx;
    tx_begin(&tx, identity->db, arena);
    store_import_uploaded(&tx, upload->job, upload->id);
    bool taken = tx.changes == 1;
    gh_err err = tx_commit(&tx);
    arena_free(arena);
    if (err)
        return refuse(upload, 503, "The file cannot be kept now; try again.");
    if (!taken) {
        import_upload_drop(identity, upload);
        return refuse(upload, 409, "The import job takes no file any more: it has been started.");
    }
    drop_pieces(identity, upload->job, upload->id);
    return true;
}

void import_upload_drop(struct identity *identity, struct import_upload *upload)
{
    struct arena *arena = arena_new(1024);
    (void)db_run(identity->db, arena, "DELETE FROM pool_import_pieces WHERE job = $1 AND upload = $2", "ss", upload->job,
                 upload->id);
    arena_free(arena);
}
