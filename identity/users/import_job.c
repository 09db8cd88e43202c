/* GetCSVHeader, CreateUserImportJob, DescribeUserImportJob, ListUserImportJobs, StartUserImportJob, StopUserImportJob. */
#include "core/id.h"
#include "core/json.h"
#include "core/uri.h"
#include "identity/pools/errand.h"
#include "identity/pools/record.h"
#include "identity/users/import.h"
#include "identity/users/upload.h"
#include "wire/codec_json.h"

enum { MOST_JOBS = 1000, LOG_PAGE = 1000, STANDARD_COLUMNS = 21, HASH_COLUMNS = 1 };

/* In AWS's order. */
static const char *const standard[STANDARD_COLUMNS] = {
    "cognito:username", "name",          "given_name",   "family_name",    "middle_name",           "nickname",
    "preferred_username", "profile",     "picture",      "website",        "email",                 "email_verified",
    "gender",           "birthdate",     "zoneinfo",     "locale",         "phone_number",          "phone_number_verified",
    "address",          "updated_at",    "cognito:mfa_enabled",
};

size_t import_columns(struct call *call, const struct pool *pool, bool hashes, struct csv_column **out)
{
    const struct idp_SchemaAttributesListType *schema = &pool->doc->schema_attributes;
    size_t n = 0;
    struct csv_column *columns = ARENA_ARRAY(call->arena, struct csv_column, STANDARD_COLUMNS + schema->n + HASH_COLUMNS);
    for (; n < STANDARD_COLUMNS; n++)
        columns[n].name = str_of(standard[n]);
    for (size_t i = 0; i < schema->n; i++)
        if (str_starts(schema->items[i]->name, STR("custom:")))
            columns[n++].name = schema->items[i]->name;
    if (hashes)
        columns[n++] = (struct csv_column){ .name = STR("cognito:password_hash"), .optional = true };
    *out = columns;
    return n;
}

gh_err idp_GetCSVHeader(struct call *call, const struct idp_GetCSVHeader_in *in, struct idp_GetCSVHeader_out *out)
{
    struct pool pool;
    struct csv_column *columns;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (err)
        return err;
    size_t n = import_columns(call, &pool, false, &columns);
    out->user_pool_id = pool.id;
    out->csv_header.set = true;
    out->csv_header.n = n;
    out->csv_header.items = ARENA_ARRAY(call->arena, struct str, n);
    for (size_t i = 0; i < n; i++)
        out->csv_header.items[i] = columns[i].name;
    return NULL;
}

struct str import_log_path(struct arena *arena, struct str pool, struct str job)
{
    return str_printf(arena, "/_gatehouse/user-pools/%.*s/imports/%.*s/log", STR_FMT(pool), STR_FMT(job));
}

bool import_is_stale(const struct import_job *job, int64_t now_us)
{
    return str_is(job->status, "Created") && now_us >= job->created_us + INT64_C(1000000) * IMPORT_EXPIRES_S;
}

static struct idp_UserImportJobType *shown(struct call *call, const struct import_job *job)
{
    struct idp_UserImportJobType *doc = ARENA_NEW(call->arena, struct idp_UserImportJobType);
    shape_parse(call->arena, &idp_shape_UserImportJobType, job->doc, doc);
    doc->user_pool_id = job->pool;
    doc->job_id = job->id;
    doc->status = import_is_stale(job, call->now_us) ? STR("Expired") : job->status;
    doc->creation_date = some_time_us(job->created_us);
    doc->imported_users = some_i64(job->imported);
    doc->skipped_users = some_i64(job->skipped);
    doc->failed_users = some_i64(job->failed);
    doc->pre_signed_url = import_upload_url(call->sealer, call->arena, call->base_url, job->pool, job->id,
                                            job->created_us / 1000000 + IMPORT_EXPIRES_S);
    return doc;
}

/* Files of jobs that nobody started in time. */
static void forget_stale(struct call *call)
{
    struct import_job job;
    struct tx tx;
    bool found;
    int64_t before_us = call->now_us - INT64_C(1000000) * IMPORT_EXPIRES_S;
    while (!store_import_stale(call->db, call->arena, before_us, &job, &found) && found) {
        job.status = STR("Expired");
        tx_begin(&tx, call->db, call->arena);
        store_import_save(&tx, &job);
        if (tx_commit(&tx))
            return;
        int64_t dropped;
        do {
            tx_begin(&tx, call->db, call->arena);
            store_import_drop_pieces(&tx, job.id, STR_NONE);
            dropped = tx.changes;
        } while (!tx_commit(&tx) && dropped > 0);
    }
}

