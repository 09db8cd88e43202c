/* User names and passwords for services that speak other protocols than AWS's. */
#include "identity/store/service_credential.h"

#include "core/id.h"
#include "identity/iam/credentials/status.h"

enum { PER_SERVICE = 2 };

static gh_err check_service(struct call *call, struct str service)
{
    static const char *const known[] = { "codecommit.amazonaws.com", "cassandra.amazonaws.com" };
    for (size_t i = 0; i < COUNT(known); i++)
        if (str_is(service, known[i]))
            return NULL;
    return gh_fail(call->arena, &iam_NoSuchEntityException,
                   "No such service %.*s is supported for Service Specific Credentials", STR_FMT(service));
}

static struct str new_password(struct call *call)
{
    return id_random(call->env, call->arena, 44, ID_SECRET "+=");
}

static struct iam_ServiceSpecificCredential *describe(struct call *call, const struct entity *user,
                                                      const struct service_credential *one)
{
    struct iam_ServiceSpecificCredential *out = ARENA_NEW(call->arena, struct iam_ServiceSpecificCredential);
    *out = (struct iam_ServiceSpecificCredential){
        .create_date = iam_time(one->created_us),
        .service_name = one->service,
        .service_user_name = one->service_user_name,
        .service_password = one->secret,
        .service_specific_credential_id = one->id,
        .user_name = user->name,
        .status = one->status,
    };
    return out;
}

gh_err iam_CreateServiceSpecificCredential(struct call *call, const struct iam_CreateServiceSpecificCredential_in *in,
                                           struct iam_CreateServiceSpecificCredential_out *out)
{
    struct entity user;
    struct service_credentials all;
    struct service_credential one = { .service = in->service_name, .status = STR("Active"),
                                      .created_us = call->now_us, .secret = new_password(call) };
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = iam_find(call, &tx, ENTITY_USER, in->user_name, &user);
    if (!err)
        err = check_service(call, in->service_name);
    if (!err)
        err = service_credential_list(call->db, &tx, call->arena, user.id, &all);
    size_t same = 0;
    for (size_t i = 0; !err && i < all.n; i++)
        same += str_eq(all.items[i].service, in->service_name);
    if (!err && same >= PER_SERVICE)
        err = gh_fail(call->arena, &iam_LimitExceededException,
                      "Cannot exceed quota for ServiceSpecificCredentialsPerUser: %d", PER_SERVICE);
    if (!err) {
        one.owner = user.id;
        one.id = str_concat(call->arena, STR("ACCA"), id_random(call->env, call->arena, 17, ID_UPPER_BASE32));
        one.service_user_name = str_printf(call->arena, "%.*s%s-at-%.*s", STR_FMT(user.name), same ? "+1" : "",
                                           STR_FMT(call->account));
        service_credential_insert(&tx, call->sealer, &one);
    }
    err = iam_finish(&tx, err);
    if (!err)
        out->service_specific_credential = describe(call, &user, &one);
    return err;
}

static struct str nth_id(const void *items, size_t i)
{
    return ((const struct service_credential *)items)[i].id;
}

/* "AllUsers cannot be specified together with UserName." */
static gh_err list(struct call *call, const struct iam_ListServiceSpecificCredentials_in *in,
                   struct service_credentials *out)
{
    struct entity user;
    size_t n = 0;
    gh_err err = NULL;
    if (in->all_users.value && in->user_name.ptr)
        err = gh_fail(call->arena, &IAM_VALIDATION_ERROR, "AllUsers cannot be specified together with UserName.");
    else if (!in->all_users.value)
        err = iam_user_or_caller(call, NULL, in->user_name, &user);
    if (!err && in->service_name.ptr)
        err = check_service(call, in->service_name);
    if (!err)
        err = in->all_users.value ? service_credential_list_all(call->db, call->arena, call->account, out)
                                  : service_credential_list(call->db, NULL, call->arena, user.id, out);
    if (err)
        return err;
    for (size_t i = 0; i < out->n; i++)
        if (!in->service_name.ptr || str_eq(out->items[i].service, in->service_name))
            out->items[n++] = out->items[i];
    out->n = n;
    return NULL;
}

