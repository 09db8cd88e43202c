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
    const struct jt *json = jt_parse(r->arena, r->request.body, NULL), *code = jt_get(json, STR("statusCode"));
    int status = 0;
    int64_t number;
    r->integrated = true;
    bool is_text = jt_is(code, JT_STRING) || (jt_is(code, JT_NUMBER) && code->flag);
    if (is_text && str_i64(jt_text(code), &number) && number >= 0 && number <= 9999)
        status = (int)number;
    else if (json || !loose_status(r->request.body, &status))
        return gw_misconfigured(
            r, "Unable to parse statusCode. It should be an integer that is defined in the request template.",
            STR_NONE);
    r->answer.status = status;
    r->answer.body = STR("");
    return GW_NEXT;
}

const struct gw_step step_mock = { "integrate", mock_enter, NULL };