gh_err idp_CreateUserImportJob(struct call *call, const struct idp_CreateUserImportJob_in *in,
                               struct idp_CreateUserImportJob_out *out)
{
    struct pool pool;
    struct tx tx;
    int64_t n;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (err)
        return err;
    forget_stale(call);
    const struct idp_UserImportJobType doc = { .job_name = in->job_name,
                                               .cloud_watch_logs_role_arn = in->cloud_watch_logs_role_arn,
                                               .password_hashing_algorithm = in->password_hashing_algorithm };
    const struct import_job job = {
        .pool = pool.id,
        .id = str_concat(call->arena, STR("import-"), id_random(call->env, call->arena, 10, ID_ALNUM)),
        .account = pool.account,
        .region = pool.region,
        .status = STR("Created"),
        .doc = shape_print(call->arena, &idp_shape_UserImportJobType, &doc),
        .created_us = call->now_us,
    };
    tx_begin(&tx, call->db, call->arena);
    err = store_import_count(&tx, pool.id, &n);
    if (!err && n >= MOST_JOBS)
        err = gh_fail(call->arena, &idp_LimitExceededException, "A user pool can have at most %d import jobs.", MOST_JOBS);
    if (!err)
        store_import_insert(&tx, &job);
    out->user_import_job = shown(call, &job);
    return record_end(&tx, err);
}

static gh_err load(struct call *call, struct tx *tx, struct str pool_id, struct str id, struct pool *pool,
                   struct import_job *job)
{
    bool found;
    gh_err err = pool_load(call, pool_id, pool);
    if (!err)
        err = store_import_find(call->db, tx, call->arena, pool->id, id, job, &found);
    if (!err && !found)
        return gh_fail(call->arena, &idp_ResourceNotFoundException, "User import job %.*s does not exist.", STR_FMT(id));
    return err;
}

gh_err idp_DescribeUserImportJob(struct call *call, const struct idp_DescribeUserImportJob_in *in,
                                 struct idp_DescribeUserImportJob_out *out)
{
    struct pool pool;
    struct import_job job;
    gh_err err = load(call, NULL, in->user_pool_id, in->job_id, &pool, &job);
    if (!err)
        out->user_import_job = shown(call, &job);
    return err;
}

/* Newest first. A page's token is the moment and id of its last job. */
gh_err idp_ListUserImportJobs(struct call *call, const struct idp_ListUserImportJobs_in *in,
                              struct idp_ListUserImportJobs_out *out)
{
    struct pool pool;
    struct import_job *jobs;
    struct str last, moment = STR_NONE;
    int64_t before_us = 0, limit = in->max_results.value;
    size_t n;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (!err)
        err = page_open(call, "imports", pool.id, in->pagination_token, &last);
    if (!err && last.ptr && str_split(&last, '/', &moment))
        str_i64(moment, &before_us);
    if (!err)
        err = store_import_list(call->db, call->arena, pool.id, before_us, last, limit + 1, &jobs, &n);
    if (err)
        return err;
    bool more = n > (size_t)limit;
    n -= more;
    out->user_import_jobs.set = true;
    out->user_import_jobs.n = n;
    out->user_import_jobs.items = ARENA_ARRAY(call->arena, struct idp_UserImportJobType *, n);
    for (size_t i = 0; i < n; i++)
        out->user_import_jobs.items[i] = shown(call, &jobs[i]);
    if (more)
        out->pagination_token =
            page_token(call, "imports", pool.id,
                       str_printf(call->arena, "%lld/%.*s", (long long)jobs[n - 1].created_us, STR_FMT(jobs[n - 1].id)));
    return NULL;
}

/* "You can only have one active import job per account." "If the user pool has no auto-verified attributes, the import
 * job will not start." */