static gh_err owner_name(struct call *call, struct str owner, struct str *name)
{
    struct entity user;
    bool found = false;
    gh_err err = entity_load_id(call->db, NULL, call->arena, owner, &user, &found);
    *name = found ? user.name : STR("");
    return err;
}

gh_err iam_ListServiceSpecificCredentials(struct call *call, const struct iam_ListServiceSpecificCredentials_in *in,
                                          struct iam_ListServiceSpecificCredentials_out *out)
{
    struct service_credentials all;
    struct iam_page page;
    gh_err err = iam_page(call, in->marker, in->max_items, &page);
    if (!err)
        err = list(call, in, &all);
    if (err)
        return err;
    struct iam_cut cut = iam_cut(call, &page, all.items, all.n, nth_id);
    struct iam_ServiceSpecificCredentialsListType *rows = &out->service_specific_credentials;
    *rows = (struct iam_ServiceSpecificCredentialsListType){
        true, cut.n, ARENA_ARRAY(call->arena, struct iam_ServiceSpecificCredentialMetadata *, cut.n) };
    for (size_t i = 0; i < cut.n && !err; i++) {
        const struct service_credential *one = &all.items[cut.first + i];
        struct iam_ServiceSpecificCredentialMetadata *row = rows->items[i] =
            ARENA_NEW(call->arena, struct iam_ServiceSpecificCredentialMetadata);
        *row = (struct iam_ServiceSpecificCredentialMetadata){
            .status = one->status, .service_user_name = one->service_user_name,
            .create_date = iam_time(one->created_us), .service_specific_credential_id = one->id,
            .service_name = one->service };
        err = owner_name(call, one->owner, &row->user_name);
    }
    out->is_truncated = some_bool(cut.truncated);
    out->marker = cut.marker;
    return err;
}

static gh_err find(struct call *call, struct tx *tx, struct str user_name, struct str id, struct entity *user,
                   struct service_credential *out)
{
    struct service_credentials all;
    gh_err err = iam_user_or_caller(call, tx, user_name, user);
    if (!err)
        err = service_credential_list(call->db, tx, call->arena, user->id, &all);
    for (size_t i = 0; !err && i < all.n; i++)
        if (str_eq(all.items[i].id, id)) {
            *out = all.items[i];
            return NULL;
        }
    return err ? err
               : gh_fail(call->arena, &iam_NoSuchEntityException, "No such credential %.*s exists", STR_FMT(id));
}

gh_err iam_UpdateServiceSpecificCredential(struct call *call, const struct iam_UpdateServiceSpecificCredential_in *in,
                                           struct iam_UpdateServiceSpecificCredential_out *out)
{
    (void)out;
    struct entity user;
    struct service_credential one;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = credential_status_check(call, in->status);
    if (!err)
        err = find(call, &tx, in->user_name, in->service_specific_credential_id, &user, &one);
    if (!err)
        service_credential_set_status(&tx, one.id, in->status);
    return iam_finish(&tx, err);
}

gh_err iam_ResetServiceSpecificCredential(struct call *call, const struct iam_ResetServiceSpecificCredential_in *in,
                                          struct iam_ResetServiceSpecificCredential_out *out)
{
    struct entity user;
    struct service_credential one;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = find(call, &tx, in->user_name, in->service_specific_credential_id, &user, &one);
    if (!err) {
        one.secret = new_password(call);
        service_credential_set_secret(&tx, call->sealer, one.id, one.secret);
    }
    err = iam_finish(&tx, err);
    if (!err)
        out->service_specific_credential = describe(call, &user, &one);
    return err;
}

gh_err iam_DeleteServiceSpecificCredential(struct call *call, const struct iam_DeleteServiceSpecificCredential_in *in,
                                           struct iam_DeleteServiceSpecificCredential_out *out)
{
    (void)out;
    struct entity user;
    struct service_credential one;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = find(call, &tx, in->user_name, in->service_specific_credential_id, &user, &one);
    if (!err)
        service_credential_delete(&tx, one.id);
    return iam_finish(&tx, err);
}
