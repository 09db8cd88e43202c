#include "wire/operation.h"

#include <stdlib.h>

#include "core/id.h"
#include "core/log.h"
#include "wire/audit_record.h"
#include "wire/codec_json.h"
#include "wire/codec_query.h"
#include "wire/codec_rest.h"
#include "wire/constrain.h"
#include "wire/reply.h"
#include "wire/resource.h"

struct wire {
    struct wire_config config;
    struct arena *arena; /* of the copied strings */
    struct registry *registry;
};

static const struct gh_kind unknown_operation = { "UnknownOperationException", 400, false, NULL };
static const struct gh_kind invalid_action = { "InvalidAction", 400, false, NULL };
static const struct gh_kind missing_action = { "MissingAction", 400, false, NULL };
static const struct gh_kind no_such_path = { "MissingAuthenticationTokenException", 403, false, NULL };
static const struct gh_kind serialization = { "SerializationException", 400, false, "MalformedInput" };
static const struct gh_kind access_denied = { "AccessDeniedException", 403, false, "AccessDenied" };

struct wire *wire_new(const struct wire_config *config)
{
    struct wire *wire = calloc(1, sizeof(*wire));
    if (!wire)
        abort();
    wire->config = *config;
    wire->arena = arena_new(1024);
    struct str *strings[] = { &wire->config.partition, &wire->config.region, &wire->config.default_account,
                              &wire->config.base_url };
    for (size_t i = 0; i < COUNT(strings); i++)
        *strings[i] = str_copy(wire->arena, *strings[i]);
    wire->registry = registry_new(config->services, config->n_services);
    return wire;
}

void wire_free(struct wire *wire)
{
    if (!wire)
        return;
    registry_free(wire->registry);
    arena_free(wire->arena);
    free(wire);
}

/* One call on its way through. */
struct run {
    const struct wire *wire;
    const struct wire_request *request;
    struct route route;
    struct call call;
    struct sigv4_outcome signer;
    struct principal principal;
    void *in, *out;
    const char *action; /* instead of the operation's; or NULL */
    struct audit_notes notes;
    struct audit_kind kind;
    bool believed;                 /* its signature is good, or it needs none */
    struct str resource;           /* that permission was asked for, or absent */
    struct policy_request *asked;  /* and was denied; or NULL */
    struct policy_decision decision;
    struct str errand;             /* method and path of a call beside AWS's operations, or absent */
};

static void begin(struct run *run, const struct wire *wire, struct arena *arena,
                  const struct wire_request *request)
{
    const struct wire_config *config = &wire->config;
    *run = (struct run){ .wire = wire, .request = request };
    registry_find(wire->registry, arena, request, &run->route);
    const struct registered *registered = run->route.registered;
    run->principal = (struct principal){ .kind = PRINCIPAL_ANONYMOUS,
                                         .account = config->default_account,
                                         .arn = STR("anonymous") };
    run->call = (struct call){ .arena = arena,
                               .env = config->env,
                               .db = config->db,
                               .sealer = config->sealer,
                               .account = config->default_account,
                               .region = config->region,
                               .partition = config->partition,
                               .request_id = id_uuid(config->env, arena),
                               .source_ip = request->source_ip,
                               .user_agent = http_header_get(request->headers, "User-Agent"),
                               .base_url = config->base_url,
                               .now_us = env_now_us(config->env),
                               .principal = &run->principal,
                               .service = registered ? registered->service : NULL,
                               .operation = run->route.operation,
                               .headers = request->headers,
                               .audit = &run->notes,
                               .module = registered ? registered->module : NULL };
    if (registered)
        run->kind = audit_kind_of(registered->service, run->route.operation);
}

static gh_err unknown(const struct run *run)
{
    struct arena *arena = run->call.arena;
    switch (run->call.service->protocol) {
    case PROTOCOL_JSON11:
        return gh_fail(arena, &unknown_operation, "Operation named %.*s does not exist",
                       STR_FMT(run->route.unknown));
    case PROTOCOL_QUERY:
        if (str_empty(run->route.unknown))
            return gh_fail(arena, &missing_action,
                           "The request is missing an action or a required parameter");
        return gh_fail(arena, &invalid_action, "Could not find operation %.*s for version %.*s",
                       STR_FMT(run->route.unknown), STR_FMT(run->route.version));
    case PROTOCOL_REST_JSON:
        break;
    }
    return gh_fail(arena, &no_such_path, "Missing Authentication Token");
}

static int64_t signing_now_s(const struct run *run)
{
    return run->wire->config.real_now_s ? run->wire->config.real_now_s() : run->call.now_us / 1000000;
}