static gh_err may_start(struct call *call, struct tx *tx, const struct pool *pool, const struct import_job *job)
{
    struct import_job other;
    bool found;
    if (import_is_stale(job, call->now_us) || !str_is(job->status, "Created"))
        return gh_fail(call->arena, &idp_PreconditionNotMetException, "Import job %.*s cannot be started: its status is %.*s.",
                       STR_FMT(job->id), STR_FMT(import_is_stale(job, call->now_us) ? STR("Expired") : job->status));
    if (!job->upload.ptr)
        return gh_fail(call->arena, &idp_PreconditionNotMetException, "No csv file was uploaded for %.*s", STR_FMT(job->id));
    if (!pool->doc->auto_verified_attributes.n)
        return gh_fail(call->arena, &idp_PreconditionNotMetException,
                       "The user pool must have at least one auto verified attribute to import users.");
    gh_err err = store_import_active(call->db, tx, call->arena, pool->account, STR_NONE, &other, &found);
    if (!err && found)
        return gh_fail(call->arena, &idp_PreconditionNotMetException, "Import job %.*s of user pool %.*s is active already.",
                       STR_FMT(other.id), STR_FMT(other.pool));
    return err;
}

gh_err idp_StartUserImportJob(struct call *call, const struct idp_StartUserImportJob_in *in,
                              struct idp_StartUserImportJob_out *out)
{
    struct pool pool;
    struct import_job job;
    struct tx tx;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (err)
        return err;
    tx_begin(&tx, call->db, call->arena);
    err = load(call, &tx, in->user_pool_id, in->job_id, &pool, &job);
    if (!err)
        err = may_start(call, &tx, &pool, &job);
    if (!err) {
        job.status = STR("Pending");
        store_import_save(&tx, &job);
        out->user_import_job = shown(call, &job);
    }
    err = record_end(&tx, err);
    if (!err)
        importer_wake(((struct identity *)call->module)->importer);
    return err;
}

gh_err idp_StopUserImportJob(struct call *call, const struct idp_StopUserImportJob_in *in,
                             struct idp_StopUserImportJob_out *out)
{
    struct pool pool;
    struct import_job job;
    struct tx tx;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (err)
        return err;
    tx_begin(&tx, call->db, call->arena);
    err = load(call, &tx, in->user_pool_id, in->job_id, &pool, &job);
    if (!err && !str_is(job.status, "Pending") && !str_is(job.status, "InProgress") && !str_is(job.status, "Stopping"))
        err = gh_fail(call->arena, &idp_PreconditionNotMetException, "Import job %.*s cannot be stopped: its status is %.*s.",
                      STR_FMT(job.id), STR_FMT(job.status));
    if (!err) {
        job.status = STR("Stopping");
        store_import_save(&tx, &job);
        out->user_import_job = shown(call, &job);
    }
    err = record_end(&tx, err);
    if (!err)
        importer_wake(((struct identity *)call->module)->importer);
    return err;
}

gh_err import_check_idle(struct call *call, struct tx *tx, const struct pool *pool)
{
    struct import_job job;
    bool found;
    gh_err err = store_import_active(call->db, tx, call->arena, STR_NONE, pool->id, &job, &found);
    if (!err && found)
        return gh_fail(call->arena, &idp_UserImportInProgressException, "User import job %.*s is in progress for user pool %.*s.",
                       STR_FMT(job.id), STR_FMT(pool->id));
    return err;
}

/* ---- the log ---- */

gh_err import_log_get(struct call *call, void *ctx, struct str *json)
{
    const struct pool_errand *errand = ctx;
    struct pool pool;
    struct import_job job;
    int64_t after = 0, lines[LOG_PAGE + 1];
    struct str *texts = ARENA_ARRAY(call->arena, struct str, LOG_PAGE + 1), given;
    size_t n;
    gh_err err = load(call, NULL, errand->pool_id, errand->item, &pool, &job);
    if (err)
        return err;
    given = uri_query_get(call->arena, errand->query, "after");
    if (given.ptr && !str_i64(given, &after))
        return gh_fail(call->arena, &idp_InvalidParameterException, "after must be the number of a line.");
    err = store_import_log_list(call->db, call->arena, job.id, after, LOG_PAGE + 1, lines, texts, &n);
    if (err)
        return err;
    json_t *doc = shape_to_json(call->arena, &idp_shape_UserImportJobType, shown(call, &job));
    json_object_del(doc, "PreSignedUrl");
    json_t *log = json_array();
    for (size_t i = 0; i < n && i < LOG_PAGE; i++)
        json_array_append_new(log, json_of(texts[i]));
    json_object_set_new(doc, "Log", log);
    if (n > LOG_PAGE)
        json_set_i64(doc, "After", lines[LOG_PAGE - 1]);
    *json = json_print(call->arena, doc);
    return NULL;
}
