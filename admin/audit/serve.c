#include "admin/audit/serve.h"

#include <pthread.h>

#include "admin/audit/search.h"
#include "admin/errand.h"
#include "admin/management.h"
#include "core/chain_verify.h"
#include "core/json.h"
#include "core/uri.h"

static const struct gh_kind invalid = { "InvalidParameterException", 400, false, NULL };
static const struct gh_kind is_off = { "AuditLogDisabledException", 404, false, NULL };
/* Signed for iam, on "*", under CloudTrail's permission. */
static const struct str as = STR_INIT("Action=GetAccountSummary&Version=2010-05-08");
enum { WAIT_S = 20, VERIFY_BYTES = 4096 };

struct audit_request {
    struct app *app;
    struct str query;
    const struct str *body;
};

static struct audit_request *request_of(struct app *app, struct http_exchange *x)
{
    struct audit_request *request = ARENA_NEW(x->arena, struct audit_request);
    *request = (struct audit_request){ app, x->query, &x->body };
    return request;
}

static gh_err off(struct call *call)
{
    return gh_fail(call->arena, &is_off, "This server keeps no audit log (--audit=off).");
}

/* ---- search ---- */

static gh_err read_query(struct call *call, struct str text, struct audit_query *query, int64_t *wait_s)
{
    struct str rest = text, pair, why = STR_NONE;
    while (!str_empty(text) && str_split(&rest, '&', &pair)) {
        ptrdiff_t equals = str_find(pair, '=');
        struct str name = equals < 0 ? pair : str_sub(pair, 0, (size_t)equals);
        if (str_empty(pair) || str_starts(name, STR("X-Amz-")))
            continue;
        struct str value = uri_query_get(call->arena, pair, str_c(call->arena, name));
        if (str_is(name, "wait") && str_i64(value, wait_s) && *wait_s >= 0 && *wait_s <= WAIT_S)
            continue;
        if (!audit_query_set(call->arena, query, name, value.ptr ? value : STR(""), &why))
            return gh_fail(call->arena, &invalid, "%.*s", STR_FMT(why));
    }
    query->account = call->account;
    return NULL;
}

/* Who follows the log is not shown that he does. */
static bool only_lookups(const struct audit_page *page)
{
    for (size_t i = 0; i < page->n; i++)
        if (str_find_str(page->lines[i], STR("\"eventName\":\"LookupEvents\"")) < 0)
            return false;
    return true;
}

static struct str print_page(struct arena *arena, const struct audit_page *page)
{
    size_t bytes = 128;
    for (size_t i = 0; i < page->n; i++)
        bytes += page->lines[i].len + 1;
    struct strbuf out = strbuf_in(arena, bytes);
    strbuf_add(&out, STR("{\"events\":["));
    for (size_t i = 0; i < page->n; i++) {
        if (i > 0)
            strbuf_char(&out, ',');
        strbuf_add(&out, page->lines[i]);
    }
    strbuf_char(&out, ']');
    if (page->next)
        strbuf_printf(&out, ",\"next\":\"%lld\"", (long long)page->next);
    strbuf_char(&out, '}');
    return strbuf_view(&out);
}

static gh_err search(struct call *call, void *ctx, struct str *json)
{
    struct audit_request *request = ctx;
    struct chain *chain = audit_chain(request->app->audit);
    struct audit_query query = { 0 };
    struct audit_page page;
    struct chain_head head;
    struct str why = STR_NONE;
    int64_t wait_s = 0;
    gh_err err = chain ? read_query(call, request->query, &query, &wait_s) : off(call);
    if (err)
        return err;
    chain_sync(chain); /* what was answered before this was asked is found */
    int64_t until_us = env_monotonic_us(call->env) + wait_s * 1000000, left_us;
    for (;;) {
        chain_head(chain, &head);
        if (!audit_search(call->arena, chain_folder(chain), &query, head.sequence, &page, &why))
            return gh_fail(call->arena, &GH_UNAVAILABLE, "%.*s", STR_FMT(why));
        left_us = until_us - env_monotonic_us(call->env);
        if (left_us <= 0 || !only_lookups(&page))
            break;
        job_waits();
        chain_await(chain, head.sequence, left_us / 1000);
        job_goes_on();
    }
    *json = print_page(call->arena, &page);
    return NULL;
}

