#include "wire/audit_shape.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/glob.h"
#include "core/json.h"
#include "wire/scalar.h"

#define HIDDEN "\"HIDDEN_DUE_TO_SECURITY_REASONS\""

struct printer {
    struct strbuf *out;
    const struct service *service;
    const struct operation *operation;
};

static void print(struct printer *p, const struct shape *shape, const void *at);

/* Secrets that the model does not mark: by member, of any service. */
static const char *const secret_members[] = {
    "SessionToken", "TokenCode",     "AuthenticationCode1", "AuthenticationCode2", "ConfirmationCode", "ProviderDetails",
    "ClientMetadata", "ValidationData", "FeedbackToken",    "Logins",              "Token",            "DelegationToken",
    "SendToken", "TradeInToken", "Credential",
};
/* …and by what they stand in. */
static const struct {
    const char *service, *operation, *member;
} secret_of[] = {
    { "apigateway", "*Key*", "value" }, /* the key itself; a patch of it */
    { "iam", "*ServiceSpecificCredential", "ServicePassword" },
};
/* Sensitive to the model, and shown by CloudTrail: who else could tell which app it was? */
static const char *const shown_shapes[] = { "ClientIdType", "ClientIdsListType" };

static bool is_shown(const struct shape *shape)
{
    for (size_t i = 0; i < COUNT(shown_shapes); i++)
        if (shape->name && strcmp(shape->name, shown_shapes[i]) == 0)
            return true;
    return false;
}

static bool is_secret(const struct printer *p, const struct member *member)
{
    if (member->shape->sensitive)
        return !is_shown(member->shape);
    if (member->shape->kind != SHAPE_STRUCT && member->shape->kind != SHAPE_BOOL && member->shape->kind != SHAPE_INT)
        for (size_t i = 0; i < COUNT(secret_members); i++)
            if (strcmp(member->name, secret_members[i]) == 0)
                return true;
    for (size_t i = 0; i < COUNT(secret_of); i++)
        if (strcmp(p->service->id, secret_of[i].service) == 0 && strcmp(member->name, secret_of[i].member) == 0 &&
            glob_match(str_of(secret_of[i].operation), str_of(p->operation->name)))
            return true;
    return false;
}

static void print_name(struct printer *p, const char *name)
{
    strbuf_char(p->out, '"');
    strbuf_char(p->out, *name >= 'A' && *name <= 'Z' ? (char)(*name + 32) : *name);
    strbuf_add(p->out, str_of(name + 1));
    strbuf_add(p->out, STR("\":"));
}

enum which { ALL, IN_THE_BODY, BESIDE_IT };

static bool counts(const struct member *member, const void *value, enum which which)
{
    bool body = member->in == IN_BODY || member->in == IN_PAYLOAD;
    return member->in != IN_STATUS && (which == ALL || (which == IN_THE_BODY) == body) &&
           member_is_set(member->shape, (const char *)value + member->offset);
}

static size_t print_members(struct printer *p, const struct shape *shape, const void *value, enum which which)
{
    size_t n = 0;
    for (size_t i = 0; i < shape->n_members; i++) {
        const struct member *member = &shape->members[i];
        if (!counts(member, value, which))
            continue;
        if (n++ > 0)
            strbuf_char(p->out, ',');
        print_name(p, member->name);
        if (is_secret(p, member))
            strbuf_add(p->out, STR(HIDDEN));
        else
            print(p, member->shape, (const char *)value + member->offset);
    }
    return n;
}

static void print_struct(struct printer *p, const struct shape *shape, const void *value)
{
    strbuf_char(p->out, '{');
    if (value)
        print_members(p, shape, value, ALL);
    strbuf_char(p->out, '}');
}

static void print_list(struct printer *p, const struct shape *shape, const struct any_list *list)
{
    strbuf_char(p->out, '[');
    for (size_t i = 0; i < list->n; i++) {
        if (i > 0)
            strbuf_char(p->out, ',');
        print(p, shape->element, (const char *)list->items + i * shape->element->size);
    }
    strbuf_char(p->out, ']');
}

