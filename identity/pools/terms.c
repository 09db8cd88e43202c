/* CreateTerms, DescribeTerms, DescribeTermsByClient, UpdateTerms, ListTerms, DeleteTerms: links to an app client's
 * terms of use and privacy policy, by language. */
#include "core/id.h"
#include "identity/pools/record.h"
#include "wire/codec_json.h"

enum { PAGE = 60, MOST_OF_CLIENT = 8 };

static gh_err not_found(struct call *call)
{
    return gh_fail(call->arena, &idp_ResourceNotFoundException, "Terms do not exist.");
}

/* "Terms document names must be unique to the app client." `except`: the id that may have the name. */
static gh_err find_named(struct call *call, struct tx *tx, const struct pool *pool, struct str client, struct str name,
                         struct idp_TermsType *out, bool *found)
{
    struct pool_record *rows;
    size_t n;
    *found = false;
    gh_err err = store_record_of_owner(call->db, tx, call->arena, pool->id, RECORD_TERMS, client, MOST_OF_CLIENT, &rows, &n);
    for (size_t i = 0; i < n && !err && !*found; i++)
        *found = shape_parse(call->arena, &idp_shape_TermsType, rows[i].doc, out) && str_eq(out->terms_name, name);
    return err;
}

static gh_err check_links(struct call *call, const struct idp_LinksType *links)
{
    for (size_t i = 0; i < links->n; i++)
        if (str_is(links->items[i].key, "cognito:default"))
            return NULL;
    return gh_fail(call->arena, &idp_InvalidParameterException, "Links must have a value for cognito:default.");
}

static gh_err save(struct call *call, struct tx *tx, const struct pool *pool, const struct idp_TermsType *terms)
{
    struct idp_TermsType other;
    bool found;
    gh_err err = find_named(call, tx, pool, terms->client_id, terms->terms_name, &other, &found);
    if (!err && found && !str_eq(other.terms_id, terms->terms_id))
        err = gh_fail(call->arena, &idp_TermsExistsException, "Terms document names must be unique to the app client.");
    if (err)
        return err;
    const struct pool_record record =
        record_of(call, pool, RECORD_TERMS, terms->terms_id, terms->client_id, &idp_shape_TermsType, terms);
    store_record_put(tx, &record);
    return NULL;
}

gh_err idp_CreateTerms(struct call *call, const struct idp_CreateTerms_in *in, struct idp_CreateTerms_out *out)
{
    struct pool pool;
    struct client client;
    struct tx tx;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (!err)
        err = client_of_pool(call, &pool, in->client_id, &client);
    if (!err)
        err = check_links(call, &in->links);
    if (err)
        return err;
    struct idp_TermsType *terms = ARENA_NEW(call->arena, struct idp_TermsType);
    *terms = (struct idp_TermsType){
        .terms_id = id_uuid(call->env, call->arena),
        .user_pool_id = pool.id,
        .client_id = client.id,
        .terms_name = in->terms_name,
        .terms_source = in->terms_source,
        .enforcement = in->enforcement,
        .links = in->links,
        .creation_date = some_time_us(call->now_us),
        .last_modified_date = some_time_us(call->now_us),
    };
    out->terms = terms;
    tx_begin(&tx, call->db, call->arena);
    return record_end(&tx, save(call, &tx, &pool, terms));
}

static gh_err load(struct call *call, struct str pool_id, struct str id, struct pool *pool, struct idp_TermsType **out)
{
    bool found;
    *out = ARENA_NEW(call->arena, struct idp_TermsType);
    gh_err err = pool_load(call, pool_id, pool);
    if (!err)
        err = record_find(call, NULL, pool, RECORD_TERMS, id, &idp_shape_TermsType, *out, &found);
    return !err && !found ? not_found(call) : err;
}

gh_err idp_DescribeTerms(struct call *call, const struct idp_DescribeTerms_in *in, struct idp_DescribeTerms_out *out)
{
    struct pool pool;
    return load(call, in->user_pool_id, in->terms_id, &pool, &out->terms);
}

gh_err idp_DescribeTermsByClient(struct call *call, const struct idp_DescribeTermsByClient_in *in,
                                 struct idp_DescribeTermsByClient_out *out)
{
    struct pool pool;
    struct client client;
    bool found;
    out->terms = ARENA_NEW(call->arena, struct idp_TermsType);
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (!err)
        err = client_of_pool(call, &pool, in->client_id, &client);
    if (!err)
        err = find_named(call, NULL, &pool, client.id, in->terms_name, out->terms, &found);
    return !err && !found ? not_found(call) : err;
}

/* What is left out stays; the links that are given replace all. */
gh_err idp_UpdateTerms(struct call *call, const struct idp_UpdateTerms_in *in, struct idp_UpdateTerms_out *out)
{
    struct pool pool;
    struct tx tx;
    gh_err err = load(call, in->user_pool_id, in->terms_id, &pool, &out->terms);
    if (!err && in->links.set)
        err = check_links(call, &in->links);
    if (err)
        return err;
    struct idp_TermsType *terms = out->terms;
    if (in->terms_name.ptr)
        terms->terms_name = in->terms_name;
    if (in->terms_source.ptr)
        terms->terms_source = in->terms_source;
    if (in->enforcement.ptr)
        terms->enforcement = in->enforcement;
    if (in->links.set)
        terms->links = in->links;
    terms->last_modified_date = some_time_us(call->now_us);
    tx_begin(&tx, call->db, call->arena);
    return record_end(&tx, save(call, &tx, &pool, terms));
}

gh_err idp_ListTerms(struct call *call, const struct idp_ListTerms_in *in, struct idp_ListTerms_out *out)
{
    struct pool pool;
    struct pool_record *rows;
    size_t n;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (!err)
        err = record_page(call, &pool, RECORD_TERMS, in->next_token, in->max_results.set ? in->max_results.value : PAGE,
                          &rows, &n, &out->next_token);
    if (err)
        return err;
    out->terms.set = true;
    out->terms.items = ARENA_ARRAY(call->arena, struct idp_TermsDescriptionType *, n);
    for (size_t i = 0; i < n; i++) {
        struct idp_TermsType terms;
        if (!shape_parse(call->arena, &idp_shape_TermsType, rows[i].doc, &terms))
            continue;
        struct idp_TermsDescriptionType *item = ARENA_NEW(call->arena, struct idp_TermsDescriptionType);
        *item = (struct idp_TermsDescriptionType){ terms.terms_id, terms.terms_name, terms.enforcement,
                                                   terms.creation_date, terms.last_modified_date };
        out->terms.items[out->terms.n++] = item;
    }
    return NULL;
}

gh_err idp_DeleteTerms(struct call *call, const struct idp_DeleteTerms_in *in, struct idp_DeleteTerms_out *out)
{
    (void)out;
    struct pool pool;
    struct idp_TermsType *terms;
    gh_err err = load(call, in->user_pool_id, in->terms_id, &pool, &terms);
    return err ? err : record_drop(call, &pool, RECORD_TERMS, in->terms_id);
}
