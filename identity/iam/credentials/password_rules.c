#include "identity/iam/credentials/password_rules.h"

#include "core/json.h"

#define POLICY STR("password-policy")

enum { DEFAULT_LENGTH = 8, CUSTOM_LENGTH = 6, DEFAULT_KINDS = 3, DAY_S = 86400 };

/* "! @ # $ % ^ & * ( ) _ + - (hyphen) = [ ] { } | '" */
static const char symbols[] = "!@#$%^&*()_+-=[]{}|'";

static bool is_broken_kind(struct str password, int kind)
{
    for (size_t i = 0; i < password.len; i++) {
        char c = password.ptr[i];
        const bool fits[] = { c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9',
                              c && strchr(symbols, c) };
        if (fits[kind])
            return false;
    }
    return true;
}

static void add(struct strbuf *list, struct str text)
{
    if (list->len)
        strbuf_add(list, STR(", "));
    strbuf_add(list, text);
}

static int64_t characters(struct str text)
{
    int64_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    return n;
}

struct str password_rules_broken(struct arena *arena, const struct password_rules *rules, struct str password)
{
    static const char *const texts[] = {
        "Password should have at least one uppercase letter", "Password should have at least one lowercase letter",
        "Password should have at least one number", "Password should have at least one symbol",
    };
    const bool wanted[] = { rules->uppercase, rules->lowercase, rules->numbers, rules->symbols };
    struct strbuf broken = strbuf_in(arena, 128), missing = strbuf_in(arena, 128);
    int kinds = 0;
    if (characters(password) < rules->minimum_length)
        add(&broken, str_printf(arena, "Password should have a minimum length of %lld",
                                (long long)rules->minimum_length));
    for (int i = 0; i < (int)COUNT(texts); i++) {
        bool none = is_broken_kind(password, i);
        kinds += !none;
        if (none && rules->custom && wanted[i])
            add(&broken, str_of(texts[i]));
        if (none && !rules->custom)
            add(&missing, str_of(texts[i]));
    }
    if (!rules->custom && kinds < DEFAULT_KINDS)
        add(&broken, str_printf(arena, "Password should meet %d more of the following requirements: %s",
                                DEFAULT_KINDS - kinds, strbuf_view(&missing).ptr));
    return broken.len ? strbuf_view(&broken) : STR_NONE;
}

bool password_rules_expired(const struct password_rules *rules, int64_t changed_us, int64_t now_us)
{
    return rules->max_age_days && (now_us - changed_us) / 1000000 >= rules->max_age_days * DAY_S;
}

gh_err password_rules_load(struct db *db, struct arena *arena, struct str account, struct password_rules *out)
{
    struct str text, why;
    gh_err err = account_get(db, arena, account, POLICY, &text);
    *out = (struct password_rules){ .minimum_length = DEFAULT_LENGTH };
    if (err || !text.ptr)
        return err;
    const json_t *doc = json_parse(arena, text, &why);
    *out = (struct password_rules){
        .custom = true,
        .minimum_length = json_i64(doc, "minimumLength", CUSTOM_LENGTH),
        .symbols = json_flag(doc, "symbols", false),
        .numbers = json_flag(doc, "numbers", false),
        .uppercase = json_flag(doc, "uppercase", false),
        .lowercase = json_flag(doc, "lowercase", false),
        .allow_change = json_flag(doc, "allowChange", false),
        .max_age_days = json_i64(doc, "maxAge", 0),
        .reuse = json_i64(doc, "reuse", 0),
        .hard_expiry = json_flag(doc, "hardExpiry", false),
    };
    return NULL;
}

/* "This operation does not support partial updates. No parameters are required, but if you do not specify a
 * parameter, that parameter's value reverts to its default value." */
gh_err iam_UpdateAccountPasswordPolicy(struct call *call, const struct iam_UpdateAccountPasswordPolicy_in *in,
                                       struct iam_UpdateAccountPasswordPolicy_out *out)
{
    (void)out;
    json_t *doc = json_own(call->arena, json_object());
    const struct {
        const char *name;
        bool on;
    } flags[] = {
        { "symbols", in->require_symbols.value },
        { "numbers", in->require_numbers.value },
        { "uppercase", in->require_uppercase_characters.value },
        { "lowercase", in->require_lowercase_characters.value },
        { "allowChange", in->allow_users_to_change_password.value },
        { "hardExpiry", in->hard_expiry.value },
    };
    for (size_t i = 0; i < COUNT(flags); i++)
        json_set_flag(doc, flags[i].name, flags[i].on);
    json_set_i64(doc, "minimumLength", in->minimum_password_length.set ? in->minimum_password_length.value : CUSTOM_LENGTH);
    json_set_i64(doc, "maxAge", in->max_password_age.value);
    json_set_i64(doc, "reuse", in->password_reuse_prevention.value);
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    account_put(&tx, call->account, POLICY, json_print(call->arena, doc));
    return iam_finish(&tx, NULL);
}

gh_err iam_GetAccountPasswordPolicy(struct call *call, const struct iam_GetAccountPasswordPolicy_in *in,
                                    struct iam_GetAccountPasswordPolicy_out *out)
{
    (void)in;
    struct password_rules rules;
    gh_err err = password_rules_load(call->db, call->arena, call->account, &rules);
    if (!err && !rules.custom)
        err = gh_fail(call->arena, &iam_NoSuchEntityException,
                      "The Password Policy with domain name %.*s cannot be found.", STR_FMT(call->account));
    if (err)
        return err;
    out->password_policy = ARENA_NEW(call->arena, struct iam_PasswordPolicy);
    *out->password_policy = (struct iam_PasswordPolicy){
        .minimum_password_length = some_i64(rules.minimum_length),
        .require_symbols = some_bool(rules.symbols),
        .require_numbers = some_bool(rules.numbers),
        .require_uppercase_characters = some_bool(rules.uppercase),
        .require_lowercase_characters = some_bool(rules.lowercase),
        .allow_users_to_change_password = some_bool(rules.allow_change),
        .expire_passwords = some_bool(rules.max_age_days > 0),
        .hard_expiry = some_bool(rules.hard_expiry),
    };
    if (rules.max_age_days)
        out->password_policy->max_password_age = some_i64(rules.max_age_days);
    if (rules.reuse)
        out->password_policy->password_reuse_prevention = some_i64(rules.reuse);
    return NULL;
}

gh_err iam_DeleteAccountPasswordPolicy(struct call *call, const struct iam_DeleteAccountPasswordPolicy_in *in,
                                       struct iam_DeleteAccountPasswordPolicy_out *out)
{
    (void)in;
    (void)out;
    struct password_rules rules;
    gh_err err = password_rules_load(call->db, call->arena, call->account, &rules);
    if (!err && !rules.custom)
        err = gh_fail(call->arena, &iam_NoSuchEntityException,
                      "The account policy with name PasswordPolicy cannot be found.");
    if (err)
        return err;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    account_drop(&tx, call->account, POLICY);
    return iam_finish(&tx, NULL);
}
