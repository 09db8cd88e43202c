#include "identity/iam/credentials/credential_report.h"

#include <stdlib.h>

#include "core/time.h"
#include "identity/iam/credentials/password_rules.h"
#include "identity/iam/reports/last_access.h"
#include "identity/store/login_profile.h"
#include "identity/store/mfa_device.h"
#include "identity/store/user_key.h"

enum { KEYS = 2, CERTIFICATES = 2, DAY_S = 86400 };

static const char HEADER[] =
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,"
    "mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,"
    "access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,"
    "access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,"
    "cert_1_last_rotated,cert_2_active,cert_2_last_rotated";

static const struct str NONE = STR_INIT("N/A");

/* Names of users may have commas in them. */
static void add_first(struct strbuf *csv, struct str value)
{
    bool quoted = str_find(value, ',') >= 0;
    if (quoted)
        strbuf_char(csv, '"');
    strbuf_add(csv, value);
    if (quoted)
        strbuf_char(csv, '"');
}

static void add(struct strbuf *csv, struct str value)
{
    strbuf_char(csv, ',');
    add_first(csv, value);
}

static void add_flag(struct strbuf *csv, bool on)
{
    add(csv, on ? STR("true") : STR("false"));
}

static void add_time(struct call *call, struct strbuf *csv, int64_t us)
{
    add(csv, us ? time_iso8601(call->arena, us / 1000000) : NONE);
}

static gh_err add_password(struct call *call, struct strbuf *csv, const struct password_rules *rules, struct str owner)
{
    struct login_profile profile;
    bool found = false;
    gh_err err = login_profile_find(call->db, NULL, call->arena, owner, &profile, &found);
    add_flag(csv, found);
    if (found && !profile.used_us)
        add(csv, STR("no_information"));
    else
        add_time(call, csv, found ? profile.used_us : 0);
    add_time(call, csv, found ? profile.changed_us : 0);
    add_time(call, csv, found && rules->max_age_days ? profile.changed_us + rules->max_age_days * DAY_S * 1000000 : 0);
    return err;
}

static gh_err add_mfa(struct call *call, struct strbuf *csv, struct str owner)
{
    struct mfa_devices devices;
    gh_err err = mfa_device_list(call->db, NULL, call->arena, owner, &devices);
    add_flag(csv, !err && devices.n > 0);
    return err;
}

static int by_id(const void *a, const void *b)
{
    return str_cmp(((const struct access_key *)a)->id, ((const struct access_key *)b)->id);
}

/* "active: true when the user has a key and its status is Active"; one that is not keeps its times. */
static gh_err add_keys(struct call *call, struct strbuf *csv, struct str owner)
{
    struct access_keys keys;
    gh_err err = access_key_list(call->db, NULL, call->sealer, call->arena, owner, &keys);
    if (err)
        return err;
    qsort(keys.items, keys.n, sizeof *keys.items, by_id);
    for (size_t i = 0; i < KEYS && !err; i++) {
        bool there = i < keys.n;
        struct accessed last = { .at_s = 0 };
        if (there)
            err = last_access_of_key(iam_identity(call), call->arena, keys.items[i].id, &last);
        add_flag(csv, there && str_is(keys.items[i].status, "Active"));
        add_time(call, csv, there ? keys.items[i].created_us : 0);
        add_time(call, csv, last.at_s * 1000000);
        add(csv, last.at_s ? last.region : NONE);
        add(csv, last.at_s ? last.service : NONE);
    }
    return err;
}

static int by_status(const void *a, const void *b)
{
    const struct user_key *one = a, *other = b;
    int order = str_cmp(other->status, one->status); /* Inactive first (seen) */
    return order ? order : str_cmp(one->id, other->id);
}

static gh_err add_certificates(struct call *call, struct strbuf *csv, struct str owner)
{
    struct user_keys all;
    gh_err err = signing_certificate_list(call->db, NULL, call->arena, owner, &all);
    if (err)
        return err;
    qsort(all.items, all.n, sizeof *all.items, by_status);
    for (size_t i = 0; i < CERTIFICATES; i++) {
        add_flag(csv, i < all.n && str_is(all.items[i].status, "Active"));
        add_time(call, csv, i < all.n ? all.items[i].created_us : 0);
    }
    return NULL;
}

static gh_err add_rest(struct call *call, struct strbuf *csv, struct str owner)
{
    gh_err err = add_mfa(call, csv, owner);
    if (!err)
        err = add_keys(call, csv, owner);
    return err ? err : add_certificates(call, csv, owner);
}

/* An account's age is that of the oldest thing in it: nobody founded it. */
static gh_err account_created_us(struct call *call, const struct entity_list *users, int64_t *out)
{
    struct access_keys keys;
    gh_err err = access_key_list(call->db, NULL, call->sealer, call->arena, call->account, &keys);
    *out = call->now_us;
    for (size_t i = 0; !err && i < keys.n; i++)
        *out = keys.items[i].created_us < *out ? keys.items[i].created_us : *out;
    for (size_t i = 0; i < users->n; i++)
        *out = users->items[i].created_us < *out ? users->items[i].created_us : *out;
    return err;
}

static gh_err add_root(struct call *call, struct strbuf *csv, const struct entity_list *users)
{
    int64_t created_us;
    gh_err err = account_created_us(call, users, &created_us);
    strbuf_add(csv, STR("\n<root_account>"));
    add(csv, str_printf(call->arena, "arn:aws:iam::%.*s:root", STR_FMT(call->account)));
    add_time(call, csv, created_us);
    add(csv, STR("not_supported")); /* its password is not IAM's */
    add(csv, STR("no_information"));
    add(csv, STR("not_supported"));
    add(csv, STR("not_supported"));
    return err ? err : add_rest(call, csv, call->account);
}

static gh_err add_user(struct call *call, struct strbuf *csv, const struct password_rules *rules,
                       const struct entity *user)
{
    strbuf_char(csv, '\n');
    add_first(csv, user->name);
    add(csv, user->arn);
    add_time(call, csv, user->created_us);
    gh_err err = add_password(call, csv, rules, user->id);
    return err ? err : add_rest(call, csv, user->id);
}

gh_err credential_report_write(struct call *call, struct str *csv)
{
    struct password_rules rules;
    struct entity_list users;
    struct strbuf text = strbuf_in(call->arena, 4096);
    gh_err err = password_rules_load(call->db, call->arena, call->account, &rules);
    if (!err)
        err = entity_list(call->db, call->arena, call->account, ENTITY_USER, STR_NONE, STR_NONE, INT32_MAX, &users);
    strbuf_add(&text, STR(HEADER));
    if (!err)
        err = add_root(call, &text, &users);
    for (size_t i = 0; !err && i < users.n; i++)
        err = add_user(call, &text, &rules, &users.items[i]);
    *csv = strbuf_view(&text);
    return err;
}
