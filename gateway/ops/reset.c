#include "gateway/gateway.h"
#include "gen/apigateway.h"

struct victim {
    struct victim *next;
    struct str region, id;
};

gh_err gateway_reset(struct call *call)
{
    struct rows rows;
    struct victim *victims = NULL;
    rows_open(&rows, call->db, NULL, call->arena, "SELECT region, id FROM rest_apis WHERE account = $1", "s",
              call->account);
    while (rows_next(&rows)) {
        struct victim *victim = ARENA_NEW(call->arena, struct victim);
        *victim = (struct victim){ victims, rows_str(&rows, 0), rows_str(&rows, 1) };
        victims = victim;
    }
    gh_err err = rows_close(&rows);
    for (; victims && !err; victims = victims->next) {
        struct call one = *call;
        const struct apigw_DeleteRestApi_in in = { .rest_api_id = victims->id };
        struct apigw_DeleteRestApi_out out = { 0 };
        one.region = victims->region;
        err = apigw_DeleteRestApi(&one, &in, &out);
    }
    return err ? err : db_run(call->db, call->arena, "DELETE FROM vpc_links WHERE account = $1", "s", call->account);
}
