/* VPC links: names for private targets, which --vpc-link gives to a link's name or to the ARN of its load balancer. */
#include "gateway/store/vpc_link.h"

#include "gateway/ops/ops.h"
#include "gateway/ops/patch.h"
#include "gateway/backend/outside.h"
#include "gateway/state.h"

static gh_err find(struct call *call, struct tx *tx, struct str id, json_t **out);
static gh_err check(struct call *call, const struct apigw_CreateVpcLink_in *in);
static gh_err finish(struct call *call, struct tx *tx, gh_err err, json_t *link, void *out);
static void add_status(struct call *call, json_t *link);
static gh_err check_unused(struct call *call, struct tx *tx, struct str id);
static gh_err patch_name(struct patch *patch);
static struct api_key key_of(struct call *call, struct str id);

enum { LINKS_AWS = 20, LINKS_MAX = 1000 };

static const struct patch_row rows[] = {
    { "/name", PATCH_REPLACE, patch_name },
    { "/description", PATCH_REPLACE, patch_text },
};
static const struct patch_rules rules = { rows, COUNT(rows), patch_refuse_listed, "[/name, /description]" };

/* Answers PENDING and is AVAILABLE from the next look on: there is nothing to wait for [recorded: the
 * first answer has neither statusMessage nor tags]. */
gh_err apigw_CreateVpcLink(struct call *call, const struct apigw_CreateVpcLink_in *in,
                           struct apigw_CreateVpcLink_out *out)
{
    static const char *const members[] = { "name", "description", "targetArns", "tags" };
    struct tx tx;
    struct docs all = { 0 };
    json_t *given = ops_given(call, in, members, COUNT(members));
    gh_err err = check(call, in);
    if (!err)
        err = ops_check_tags(call, json_object_get(given, "tags"));
    if (!err)
        err = vpc_link_list(call->db, call->arena, call->account, call->region, &all);
    if (!err)
        err = ops_limit(call, all.n, LINKS_AWS, LINKS_MAX, "VPC Links");
    if (err)
        return err;
    json_t *link = json_own(call->arena, json_object());
    json_set_str(link, "id", ops_id(call, 6));
    json_object_update(link, given);
    json_t *answer = json_own(call->arena, json_copy(link));
    json_set_str(answer, "status", STR("PENDING"));
    tx_begin(&tx, call->db, call->arena);
    vpc_link_save(&tx, key_of(call, json_str(link, "id")), link);
    err = tx_commit(&tx);
    return err ? err : ops_answer(call, answer, out);
}

gh_err apigw_GetVpcLink(struct call *call, const struct apigw_GetVpcLink_in *in,
                        struct apigw_GetVpcLink_out *out)
{
    json_t *link;
    gh_err err = find(call, NULL, in->vpc_link_id, &link);
    if (err)
        return err;
    child_object(link, "tags");
    add_status(call, link);
    return ops_answer(call, link, out);
}

gh_err apigw_GetVpcLinks(struct call *call, const struct apigw_GetVpcLinks_in *in,
                         struct apigw_GetVpcLinks_out *out)
{
    struct docs docs;
    gh_err err = vpc_link_list(call->db, call->arena, call->account, call->region, &docs);
    for (size_t i = 0; !err && i < docs.n; i++)
        add_status(call, docs.items[i]);
    return err ? err : ops_answer_page(call, &docs, "id", in->position, in->limit, out);
}

gh_err apigw_UpdateVpcLink(struct call *call, const struct apigw_UpdateVpcLink_in *in,
                           struct apigw_UpdateVpcLink_out *out)
{
    struct tx tx;
    json_t *link;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = find(call, &tx, in->vpc_link_id, &link);
    if (!err)
        err = patch_apply(&rules, call->arena, link, &in->patch_operations, NULL);
    if (!err)
        vpc_link_save(&tx, key_of(call, in->vpc_link_id), link);
    return finish(call, &tx, err, link, out);
}