/* Who signed it. State is kept per account and region: the region is the one it was signed for. */
static gh_err authenticate(struct run *run)
{
    struct call *call = &run->call;
    if (call->operation->unsigned_) {
        run->believed = true;
        return NULL;
    }
    const char *const services[] = { call->service->signing_name, NULL };
    const struct sigv4_request request = { .method = run->request->method,
                                           .path = run->request->path,
                                           .query = run->request->query,
                                           .headers = run->request->headers,
                                           .body = run->request->body };
    const struct sigv4_rules rules = { .services = services,
                                       .global = call->service->protocol == PROTOCOL_QUERY,
                                       .now_s = signing_now_s(run) };
    if (sigv4_verify(call->arena, &request, &rules, &run->wire->config.keys, &run->signer) != SIGV4_OK)
        return sigv4_error(call->arena, &run->signer, call->service->protocol);
    if (run->signer.key.principal)
        run->principal = *run->signer.key.principal;
    run->believed = true;
    call->credential = run->signer.key.credential;
    call->account = run->principal.account;
    if (call->service->protocol != PROTOCOL_QUERY && run->signer.scope_region.ptr)
        call->region = run->signer.scope_region;
    return NULL;
}

static gh_err decode(struct run *run)
{
    struct arena *arena = run->call.arena;
    const struct operation *operation = run->call.operation;
    struct str why = STR_NONE;
    bool ok;
    run->in = arena_zalloc(arena, operation->in->alloc);
    run->out = arena_zalloc(arena, operation->out->alloc);
    if (run->call.service->protocol == PROTOCOL_QUERY) {
        ok = query_decode(arena, operation->in, run->route.form, run->in, &why);
    } else if (run->call.service->protocol == PROTOCOL_REST_JSON) {
        ok = rest_decode(arena, operation, run->request, run->route.labels, run->route.n_labels, run->in,
                         &why);
    } else if (str_empty(run->request->body)) {
        ok = true;
    } else {
        const json_t *json = json_parse(arena, run->request->body, &why);
        ok = json && json_decode(arena, operation->in, json, run->in, JSON_BODY, &why);
    }
    return ok ? NULL : gh_fail(arena, &serialization, "%.*s", STR_FMT(why));
}

static gh_err ask(struct run *run, const struct policy_context *context, struct policy_request request)
{
    const struct wire_config *config = &run->wire->config;
    struct arena *arena = run->call.arena;
    struct policy_decision decision = { .statement = -1 };
    request.principal_arn = run->principal.arn;
    request.account = run->principal.account;
    request.keys = context->keys;
    request.n_keys = context->n;
    if (config->allows(config->allows_ctx, arena, run->signer.key.credential, &request, &decision))
        return NULL;
    run->asked = ARENA_NEW(arena, struct policy_request);
    *run->asked = request;
    run->decision = decision;
    return gh_fail(arena, &access_denied, "%.*s", STR_FMT(policy_denial(arena, &request, &decision)));
}

/* What the resource is like is read only for somebody whose policies ask. */
static void describe(struct run *run, struct str resource, struct policy_context *context)
{
    const struct wire_config *config = &run->wire->config;
    const struct describer *describer = run->route.registered->describer;
    bool wanted = false;
    for (const char *const *key = describer ? describer->keys : NULL; key && *key && !wanted; key++)
        wanted = !config->looks_at ||
                 config->looks_at(config->allows_ctx, run->call.arena, run->signer.key.credential, str_of(*key));
    if (wanted)
        describer->describe(&run->call, resource, context);
}

/* "iam:PassedToService", "iam:AssociatedResourceArn". Roles that nobody issued keys for: dev mode's root may
 * name any, as long as nothing is enforced. */
static gh_err ask_pass_role(struct run *run, struct policy_context *context, const struct resource_ask *also,
                            struct str resource)
{
    struct call *call = &run->call;
    size_t n = context->n;
    if (run->signer.key.secret.ptr && resource_is_foreign(call, also->resource))
        return gh_fail(call->arena, &access_denied, "Cross-account pass role is not allowed.");
    policy_context_add(context, "iam:PassedToService", also->service);
    if (!str_is(resource, "*"))
        policy_context_add(context, "iam:AssociatedResourceArn", resource);
    gh_err err = ask(run, context, (struct policy_request){ .action = also->action, .resource = also->resource });
    context->n = n;
    return err;
}

static gh_err ask_also(struct run *run, struct policy_context *context, struct str resource)
{
    struct resource_ask *also;
    size_t n = resource_also(&run->call, run->in, &also);
    gh_err err = NULL;
    for (size_t i = 0; !err && i < n; i++)
        err = also[i].service.ptr
                  ? ask_pass_role(run, context, &also[i], resource)
                  : ask(run, context, (struct policy_request){ .action = also[i].action, .resource = also[i].resource });
    return err;
}

