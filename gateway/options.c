#include "gateway/options.h"

#include <math.h>
#include <stdlib.h>

#include "core/str.h"

const struct gw_option gw_options[] = {
    { "watchWindowSeconds", OPTION_COUNT, 1, 86400, NULL,
      "after a deployment its errors are watched for so long; above watchErrorPercent the stage goes back to the "
      "deployment before it (not set: nothing is watched)" },
    { "watchErrorPercent", OPTION_NUMBER, 0, 100, NULL,
      "answers with status 5xx, in percent, that a watched deployment may give (not set: 5)" },
    { "watchMinRequests", OPTION_COUNT, 1, 1000000000, NULL,
      "a watched deployment is judged from so many requests on (not set: 20)" },
    { "authorizerTimeoutMs", OPTION_COUNT, 50, 900000, NULL,
      "how long a Lambda authorizer may take, in milliseconds (not set: 10000, as on AWS; with --limits aws it cannot be more)" },
    { "streamIdleSeconds", OPTION_COUNT, 1, 86400, NULL,
      "an answer streamed with responseTransferMode STREAM ends when its integration sends nothing for so long "
      "(not set: 300, of an EDGE API 30)" },
    { "rateLimitHeaders", OPTION_TEXT, 0, 16, "off|draft",
      "draft: answers say in RateLimit-Limit, RateLimit-Remaining and RateLimit-Reset (seconds) how near the nearest "
      "limit is, and 429 when to come again in Retry-After (not set: off, as on AWS)" },
    { "recordRequests", OPTION_FLAG, 0, 0, NULL,
      "the newest requests are kept in memory without their credentials, for `gatehouse replay` (not set: none are)" },
    { "cacheETag", OPTION_FLAG, 0, 0, NULL,
      "cached answers have a strong ETag, and If-None-Match is answered with 304 (not set: as the endpoint says)" },
    { "cacheAge", OPTION_FLAG, 0, 0, NULL, "cached answers have an Age header (not set: none, as on AWS)" },
    { "cacheStaleWhileRevalidate", OPTION_COUNT, 0, 3600, NULL,
      "seconds after its time in which a cached answer is still given while one request fetches a new one (not set: "
      "none)" },
    { "cacheVaryByClaims", OPTION_TEXT, 0, 1024, NULL,
      "names of claims or of the authorizer's context, separated by commas: each value of them has cached answers of "
      "its own (not set: whoever may call gets what is cached)" },
};
const size_t gw_n_options = COUNT(gw_options);

static const struct gw_option *find(const char *name)
{
    for (size_t i = 0; i < gw_n_options; i++)
        if (strcmp(gw_options[i].name, name) == 0)
            return &gw_options[i];
    return NULL;
}

static bool unknown(struct arena *arena, const char *name, struct str *why)
{
    struct strbuf all = strbuf_in(arena, 256);
    for (size_t i = 0; i < gw_n_options; i++)
        strbuf_printf(&all, "%s%s", i ? ", " : "", gw_options[i].name);
    *why = str_printf(arena, "No option is called %s. There are: %.*s", name, STR_FMT(strbuf_view(&all)));
    return false;
}

static bool is_choice(const char *choices, struct str text)
{
    struct str all = str_of(choices), one;
    while (str_split(&all, '|', &one))
        if (str_eq(one, text))
            return true;
    return false;
}

static json_t *read_flag(const json_t *given)
{
    struct str text = json_value_str(given);
    bool on = json_is_true(given) || str_is(text, "true"), off = json_is_false(given) || str_is(text, "false");
    return on || off ? json_boolean(on) : NULL;
}

static json_t *read_number(struct arena *arena, const struct gw_option *option, const json_t *given)
{
    double number = json_number_value(given);
    struct str text = json_value_str(given);
    if (text.len) {
        char *end = NULL;
        number = strtod(str_c(arena, text), &end);
        if (*end)
            return NULL;
    } else if (!json_is_number(given)) {
        return NULL;
    }
    if (!(number >= option->min && number <= option->max)) /* NaN is out of every range */
        return NULL;
    if (option->kind == OPTION_NUMBER)
        return json_real(number);
    return number == floor(number) ? json_integer((json_int_t)number) : NULL;
}

static json_t *read_text(const struct gw_option *option, const json_t *given)
{
    struct str text = json_value_str(given);
    if (!text.len || text.len > (size_t)option->max || (option->choices && !is_choice(option->choices, text)))
        return NULL;
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
            return NULL;
    return json_of(text);
}

/* A new reference, or NULL: not of the option's kind or out of its range. */
static json_t *read_value(struct arena *arena, const struct gw_option *option, const json_t *given)
{
    if (option->kind == OPTION_FLAG)
        return read_flag(given);
    return option->kind == OPTION_TEXT ? read_text(option, given) : read_number(arena, option, given);
}

static bool wrong(struct arena *arena, const struct gw_option *option, struct str *why)
{
    static const char *const kinds[] = { "true or false", "a whole number", "a number", "a text" };
    if (option->choices)
        *why = str_printf(arena, "Invalid value for option %s: one of %s", option->name, option->choices);
    else if (option->kind == OPTION_COUNT || option->kind == OPTION_NUMBER)
        *why = str_printf(arena, "Invalid value for option %s: %s from %g to %.15g", option->name, kinds[option->kind],
                          option->min, option->max);
    else
        *why = str_printf(arena, "Invalid value for option %s: %s", option->name, kinds[option->kind]);
    return false;
}

bool options_change(struct arena *arena, json_t *options, const json_t *changes, struct str *why)
{
    const char *name;
    json_t *given;
    json_object_foreach((json_t *)changes, name, given) {
        const struct gw_option *option = find(name);
        if (!option)
            return unknown(arena, name, why);
        if (json_is_null(given)) {
            json_object_del(options, name);
            continue;
        }
        json_t *value = read_value(arena, option, given);
        if (!value)
            return wrong(arena, option, why);
        json_object_set_new(options, name, value);
    }
    return true;
}

static json_t *value_of(const json_t *settings, const char *name)
{
    return json_object_get(json_object_get(settings, "options"), name);
}

bool option_flag(const json_t *settings, const char *name)
{
    return json_is_true(value_of(settings, name));
}

int64_t option_count(const json_t *settings, const char *name, int64_t otherwise)
{
    return json_i64(json_object_get(settings, "options"), name, otherwise);
}

double option_number(const json_t *settings, const char *name, double otherwise)
{
    json_t *value = value_of(settings, name);
    return json_is_number(value) ? json_number_value(value) : otherwise;
}

struct str option_text(const json_t *settings, const char *name)
{
    return json_value_str(value_of(settings, name));
}
