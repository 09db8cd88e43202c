#include "functions/functions.h"
#include "gen/lambda.h"

struct victim {
    struct victim *next;
    struct str region, name;
};

gh_err functions_reset(struct call *call)
{
    struct rows rows;
    struct victim *victims = NULL;
    rows_open(&rows, call->db, NULL, call->arena, "SELECT region, name FROM functions WHERE account = $1", "s",
              call->account);
    while (rows_next(&rows)) {
        struct victim *victim = ARENA_NEW(call->arena, struct victim);
        *victim = (struct victim){ victims, rows_str(&rows, 0), rows_str(&rows, 1) };
        victims = victim;
    }
    gh_err err = rows_close(&rows);
    for (; victims && !err; victims = victims->next) {
        struct call one = *call;
        const struct lambda_DeleteFunction_in in = { .function_name = victims->name };
        struct lambda_DeleteFunction_out out = { 0 };
        one.region = victims->region;
        err = lambda_DeleteFunction(&one, &in, &out);
    }
    return err;
}