static gh_err authorise(struct run *run)
{
    struct call *call = &run->call;
    const struct wire_config *config = &run->wire->config;
    if (call->operation->unsigned_ || call->operation->free || !config->allows)
        return NULL;
    struct policy_context context = policy_context_in(call->arena);
    policy_context_add_request(&context, call->now_us / 1000000, call->source_ip, call->user_agent,
                               http_header_get(run->request->headers, "Referer"), run->request->tls,
                               call->region);
    request_keys(call, run->in, &context);
    struct policy_request request = { .action = str_of(run->action ? run->action : call->operation->action) };
    request.resource = run->resource = resource_of(call, run->in, &request.shown_resource);
    describe(run, request.resource, &context);
    gh_err err = ask(run, &context, request);
    return err || run->action ? err : ask_also(run, &context, request.resource);
}

#ifdef GH_CHECK_REPLIES
/* Debug builds: does what a handler gives fit the model? */
static void check_reply(const struct run *run)
{
    struct str why = constrain_reply(run->call.arena, run->call.operation, run->out);
    if (why.ptr)
        log_at(LOG_WARN, "reply strays from its shape", { "operation", str_of(run->call.operation->name) },
               { "why", why });
}
#else
static void check_reply(const struct run *run)
{
    (void)run;
}
#endif

/* A change that could not be recorded is not made. */
static gh_err recordable(const struct run *run)
{
    const struct audit_sink *sink = run->wire->config.audit;
    struct str why = STR_NONE;
    if (!sink || !run->kind.waits || sink->ready(sink->ctx, run->call.arena, &why))
        return NULL;
    return gh_fail(run->call.arena, &GH_UNAVAILABLE, "The audit log cannot be written (%.*s): nothing may be changed until it can.",
                   STR_FMT(why));
}

/* AWS's order: the signature before anything of the content, then the form of the content, then
 * permission (which needs the resource's name), then the values. */
static gh_err carry_out(struct run *run)
{
    struct arena *arena = run->call.arena;
    const struct operation *operation = run->call.operation;
    if (!operation)
        return unknown(run);
    gh_err err = authenticate(run);
    if (err)
        return err;
    if (!operation->handler)
        return gh_fail(arena, &GH_NOT_IMPLEMENTED, "%s is not built in Gatehouse yet", operation->name);
    err = decode(run);
    if (!err)
        err = authorise(run);
    if (!err)
        err = constrain_check(arena, run->call.service, operation, run->in);
    if (!err)
        err = constrain_refused(arena, run->route.registered, operation, run->in);
    if (!err)
        err = recordable(run);
    if (!err)
        err = operation->run(&run->call, run->in, run->out);
    if (!err)
        check_reply(run);
    return err;
}

/* One line a call: who, what, on whose behalf, with which outcome. The input appears only as far as an
 * error's message names it, and that never names a secret. */
static void audit(const struct run *run, gh_err err, const struct wire_reply *reply, int64_t began_us)
{
    const struct call *call = &run->call;
    int64_t took_us = env_monotonic_us(call->env) - began_us;
    log_at(reply->status >= 500 && reply->status != 501 ? LOG_ERROR : LOG_INFO, "call",
           { "service", str_of(call->service->id) },
           { "operation", run->action       ? str_of(strchr(run->action, ':') + 1)
                          : call->operation ? str_of(call->operation->name)
                                            : run->route.unknown },
           { "principal", run->principal.arn },
           { "access_key_id", run->principal.access_key_id.ptr ? run->principal.access_key_id : STR("") },
           { "account", call->account }, { "region", call->region },
           { "source_ip", call->source_ip.ptr ? call->source_ip : STR("") },
           { "status", str_printf(call->arena, "%d", reply->status) },
           { "error", err ? str_of(err->kind->code) : STR("") }, { "message", err ? err->message : STR("") },
           { "took_us", str_printf(call->arena, "%lld", (long long)took_us) },
           { "request_id", call->request_id });
}

/* The record in the audit log. Who changes something hears of it when that is on disk; not so who was not believed: a
 * stranger shall not be able to keep the disk busy. */
static bool record(const struct run *run, gh_err err)
{
    const struct audit_sink *sink = run->wire->config.audit;
    if (!sink || run->kind.left_out)
        return true;
    const struct audit_event event = {
        .call = &run->call, .kind = &run->kind, .notes = &run->notes, .sink = sink,
        .unknown = run->route.unknown, .action = run->action, .errand = run->errand,
        .claimed_key = run->signer.access_key_id, .believed = run->believed,
        .resource = run->resource, .asked = run->asked, .decision = run->asked ? &run->decision : NULL,
        .in = run->in, .out = run->out, .err = err,
        .host = http_header_get(run->request->headers, "Host"),
        .tls_version = run->request->tls_version, .cipher = run->request->cipher,
    };
    return sink->write(sink->ctx, audit_record(&event), run->kind.waits && run->believed);
}

