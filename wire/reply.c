#include "wire/reply.h"

#include "core/json.h"
#include "wire/codec_json.h"
#include "wire/codec_query.h"
#include "wire/codec_rest.h"

enum { MAX_HEADER_TEXT = 1024 }; /* clients have limits on heads, and the body says it too */

static void add(struct arena *arena, struct wire_reply *reply, const char *name, struct str value)
{
    http_header_add(arena, &reply->headers, str_of(name), value);
}

void reply_success(struct arena *arena, const struct service *service, const struct operation *operation,
                   const void *out, struct str request_id, struct wire_reply *reply)
{
    *reply = (struct wire_reply){ .status = operation->status };
    if (service->protocol == PROTOCOL_QUERY) {
        reply->body = query_encode(arena, service, operation, out, request_id);
        add(arena, reply, "Content-Type", STR("text/xml"));
    } else if (service->protocol == PROTOCOL_JSON11) {
        reply->body = !operation->output
                          ? STR("")
                          : json_body_print(arena, json_encode(arena, operation->out, out, JSON_BODY));
        add(arena, reply, "Content-Type", STR("application/x-amz-json-1.1"));
    } else {
        struct rest_answer answer;
        rest_encode(arena, operation, out, &answer);
        *reply = (struct wire_reply){ .status = answer.status,
                                      .headers = answer.headers,
                                      .body = answer.body.ptr ? answer.body : STR("") };
    }
    add(arena, reply, "x-amzn-RequestId", request_id);
}

/* --- errors --- */

static const struct error_form *form_of(const struct service *service, const struct gh_kind *kind)
{
    for (size_t i = 0; i < service->n_errors; i++)
        if (service->errors[i].kind == kind)
            return &service->errors[i];
    return NULL;
}

/* JSON 1.1 knows 400 and 500; what stopped a call before that protocol had a say keeps its status. */
static int json11_status(const struct gh_kind *kind)
{
    bool transport = kind->status == 413 || kind->status >= 500;
    return transport ? kind->status : 400;
}

static void add_extra(struct arena *arena, json_t *body, struct str extra)
{
    json_t *more = extra.ptr ? json_parse(arena, extra, NULL) : NULL;
    if (more)
        json_object_update(body, more);
}

/* Lambda: {"Type":"User","message":…}, or {"Message":…,"Type":"User"} where the shape says Message.
 * Refusals that stand before every service's own say "Message". */
static json_t *rest_body(struct arena *arena, const struct service *service, gh_err err)
{
    const struct error_form *form = form_of(service, err->kind);
    const char *name = form && form->message_name ? form->message_name : "message";
    if (!form && str_is(str_of(err->kind->code), "AccessDeniedException"))
        name = "Message";
    struct str type = form && form->type ? err->kind->server_fault ? STR("Service") : STR("User") : STR_NONE;
    json_t *body = json_own(arena, json_object());
    if (name[0] == 'm')
        json_set_str(body, "Type", type);
    json_set_str(body, name, err->message);
    json_set_str(body, "Type", type);
    add_extra(arena, body, err->extra);
    return body;
}

static void error_json11(struct arena *arena, const struct service *service, gh_err err,
                         struct wire_reply *reply)
{
    const struct error_form *form = form_of(service, err->kind);
    json_t *body = json_own(arena, json_object());
    json_set_str(body, "__type", str_of(err->kind->code));
    json_set_str(body, form && form->message_name ? form->message_name : "message", err->message);
    add_extra(arena, body, err->extra);
    reply->status = json11_status(err->kind);
    reply->body = json_body_print(arena, body);
    add(arena, reply, "Content-Type", STR("application/x-amz-json-1.1"));
    add(arena, reply, "x-amzn-ErrorType", str_printf(arena, "%s:", err->kind->code)); /* with AWS's colon */
    if (http_is_field_value(err->message) && err->message.len <= MAX_HEADER_TEXT)
        add(arena, reply, "x-amzn-ErrorMessage", err->message);
}

static void error_rest(struct arena *arena, const struct service *service, gh_err err,
                       struct wire_reply *reply)
{
    reply->status = err->kind->status;
    reply->body = json_body_print(arena, rest_body(arena, service, err));
    add(arena, reply, "Content-Type", STR("application/json"));
    add(arena, reply, "x-amzn-ErrorType", str_of(err->kind->code));
}

static void error_query(struct arena *arena, const struct service *service, gh_err err, struct str request_id,
                        struct wire_reply *reply)
{
    const char *code = err->kind->query_code ? err->kind->query_code : err->kind->code;
    reply->status = err->kind->status;
    reply->body = query_error(arena, service, code, err->kind->server_fault, err->message, request_id);
    add(arena, reply, "Content-Type", STR("text/xml"));
}

void reply_error(struct arena *arena, const struct service *service, gh_err err, struct str request_id,
                 struct wire_reply *reply)
{
    *reply = (struct wire_reply){ 0 };
    if (service->protocol == PROTOCOL_JSON11)
        error_json11(arena, service, err, reply);
    else if (service->protocol == PROTOCOL_QUERY)
        error_query(arena, service, err, request_id, reply);
    else
        error_rest(arena, service, err, reply);
    add(arena, reply, "x-amzn-RequestId", request_id);
}