gh_err apigw_DeleteVpcLink(struct call *call, const struct apigw_DeleteVpcLink_in *in,
                           struct apigw_DeleteVpcLink_out *out)
{
    (void)out;
    struct tx tx;
    json_t *link;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = find(call, &tx, in->vpc_link_id, &link);
    if (!err)
        err = check_unused(call, &tx, in->vpc_link_id);
    if (err) {
        tx_rollback(&tx);
        return err;
    }
    vpc_link_delete(&tx, in->vpc_link_id);
    return tx_commit(&tx);
}

/* "Cannot delete vpc link. Vpc link 'x', is referenced in [GET:abc123:dev] in format of [Method:Resource:Stage]." */
static gh_err check_unused(struct call *call, struct tx *tx, struct str id)
{
    struct vpc_link_uses uses;
    struct strbuf list = strbuf_in(call->arena, 128);
    gh_err err = vpc_link_uses_open(&uses, call->db, tx, call->arena, key_of(call, id));
    while (!err && vpc_link_uses_next(&uses)) {
        if (list.len)
            strbuf_add(&list, STR(", "));
        strbuf_printf(&list, "%.*s:%.*s:%.*s", STR_FMT(uses.method), STR_FMT(uses.resource_id), STR_FMT(uses.stage));
    }
    if (err || !list.len)
        return err;
    return ops_bad_request(call, "Cannot delete vpc link. Vpc link '%.*s', is referenced in [%.*s] in format of "
                                 "[Method:Resource:Stage].", STR_FMT(id), (int)list.len, list.ptr);
}

static struct api_key key_of(struct call *call, struct str id)
{
    return (struct api_key){ call->account, call->region, id };
}

static gh_err find(struct call *call, struct tx *tx, struct str id, json_t **out)
{
    gh_err err = vpc_link_load(call->db, tx, call->arena, key_of(call, id), out);
    if (err || *out)
        return err;
    return ops_not_found(call, "Invalid Vpc Link identifier specified");
}

static gh_err finish(struct call *call, struct tx *tx, gh_err err, json_t *link, void *out)
{
    if (err) {
        tx_rollback(tx);
        return err;
    }
    if ((err = tx_commit(tx)))
        return err;
    child_object(link, "tags");
    add_status(call, link);
    return ops_answer(call, link, out);
}

/* What the link leads to is the server's to know, not the row's: it may start with other targets next time. */
static void add_status(struct call *call, json_t *link)
{
    const struct gw_outside *outside = ((const struct gateway *)call->module)->config.outside;
    const struct gw_link *found = outside_find_link(outside, json_str(link, "name"));
    json_t *arns = json_object_get(link, "targetArns"), *arn;
    struct str first = json_value_str(json_array_get(arns, 0));
    size_t i;
    json_array_foreach(arns, i, arn)
        if (!found)
            found = outside_find_link(outside, json_value_str(arn));
    json_set_str(link, "status", found ? STR("AVAILABLE") : STR("FAILED"));
    size_t healthy = found ? link_healthy(found) : 0;
    json_set_str(link, "statusMessage",
                 !found ? str_printf(call->arena, "NLB %.*s has no targets here: --vpc-link %.*s=HOST:PORT says where it leads to",
                                     STR_FMT(first), STR_FMT(json_str(link, "name")))
                 : healthy < found->n ? str_printf(call->arena, "%zu of %zu targets are healthy", healthy, found->n)
                                      : STR("Your vpc link is ready for use"));
}

static gh_err check(struct call *call, const struct apigw_CreateVpcLink_in *in)
{
    if (str_empty(in->name))
        return ops_bad_request(call, "Name cannot be empty");
    for (size_t i = 0; i < in->target_arns.n; i++) {
        struct str rest = in->target_arns.items[i], part;
        size_t colons = 0;
        bool arn = str_starts(rest, STR("arn:"));
        while (str_split(&rest, ':', &part))
            colons++;
        if (!arn || colons < 6)
            return ops_bad_request(call, "Invalid ARN. ARN is not well formed %.*s",
                                   STR_FMT(in->target_arns.items[i]));
    }
    return NULL;
}

static gh_err patch_name(struct patch *patch)
{
    if (str_empty(patch->value))
        return gh_fail(patch->arena, &apigw_BadRequestException, "Name cannot be empty");
    return patch_string(patch);
}