/* The log line, the record. A change that was made and could not be recorded after all is told as an error. */
static void conclude(const struct run *run, gh_err err, struct wire_reply *reply, int64_t began_us)
{
    struct arena *arena = run->call.arena;
    if (!record(run, err) && !err) {
        err = gh_fail(arena, &GH_INTERNAL, "This was carried out, but its record in the audit log could not be written.");
        reply_error(arena, run->call.service, err, run->call.request_id, reply);
    }
    audit(run, err, reply, began_us);
}

void operation_run(const struct wire *wire, struct arena *arena, const struct wire_request *request,
                   struct wire_reply *reply)
{
    struct run run;
    int64_t began_us = env_monotonic_us(wire->config.env);
    begin(&run, wire, arena, request);
    if (!run.call.service) {
        *reply = (struct wire_reply){ .status = 404, .body = STR(""), .unknown = true };
        return;
    }
    gh_err err = carry_out(&run);
    if (err)
        reply_error(arena, run.call.service, err, run.call.request_id, reply);
    else
        reply_success(arena, run.call.service, run.call.operation, run.out, run.call.request_id, reply);
    conclude(&run, err, reply, began_us);
}

static gh_err carry_out_beside(struct run *run, const struct wire_errand *errand, struct str *json)
{
    if (!run->call.operation)
        return unknown(run);
    bool is_signed = http_header_has(run->request->headers, "Authorization") ||
                     str_find_str(run->request->query, STR("X-Amz-Signature=")) >= 0;
    bool trusted = errand->anonymous && !is_signed;
    if (trusted)
        run->principal = (struct principal){ .kind = PRINCIPAL_ROOT, .account = run->call.account, .id = run->call.account,
                                             .arn = str_printf(run->call.arena, "arn:%.*s:iam::%.*s:root",
                                                               STR_FMT(run->call.partition), STR_FMT(run->call.account)) };
    run->believed = trusted;
    gh_err err = trusted ? NULL : authenticate(run);
    if (err)
        return err;
    const struct wire_request *sent = run->request;
    run->request = &errand->as; /* the input that permission is asked for is the borrowed operation's */
    err = decode(run);
    run->request = sent;
    if (!err && !trusted)
        err = authorise(run);
    if (!err)
        err = recordable(run);
    return err ? err : errand->run(&run->call, errand->ctx, json);
}

void operation_run_beside(const struct wire *wire, struct arena *arena, const struct wire_request *request,
                          const struct wire_errand *errand, struct wire_reply *reply)
{
    struct run run;
    struct str json = STR_NONE;
    int64_t began_us = env_monotonic_us(wire->config.env);
    begin(&run, wire, arena, &errand->as);
    run.request = request;
    run.action = errand->action;
    run.errand = str_printf(arena, "%.*s %.*s", STR_FMT(request->method), STR_FMT(request->path));
    if (str_is(request->method, "GET"))
        run.kind = (struct audit_kind){ .read_only = true };
    if (!run.call.service) {
        *reply = (struct wire_reply){ .status = 404, .body = STR(""), .unknown = true };
        return;
    }
    gh_err err = carry_out_beside(&run, errand, &json);
    if (err) {
        reply_error(arena, run.call.service, err, run.call.request_id, reply);
    } else {
        *reply = (struct wire_reply){ .status = json.ptr ? 200 : 204, .body = json.ptr ? json : STR("") };
        http_header_add(arena, &reply->headers, STR("Content-Type"), STR("application/json"));
        http_header_add(arena, &reply->headers, STR("x-amzn-RequestId"), run.call.request_id);
    }
    conclude(&run, err, reply, began_us);
}

void operation_refuse(const struct wire *wire, struct arena *arena, const struct wire_request *request,
                      const struct gh_kind *kind, const char *message, struct wire_reply *reply)
{
    struct run run;
    begin(&run, wire, arena, request);
    if (!run.call.service) {
        *reply = (struct wire_reply){ .status = kind->status, .body = STR("") };
        return;
    }
    gh_err err = gh_fail(arena, kind, "%s", message);
    reply_error(arena, run.call.service, err, run.call.request_id, reply);
    run.kind.waits = false; /* this may be a loop's thread */
    conclude(&run, err, reply, env_monotonic_us(wire->config.env));
}
