/* MOCK: the request template's statusCode chooses the integration response.
 *
 * "The request template must give JSON with an integer statusCode", loosely parsed: recorded,
 * {statusCode: 200} is taken too. */
#include "gateway/stage/stage.h"

static bool loose_status(struct str text, int *status)
{
    ptrdiff_t at = str_find_str(text, STR("statusCode"));
    if (at < 0)
        return false;
    struct str rest = str_from(text, (size_t)at + strlen("statusCode"));
    while (rest.len && strchr(" \t\r\n\"':=", rest.ptr[0]))
        rest = str_from(rest, 1);
    int digits = 0;
    *status = 0;
    while (rest.len && rest.ptr[0] >= '0' && rest.ptr[0] <= '9' && digits < 4) {
        *status = *status * 10 + (rest.ptr[0] - '0');
        rest = str_from(rest, 1);
        digits++;
    }
    return digits == 3;
}

static enum gw_next mock_enter(struct gw_request *r)
{
    json_t *json = json_parse(r->arena, r->request.body, NULL);
    json_t *code = json_object_get(json, "statusCode");
    int status = 0;
    int64_t from_text;
    r->integrated = true;
    if (json_is_integer(code))
        status = (int)json_integer_value(code);
    else if (json_is_string(code) && str_i64(json_value_str(code), &from_text))
        status = (int)from_text;
    else if (json || !loose_status(r->request.body, &status))
        return gw_misconfigured(
            r, "Unable to parse statusCode. It should be an integer that is defined in the request template.",
            STR_NONE);
    r->answer.status = status;
    r->answer.body = STR("");
    return GW_NEXT;
}

const struct gw_step step_mock = { "integrate", mock_enter, NULL };
