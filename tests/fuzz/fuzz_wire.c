/* A management call's content from outside: whatever it is, it decodes or is refused with a sentence, and
 * what decodes can be checked, printed and read again. First byte: the protocol; second and third: the
 * operation. */
#include "gen/apigateway.h"
#include "gen/cognito_idp.h"
#include "gen/iam.h"
#include "gen/lambda.h"
#include "wire/codec_json.h"
#include "wire/codec_query.h"
#include "wire/codec_rest.h"
#include "wire/constrain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool decode(struct arena *arena, const struct service *service, const struct operation *operation,
                   struct str text, void *in, struct str *why)
{
    if (service->protocol == PROTOCOL_QUERY)
        return query_decode(arena, operation->in, text, in, why);
    if (service->protocol == PROTOCOL_JSON11) {
        const json_t *json = json_parse(arena, text, why);
        return json && json_decode(arena, operation->in, json, in, JSON_BODY, why);
    }
    /* path, query, a header, body: lines */
    struct str path = STR_NONE, query = STR_NONE, header = STR_NONE;
    struct http_headers headers = { 0 };
    struct label labels[MAX_LABELS];
    size_t n;
    str_split(&text, '\n', &path);
    str_split(&text, '\n', &query);
    if (!str_split(&text, '\n', &header) || !rest_match(str_of(operation->path), path, labels, &n))
        n = 0;
    else
        for (size_t i = 0; i < operation->in->n_members; i++)
            if (operation->in->members[i].in == IN_HEADER)
                http_header_add(arena, &headers, str_of(operation->in->members[i].wire_name), header);
    const struct wire_request request = { .path = path, .query = query, .headers = &headers, .body = text };
    return rest_decode(arena, operation, &request, labels, n, in, why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct service *const services[] = { &idp_service, &iam_service, &apigw_service,
                                                      &lambda_service };
    if (size < 3)
        return 0;
    struct arena *arena = arena_new(64 * 1024);
    const struct service *service = services[data[0] % COUNT(services)];
    const struct operation *operation =
        &service->operations[(data[1] * 256u + data[2]) % service->n_operations];
    struct str text = { (const char *)data + 3, size - 3 }, why = STR_NONE;
    void *in = arena_zalloc(arena, operation->in->alloc), *again = arena_zalloc(arena, operation->in->alloc);
    if (decode(arena, service, operation, text, in, &why)) {
        constrain_check(arena, service, operation, in);
        struct str document = shape_print(arena, operation->in, in);
        if (!shape_parse(arena, operation->in, document, again) ||
            !str_eq(document, shape_print(arena, operation->in, again)))
            __builtin_trap();
    } else if (!why.len) {
        __builtin_trap();
    }
    arena_free(arena);
    return 0;
}
