/* Tags of REST APIs, stages, VPC links, client certificates, domains, API keys and usage plans, by ARN:
 * arn:aws:apigateway:us-east-1::/restapis/abc/stages/dev */
#include "gateway/ops/ops.h"
#include "gateway/store/client_certificate.h"
#include "gateway/store/domain.h"
#include "gateway/store/usage_plan.h"
#include "gateway/store/vpc_link.h"

/* A resource that has tags, loaded and ready to be written back. */
struct tagged {
    struct call *call;
    struct tx *tx;
    struct str kind; /* "restapis", "vpclinks", "apikeys", "usageplans" */
    struct api_key key;
    struct str stage; /* or absent */
    json_t *doc;
};

static gh_err load(struct call *call, struct tx *tx, struct str arn, struct tagged *out);
static void save(struct tagged *tagged);
static gh_err finish(struct tagged *tagged, struct tx *tx, gh_err err);

gh_err apigw_GetTags(struct call *call, const struct apigw_GetTags_in *in, struct apigw_GetTags_out *out)
{
    struct tagged tagged;
    gh_err err = load(call, NULL, in->resource_arn, &tagged);
    if (err)
        return err;
    json_t *answer = json_own(call->arena, json_object());
    json_object_set(answer, "tags", child_object(tagged.doc, "tags"));
    return ops_answer(call, answer, out);
}

/* "Adds or updates a tag on a given resource." */
gh_err apigw_TagResource(struct call *call, const struct apigw_TagResource_in *in,
                         struct apigw_TagResource_out *out)
{
    static const char *const members[] = { "tags" };
    (void)out;
    struct tagged tagged;
    struct tx tx;
    json_t *fresh = json_object_get(ops_given(call, in, members, COUNT(members)), "tags");
    tx_begin(&tx, call->db, call->arena);
    gh_err err = load(call, &tx, in->resource_arn, &tagged);
    if (!err && fresh)
        json_object_update(child_object(tagged.doc, "tags"), fresh);
    if (!err)
        err = ops_check_tags(call, json_object_get(tagged.doc, "tags"));
    return finish(&tagged, &tx, err);
}

gh_err apigw_UntagResource(struct call *call, const struct apigw_UntagResource_in *in,
                           struct apigw_UntagResource_out *out)
{
    (void)out;
    struct tagged tagged;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = load(call, &tx, in->resource_arn, &tagged);
    for (size_t i = 0; !err && i < in->tag_keys.n; i++)
        child_remove(tagged.doc, "tags", in->tag_keys.items[i]);
    return finish(&tagged, &tx, err);
}

static gh_err load(struct call *call, struct tx *tx, struct str arn, struct tagged *out)
{
    struct str rest = arn, part[5] = { STR_NONE }, empty, stages;
    *out = (struct tagged){ .call = call, .tx = tx };
    for (size_t i = 0; i < COUNT(part); i++)
        str_split(&rest, ':', &part[i]);
    struct api_key key = { call->account, part[3], STR_NONE };
    gh_err err = NULL;
    if (!str_is(part[0], "arn") || !str_is(part[2], "apigateway") || !str_starts(rest, STR("/")))
        return ops_bad_request(call, "Invalid ARN specified in the request");
    str_split(&rest, '/', &empty);
    if (!str_split(&rest, '/', &out->kind) || !str_split(&rest, '/', &key.id))
        return ops_bad_request(call, "Invalid ARN specified in the request");
    out->key = key;
    if (str_is(out->kind, "vpclinks") && !rest.ptr) {
        err = vpc_link_load(call->db, tx, call->arena, key, &out->doc);
    } else if (str_is(out->kind, "clientcertificates") && !rest.ptr) {
        err = certificate_load(call->db, tx, call->arena, key, &out->doc);
    } else if (str_is(out->kind, "domainnames") && !rest.ptr) {
        struct str id = key.id, name; /* "x.test", or of private ones "x.test+abcd" */
        str_split(&id, '+', &name);
        err = domain_load(call->db, tx, call->arena, key.account, key.region, name, &out->doc);
    } else if (str_is(out->kind, "apikeys") && !rest.ptr) {
        err = apikey_load(call->db, tx, call->arena, key, &out->doc);
    } else if (str_is(out->kind, "usageplans") && !rest.ptr) {
        err = plan_load(call->db, tx, call->arena, key, &out->doc);
    } else if (str_is(out->kind, "restapis")) {
        err = api_load(call->db, tx, call->arena, key, &out->doc);
        bool has_stage = str_split(&rest, '/', &stages);
        if (has_stage && !str_is(stages, "stages"))
            return ops_bad_request(call, "Invalid ARN specified in the request");
        out->stage = has_stage ? rest : STR_NONE;
        if (!err && out->doc && has_stage)
            err = stage_load(call->db, tx, call->arena, key.id, out->stage, &out->doc);
    } else {
        return ops_bad_request(call, "Invalid ARN specified in the request");
    }
    if (err || out->doc)
        return err;
    return ops_not_found(call, "Invalid resource identifier specified");
}

static void save(struct tagged *tagged)
{
    if (str_is(tagged->kind, "vpclinks"))
        vpc_link_save(tagged->tx, tagged->key, tagged->doc);
    else if (str_is(tagged->kind, "clientcertificates"))
        certificate_save(tagged->tx, tagged->key.id, tagged->doc);
    else if (str_is(tagged->kind, "domainnames"))
        domain_save(tagged->tx, tagged->doc);
    else if (str_is(tagged->kind, "apikeys"))
        apikey_save(tagged->tx, tagged->key, tagged->call->now_us, tagged->doc);
    else if (str_is(tagged->kind, "usageplans"))
        plan_save(tagged->tx, tagged->key, tagged->call->now_us, tagged->doc);
    else if (tagged->stage.ptr)
        stage_save(tagged->tx, tagged->key.id, tagged->doc);
    else
        api_save(tagged->tx, tagged->key.id, tagged->doc);
}

/* "The tag key can be up to 128 characters and must not start with aws:. The tag value can be up to
 * 256 characters." "You can assign up to 50 tags" */
gh_err ops_check_tags(struct call *call, const json_t *tags)
{
    const char *name;
    json_t *value;
    if (json_object_size(tags) > 50)
        return gh_fail(call->arena, &apigw_LimitExceededException,
                       "A resource cannot have more than 50 tags");
    json_object_foreach((json_t *)tags, name, value) {
        if (str_starts_nocase(str_of(name), STR("aws:")))
            return ops_bad_request(call, "Invalid tag key: %s. Tag keys must not start with aws:", name);
        if (!*name || strlen(name) > 128 || json_string_length(value) > 256)
            return ops_bad_request(call, "Invalid tag %s. Keys have 1 to 128, values 0 to 256 characters",
                                   name);
    }
    return NULL;
}

static gh_err finish(struct tagged *tagged, struct tx *tx, gh_err err)
{
    if (err) {
        tx_rollback(tx);
        return err;
    }
    save(tagged);
    return tx_commit(tx);
}