void audit_serve_search(struct app *app, struct http_exchange *x, struct str rest)
{
    (void)rest;
    management_beside_iam(app, x, as, "cloudtrail:LookupEvents", 0, search, request_of(app, x));
}

/* ---- verify ---- */

json_t *audit_report_json(struct arena *arena, const struct chain_report *report)
{
    json_t *doc = json_own(arena, json_object());
    json_set_flag(doc, "ok", report->fault == CHAIN_WHOLE);
    if (report->fault != CHAIN_WHOLE) {
        json_set_str(doc, "fault", str_of(chain_fault_name(report->fault)));
        json_set_str(doc, "file", report->file);
        json_set_i64(doc, "line", report->line);
        json_set_i64(doc, "sequence", report->sequence);
        json_set_str(doc, "message", report->text);
    }
    json_set_i64(doc, "checked", report->checked);
    json_set_i64(doc, "checkpoints", report->checkpoints);
    json_set_i64(doc, "first", report->first);
    json_set_i64(doc, "last", report->last);
    json_set_i64(doc, "afterCheckpoint", report->after_checkpoint);
    json_set_i64(doc, "lost", report->lost);
    return doc;
}

/* One at a time: it reads files whole. */
static gh_err verify(struct call *call, void *ctx, struct str *json)
{
    static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
    struct audit_request *request = ctx;
    struct chain *chain = audit_chain(request->app->audit);
    struct chain_report report;
    struct chain_head head;
    struct str why = STR_NONE;
    json_t *body = request->body->len ? json_parse(call->arena, *request->body, &why) : NULL;
    if (request->body->len && !json_is_object(body))
        return gh_fail(call->arena, &invalid, "Send {\"from\": 1, \"to\": 99}, or nothing.");
    if (!chain)
        return off(call);
    chain_sync(chain);
    chain_head(chain, &head);
    const struct chain_expectation expected = { .folder = chain_folder(chain), .keys = STR_NONE, .running = true, .head = &head,
                                                .from = json_i64(body, "from", 0), .to = json_i64(body, "to", 0) };
    job_waits();
    pthread_mutex_lock(&one);
    bool ok = chain_verify(call->arena, &expected, &report, &why);
    pthread_mutex_unlock(&one);
    job_goes_on();
    if (!ok)
        return gh_fail(call->arena, &GH_UNAVAILABLE, "%.*s", STR_FMT(why));
    *json = json_print(call->arena, audit_report_json(call->arena, &report));
    return NULL;
}

void audit_serve_verify(struct app *app, struct http_exchange *x, struct str rest)
{
    (void)rest;
    management_beside_iam(app, x, as, "cloudtrail:LookupEvents", VERIFY_BYTES, verify, request_of(app, x));
}

/* ---- the key ---- */

void audit_serve_key(struct app *app, struct http_exchange *x, struct str rest)
{
    (void)rest;
    struct chain *chain = audit_chain(app->audit);
    if (!chain) {
        reply_json(x, 404, STR("{\"message\":\"This server keeps no audit log (--audit=off).\"}"));
        return;
    }
    json_t *doc = json_own(x->arena, json_object());
    struct str pem = chain_public_key(chain, x->arena), ignored;
    struct ed25519 *key = ed25519_from_pem(pem, &ignored);
    json_set_str(doc, "keyId", key ? ed25519_id(x->arena, key) : STR_NONE);
    json_set_str(doc, "publicKey", pem);
    ed25519_free(key);
    reply_json(x, 200, json_print(x->arena, doc));
}
