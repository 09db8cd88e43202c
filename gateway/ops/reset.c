/* Dev mode's POST /_gatehouse/reset: everything of one account goes, in all regions. */
#include "gateway/gateway.h"
#include "gateway/ops/apikey.h"
#include "gateway/domain/publish.h"
#include "gateway/store/client_certificate.h"
#include "gateway/store/domain.h"
#include "gateway/store/vpc_link.h"

gh_err gateway_reset(struct call *call)
{
    struct api_keys apis;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    domain_delete_all(&tx, call->account); /* first: an API that a domain leads to is not deleted */
    gh_err err = tx_commit(&tx);
    if (!err)
        err = gateway_publish_domains(call->module, call);
    if (!err)
        err = api_keys_of(call->db, call->arena, call->account, &apis);
    for (size_t i = 0; !err && i < apis.n; i++) {
        struct call one = *call;
        const struct apigw_DeleteRestApi_in in = { .rest_api_id = apis.items[i].id };
        struct apigw_DeleteRestApi_out out = { 0 };
        one.region = apis.items[i].region;
        err = apigw_DeleteRestApi(&one, &in, &out);
    }
    if (err)
        return err;
    struct id_list plans, keys;
    err = plan_ids_of(call->db, call->arena, call->account, &plans);
    if (!err)
        err = apikey_ids_of(call->db, call->arena, call->account, &keys);
    if (err)
        return err;
    tx_begin(&tx, call->db, call->arena);
    vpc_link_delete_all(&tx, call->account);
    certificate_delete_all(&tx, call->account);
    for (size_t i = 0; i < plans.n; i++)
        plan_delete(&tx, plans.items[i]);
    for (size_t i = 0; i < keys.n; i++)
        apikey_delete(&tx, keys.items[i]);
    account_delete(&tx, call->account);
    err = tx_commit(&tx);
    if (!err)
        err = plans_publish(call, &plans);
    return err ? err : usage_publish_keys(call->module, call, keys.items, keys.n);
}
