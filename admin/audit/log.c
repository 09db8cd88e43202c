#include "admin/audit/log.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "admin/app.h"
#include "core/json.h"
#include "core/time.h"
#include "gen/cognito_idp.h"
#include "wire/audit_record.h"

struct audit_log {
    struct audit_sink sink;
    struct chain *chain;
    struct identity *identity;
    bool required;
    atomic_ullong refused, unrecorded; /* changes that were not let happen; that happened without their record on disk */
};

static bool ready(void *ctx, struct arena *arena, struct str *why)
{
    struct audit_log *log = ctx;
    if (!log->required || chain_ready(log->chain, arena, why))
        return true;
    log->refused++;
    return false;
}

static bool write_record(void *ctx, struct str record, bool wait)
{
    struct audit_log *log = ctx;
    if (chain_append(log->chain, record, wait))
        return true;
    log->unrecorded++;
    return !log->required;
}

/* ---- userIdentity.sessionContext ---- */

static void member(struct strbuf *out, const char *name, struct str value)
{
    if (!value.ptr)
        return;
    strbuf_printf(out, "%s\"%s\":", out->ptr[out->len - 1] == '{' ? "" : ",", name);
    json_quote(out, value);
}

static void issuer(struct strbuf *out, const char *type, struct str id, struct str arn, struct str account)
{
    struct str name = str_from(arn, (size_t)(str_find_last(arn, '/') + 1));
    strbuf_printf(out, "\"sessionIssuer\":{\"type\":\"%s\"", type);
    member(out, "principalId", id);
    member(out, "arn", arn);
    member(out, "accountId", account);
    member(out, "userName", name);
    strbuf_add(out, STR("},"));
}

static void federation(struct strbuf *out, const struct credential *c)
{
    if (!c->federated_provider.ptr)
        return;
    strbuf_add(out, STR("\"webIdFederationData\":{"));
    member(out, "federatedProvider", c->federated_provider);
    strbuf_add(out, STR(",\"attributes\":{"));
    for (size_t i = 0; i < c->n_keys; i++)
        if (c->keys[i].n > 0) {
            if (out->ptr[out->len - 1] != '{')
                strbuf_char(out, ',');
            json_quote(out, c->keys[i].name);
            strbuf_char(out, ':');
            json_quote(out, c->keys[i].values[0]);
        }
    strbuf_add(out, STR("}},"));
}

/* "If the request was made with temporary security credentials, an element that provides information about the session" */
static void session(void *ctx, const void *credential, struct strbuf *out)
{
    (void)ctx;
    const struct credential *c = credential;
    const struct principal *who = &c->principal;
    if (!c->temporary)
        return;
    strbuf_add(out, STR(",\"sessionContext\":{"));
    ptrdiff_t colon = str_find(who->id, ':');
    if (c->role_arn.ptr)
        issuer(out, "Role", colon < 0 ? who->id : str_sub(who->id, 0, (size_t)colon), c->role_arn, who->account);
    else if (c->maker_arn.ptr)
        issuer(out, "IAMUser", c->owner, c->maker_arn, who->account);
    federation(out, c);
    strbuf_printf(out, "\"attributes\":{\"creationDate\":\"%s\",\"mfaAuthenticated\":\"%s\"}",
                  time_iso8601(out->arena, (int64_t)who->token_issued_s).ptr, c->mfa ? "true" : "false");
    member(out, "sourceIdentity", c->source_identity);
    strbuf_char(out, '}');
}

/* As Explain tells it (policy/why.h). */
static struct str tell_why(void *ctx, struct arena *arena, const void *credential, const struct policy_request *request)
{
    const struct audit_log *log = ctx;
    const struct identity_target own = { 0 };
    struct policy_why found;
    identity_why(log->identity, arena, credential, &own, request, &found);
    return json_print(arena, policy_why_json(arena, &found));
}

/* ---- the log ---- */

bool audit_open(struct app *app, struct str *why)
{
    const struct options *o = &app->options;
    if (o->audit == AUDIT_OFF)
        return true;
    const struct chain_config config = { .env = &app->env, .sealer = app->sealer, .folder = o->audit_dir.ptr,
                                         .keep_s = o->audit_keep_days * 86400 };
    struct audit_log *log = calloc(1, sizeof *log);
    if (!log)
        abort();
    log->required = o->audit == AUDIT_REQUIRED;
    log->identity = app->identity;
    log->sink = (struct audit_sink){ .ctx = log, .ready = ready, .write = write_record, .session = session, .why = tell_why };
    log->chain = chain_open(&config, app->arena, why);
    if (!log->chain) {
        free(log);
        if (o->audit == AUDIT_REQUIRED)
            return false;
        log_at(LOG_WARN, "there is no audit log", { "why", *why });
        return true;
    }
    app->audit = log;
    return true;
}

void audit_close(struct app *app)
{
    if (!app->audit)
        return;
    chain_close(app->audit->chain);
    free(app->audit);
    app->audit = NULL;
}

bool audit_event_write(struct audit_log *log, const struct call *call, const char *name, struct str request, gh_err err)
{
    static const struct audit_notes none = { 0 };
    static const struct audit_kind kind = { .waits = true };
    if (!log)
        return true;
    const struct audit_event event = { .call = call, .kind = &kind, .notes = call->audit ? call->audit : &none, .sink = &log->sink,
                                       .action = name, .errand = request, .believed = true, .err = err };
    return write_record(log, audit_record(&event), true);
}

const struct audit_sink *audit_sink(const struct audit_log *log)
{
    return log ? &log->sink : NULL;
}

struct chain *audit_chain(struct audit_log *log)
{
    return log ? log->chain : NULL;
}

void audit_metrics(struct audit_log *log, struct strbuf *text)
{
    struct chain_figures f;
    struct chain_head head;
    if (!log)
        return;
    chain_figures(log->chain, &f);
    chain_head(log->chain, &head);
    const struct {
        const char *name, *type;
        unsigned long long value;
    } rows[] = {
        { "records_total", "counter", f.lines - f.checkpoints },
        { "checkpoints_total", "counter", f.checkpoints },
        { "bytes_total", "counter", f.bytes },
        { "syncs_total", "counter", f.syncs },
        { "write_failures_total", "counter", f.failures },
        { "lost_total", "counter", f.lost },
        { "refused_calls_total", "counter", log->refused },
        { "unrecorded_calls_total", "counter", log->unrecorded },
        { "sequence", "gauge", (unsigned long long)head.sequence },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        strbuf_printf(text, "# TYPE gatehouse_audit_%s %s\ngatehouse_audit_%s %llu\n", rows[i].name, rows[i].type, rows[i].name,
                      rows[i].value);
}