static void print_map(struct printer *p, const struct shape *shape, const struct any_list *map)
{
    strbuf_char(p->out, '{');
    for (size_t i = 0; i < map->n; i++) {
        const char *item = (const char *)map->items + i * shape->alloc;
        if (i > 0)
            strbuf_char(p->out, ',');
        json_quote(p->out, *(const struct str *)item);
        strbuf_char(p->out, ':');
        print(p, shape->element, item + shape->value_offset);
    }
    strbuf_char(p->out, '}');
}

/* "Mar 24, 2014, 9:11:59 PM" */
static void print_time(struct printer *p, double seconds)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t s = (time_t)seconds;
    struct tm tm;
    if (!(seconds > -62135596800.0 && seconds < 253402300800.0) || !gmtime_r(&s, &tm)) {
        strbuf_add(p->out, STR("null"));
        return;
    }
    strbuf_printf(p->out, "\"%.3s %d, %d, %d:%02d:%02d %s\"", months + 3 * tm.tm_mon, tm.tm_mday, tm.tm_year + 1900,
                  tm.tm_hour % 12 ? tm.tm_hour % 12 : 12, tm.tm_min, tm.tm_sec, tm.tm_hour < 12 ? "AM" : "PM");
}

static void print_double(struct printer *p, double value)
{
    char text[40];
    snprintf(text, sizeof text, "%.17g", value);
    if (strspn(text, "-0123456789.e+") == strlen(text))
        strbuf_add(p->out, str_of(text));
    else
        strbuf_printf(p->out, "\"%s\"", text);
}

static void print_document(struct printer *p, const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    strbuf_add(p->out, text ? str_of(text) : STR("null"));
    free(text);
}

static void print(struct printer *p, const struct shape *shape, const void *at)
{
    if (shape->sensitive && !is_shown(shape)) {
        strbuf_add(p->out, STR(HIDDEN));
        return;
    }
    switch (shape->kind) {
    case SHAPE_STRING:
        json_quote(p->out, *(const struct str *)at);
        break;
    case SHAPE_BLOB: /* an archive, a picture, a description of an API: how long it was */
        strbuf_printf(p->out, "{\"omitted\":true,\"originalSize\":%zu,\"reason\":\"binary data\"}", ((const struct str *)at)->len);
        break;
    case SHAPE_BOOL:
        strbuf_add(p->out, ((const struct opt_bool *)at)->value ? STR("true") : STR("false"));
        break;
    case SHAPE_INT:
    case SHAPE_LONG:
        strbuf_printf(p->out, "%lld", (long long)((const struct opt_i64 *)at)->value);
        break;
    case SHAPE_FLOAT:
        print_double(p, ((const struct opt_f64 *)at)->value);
        break;
    case SHAPE_TIMESTAMP:
        print_time(p, ((const struct opt_time *)at)->value);
        break;
    case SHAPE_STRUCT:
        print_struct(p, shape, *(void *const *)at);
        break;
    case SHAPE_LIST:
        print_list(p, shape, at);
        break;
    case SHAPE_MAP:
        print_map(p, shape, at);
        break;
    case SHAPE_DOCUMENT:
        print_document(p, *(json_t *const *)at);
        break;
    }
}

static bool any(const struct shape *shape, const void *value, enum which which)
{
    for (size_t i = 0; value && i < shape->n_members; i++)
        if (counts(&shape->members[i], value, which))
            return true;
    return false;
}

/* API Gateway's records: what stands in the path and the query, then the body by the name of its type. */
static void print_wrapped(struct printer *p, const struct operation *operation, const struct shape *shape, const void *value)
{
    strbuf_char(p->out, '{');
    size_t n = print_members(p, shape, value, BESIDE_IT);
    if (any(shape, value, IN_THE_BODY)) {
        strbuf_printf(p->out, "%s\"%c%sInput\":{", n ? "," : "", operation->name[0] | 0x20, operation->name + 1);
        print_members(p, shape, value, IN_THE_BODY);
        strbuf_char(p->out, '}');
    }
    strbuf_char(p->out, '}');
}

bool audit_shape_print(struct strbuf *out, const struct service *service, const struct operation *operation, const struct shape *shape,
                       const void *value)
{
    struct printer p = { out, service, operation };
    if (!any(shape, value, ALL))
        return false;
    if (service->input_prefix && shape == operation->in)
        print_wrapped(&p, operation, shape, value);
    else
        print_struct(&p, shape, value);
    return true;
}
