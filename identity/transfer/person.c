#include "identity/transfer/person.h"

#include "core/base64.h"
#include "core/json.h"
#include "core/time.h"

enum { MOST_VALUE = 2048 };

struct reading {
    struct call *call;
    const struct pool *pool;
    const json_t *parameters, *record;
    struct person *out;
    struct str *why;
};

struct person_source {
    const char *name;
    bool (*read)(struct reading *r);
};

static bool no(struct reading *r, const char *text)
{
    *r->why = str_of(text);
    return false;
}

static struct str text_of(struct reading *r, const json_t *value)
{
    if (json_is_string(value))
        return json_value_str(value);
    return json_is_boolean(value)   ? (json_is_true(value) ? STR("true") : STR("false"))
           : json_is_integer(value) ? str_printf(r->call->arena, "%lld", (long long)json_integer_value(value))
                                    : STR_NONE;
}

static void ignore(struct reading *r, struct str name)
{
    json_array_append_new(r->out->ignored, json_of(name));
}

/* Under its own name, or custom:name. What the schema does not have is told, not kept. */
static void set(struct reading *r, struct str name, struct str value)
{
    struct arena *arena = r->call->arena;
    struct str custom = str_concat(arena, STR("custom:"), name);
    struct str as = pool_attribute(r->pool, name) ? name : pool_attribute(r->pool, custom) ? custom : STR_NONE;
    if (!value.len)
        return;
    if (!as.ptr || str_is(as, "sub") || str_is(as, "identities") || value.len > MOST_VALUE)
        ignore(r, name);
    else
        json_object_set_new(r->out->attributes, str_c(arena, as), json_of(value));
}

static void set_member(struct reading *r, const char *member, const char *attribute)
{
    set(r, str_of(attribute), text_of(r, json_object_get(r->record, member)));
}

static void add_name(struct reading *r, struct str name)
{
    for (size_t i = 0; name.len && i < COUNT(r->out->names); i++) {
        if (r->out->names[i].ptr)
            continue;
        r->out->names[i] = name;
        return;
    }
}

static bool is_uuid(struct str text)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    bool right = text.len == sizeof form - 1;
    for (size_t i = 0; right && i < text.len; i++)
        right = form[i] == '-' ? text.ptr[i] == '-' : strchr("0123456789abcdef", text.ptr[i]) && text.ptr[i];
    return right;
}

static void set_id(struct reading *r, struct str id)
{
    if (is_uuid(id))
        r->out->sub = id;
    r->out->source_id = id;
}

static bool take_hash(struct reading *r, struct str hash)
{
    r->out->password = hash;
    return !hash.ptr || foreign_hash_valid(r->call->arena, hash, r->why);
}

/* Milliseconds as a number or text, or an instant. */
static void set_created(struct reading *r, const json_t *value)
{
    double s;
    int64_t ms;
    struct str text = text_of(r, value);
    if (text.ptr && str_i64(text, &ms))
        r->out->created_us = ms * 1000;
    else if (text.ptr && time_parse_iso8601(text, &s))
        r->out->created_us = (int64_t)(s * 1e6);
}

/* ---- ours ---- */

static bool read_ours(struct reading *r)
{
    const char *name;
    json_t *value;
    struct person *p = r->out;
    struct str totp = json_str(r->record, "totpSecret");
    add_name(r, json_str(r->record, "username"));
    json_object_foreach(json_object_get(r->record, "attributes"), name, value)
        set(r, str_of(name), text_of(r, value));
    add_name(r, json_str(p->attributes, "email"));
    add_name(r, json_str(p->attributes, "phone_number"));
    p->source_id = json_str(r->record, "id");
    p->sub = json_str(r->record, "sub");
    if (p->sub.ptr && !is_uuid(p->sub))
        return no(r, "sub is not a UUID in lower case");
    p->enabled = json_flag(r->record, "enabled", true);
    p->status = json_str(r->record, "status");
    p->groups = json_object_get(r->record, "groups");
    set_created(r, json_object_get(r->record, "created"));
    if (totp.ptr && !base32_decode(r->call->arena, totp, &p->totp))
        return no(r, "totpSecret is not base32");
    return take_hash(r, json_str(r->record, "passwordHash"));
}

/* ---- Keycloak: users[] of a realm's export ---- */

static bool keycloak_totp(struct reading *r, const json_t *credential)
{
    struct arena *arena = r->call->arena;
    const json_t *data = json_parse(arena, json_str(credential, "credentialData"), NULL),
                 *secret = json_parse(arena, json_str(credential, "secretData"), NULL);
    struct str algorithm = json_str(data, "algorithm");
    bool fits = str_is(json_str(data, "subType"), "totp") && json_i64(data, "digits", 0) == 6 &&
                json_i64(data, "period", 0) == 30 && str_is(algorithm, "HmacSHA1") && json_str(secret, "value").len;
    if (fits)
        r->out->totp = json_str(secret, "value"); /* its bytes are the key */
    else
        ignore(r, STR("(otp)"));
    return true;
}

static bool keycloak_credentials(struct reading *r)
{
    const json_t *one;
    size_t i;
    json_array_foreach(json_object_get(r->record, "credentials"), i, one) {
        struct str type = json_str(one, "type");
        if (str_is(type, "password") && json_str(one, "value").ptr)
            return no(r, "the credential is a password in the clear: export with hashes");
        if (str_is(type, "password") && !foreign_hash_keycloak(r->call->arena, one, &r->out->password, r->why))
            return false;
        if (str_is(type, "otp"))
            keycloak_totp(r, one);
        else if (!str_is(type, "password"))
            ignore(r, str_printf(r->call->arena, "(%.*s)", STR_FMT(type.ptr ? type : STR("credential"))));
    }
    return true;
}

static bool read_keycloak(struct reading *r)
{
    const char *name;
    json_t *values, *one;
    size_t i;
    add_name(r, json_str(r->record, "username"));
    add_name(r, json_str(r->record, "email"));
    set_id(r, json_str(r->record, "id"));
    set_member(r, "email", "email");
    set_member(r, "emailVerified", "email_verified");
    set_member(r, "firstName", "given_name");
    set_member(r, "lastName", "family_name");
    json_object_foreach(json_object_get(r->record, "attributes"), name, values)
        set(r, str_of(name), text_of(r, json_is_array(values) ? json_array_get(values, 0) : values));
    add_name(r, r->out->source_id);
    r->out->enabled = json_flag(r->record, "enabled", true);
    set_created(r, json_object_get(r->record, "createdTimestamp"));
    json_array_foreach(json_object_get(r->record, "requiredActions"), i, one)
        if (str_is(json_value_str(one), "UPDATE_PASSWORD"))
            r->out->status = STR("RESET_REQUIRED");
    r->out->groups = json_own(r->call->arena, json_array());
    json_array_foreach(json_object_get(r->record, "groups"), i, one) {
        struct str path = json_value_str(one);
        json_array_append_new(r->out->groups, json_of(str_starts(path, STR("/")) ? str_from(path, 1) : path));
    }
    return keycloak_credentials(r);
}

/* ---- Auth0 ---- */

static bool read_auth0(struct reading *r)
{
    static const char *const same[] = { "email", "given_name", "family_name", "name", "nickname", "picture", "phone_number",
                                        "email_verified" };
    const json_t *id = json_object_get(r->record, "_id"), *custom = json_object_get(r->record, "custom_password_hash");
    struct str user_id = json_str(r->record, "user_id"), hash = json_str(r->record, "passwordHash");
    if (!hash.ptr)
        hash = json_str(r->record, "password_hash");
    if (!hash.ptr && custom) {
        hash = json_str(json_object_get(custom, "hash"), "value");
        if (!str_is(json_str(custom, "algorithm"), "bcrypt") && !str_is(json_str(custom, "algorithm"), "argon2") && hash.ptr)
            return no(r, "custom_password_hash has an algorithm that is not read here: bcrypt and argon2 are");
    }
    add_name(r, json_str(r->record, "username"));
    add_name(r, json_str(r->record, "email"));
    add_name(r, json_str(r->record, "phone_number"));
    set_id(r, user_id.ptr ? user_id : json_is_object(id) ? json_str(id, "$oid") : json_value_str(id));
    add_name(r, r->out->source_id);
    for (size_t i = 0; i < COUNT(same); i++)
        set_member(r, same[i], same[i]);
    set_member(r, "phone_verified", "phone_number_verified");
    set_member(r, "phone_number_verified", "phone_number_verified");
    r->out->enabled = !json_flag(r->record, "blocked", false);
    set_created(r, json_object_get(r->record, "created_at"));
    return take_hash(r, hash);
}

/* ---- Firebase: users[] of auth:export ---- */

/* Web-safe or not. */
static bool firebase_bytes(struct reading *r, struct str text, struct str *out)
{
    struct strbuf buf = strbuf_in(r->call->arena, text.len + 4);
    while (text.len && text.ptr[text.len - 1] == '=')
        text.len--;
    for (size_t i = 0; i < text.len; i++)
        strbuf_char(&buf, text.ptr[i] == '+' ? '-' : text.ptr[i] == '/' ? '_' : text.ptr[i]);
    return base64url_decode(r->call->arena, strbuf_view(&buf), out);
}

static bool firebase_password(struct reading *r)
{
    struct str hash_text = json_str(r->record, "passwordHash"), salt_text = json_str(r->record, "salt"), hash, salt;
    struct firebase_parameters project = { .rounds = json_i64(r->parameters, "rounds", 0),
                                           .mem_cost = json_i64(r->parameters, "memCost", 0) };
    if (!hash_text.len)
        return true;
    if (!firebase_bytes(r, json_str(r->parameters, "signerKey"), &project.signer_key) || !project.signer_key.len ||
        !firebase_bytes(r, json_str(r->parameters, "saltSeparator"), &project.salt_separator))
        return no(r, "the project's hash parameters are missing: signerKey, saltSeparator, rounds, memCost");
    if (!firebase_bytes(r, hash_text, &hash) || !firebase_bytes(r, salt_text, &salt))
        return no(r, "passwordHash or salt is not base64");
    return foreign_hash_firebase(r->call->arena, &project, salt, hash, &r->out->password, r->why);
}

static bool read_firebase(struct reading *r)
{
    add_name(r, json_str(r->record, "email"));
    add_name(r, json_str(r->record, "phoneNumber"));
    set_id(r, json_str(r->record, "localId"));
    add_name(r, r->out->source_id);
    set_member(r, "email", "email");
    set_member(r, "emailVerified", "email_verified");
    set_member(r, "displayName", "name");
    set_member(r, "photoUrl", "picture");
    set_member(r, "phoneNumber", "phone_number");
    if (json_str(r->record, "phoneNumber").len)
        set(r, STR("phone_number_verified"), STR("true")); /* it has signed in with it */
    r->out->enabled = !json_flag(r->record, "disabled", false);
    set_created(r, json_object_get(r->record, "createdAt"));
    return firebase_password(r);
}

/* ---- Cognito: what ListUsers answers, without passwords ---- */

static bool read_cognito(struct reading *r)
{
    const json_t *one;
    size_t i;
    struct str status = json_str(r->record, "UserStatus");
    add_name(r, json_str(r->record, "Username"));
    json_array_foreach(json_object_get(r->record, "Attributes"), i, one) {
        if (str_is(json_str(one, "Name"), "sub"))
            set_id(r, json_str(one, "Value"));
        else
            set(r, json_str(one, "Name"), json_str(one, "Value"));
    }
    struct str name = r->out->names[0];
    if (pool_names_are_subs(r->pool) && is_uuid(name)) /* there, too, the name is the sub */
        r->out->names[0] = json_str(r->out->attributes, "email").ptr ? json_str(r->out->attributes, "email")
                                                                     : json_str(r->out->attributes, "phone_number");
    if (str_is(status, "EXTERNAL_PROVIDER"))
        return no(r, "the user signs in with another provider");
    if (str_is(status, "UNCONFIRMED"))
        r->out->status = status;
    r->out->enabled = json_flag(r->record, "Enabled", true);
    set_created(r, json_object_get(r->record, "UserCreateDate"));
    return true;
}

static const struct person_source sources[] = {
    { "jsonl", read_ours },       { "keycloak", read_keycloak }, { "auth0", read_auth0 },
    { "firebase", read_firebase }, { "cognito", read_cognito },
};

const struct person_source *person_source_find(struct str name)
{
    for (size_t i = 0; i < COUNT(sources); i++)
        if (str_is(name, sources[i].name))
            return &sources[i];
    return NULL;
}

bool person_read(struct call *call, const struct pool *pool, const struct person_source *source, const json_t *parameters,
                 const json_t *record, struct person *out, struct str *why)
{
    struct reading r = { call, pool, parameters, record, out, why };
    *out = (struct person){ .enabled = true };
    *why = STR_NONE;
    out->attributes = json_own(call->arena, json_object());
    out->ignored = json_own(call->arena, json_array());
    if (!json_is_object(record))
        return no(&r, "the record is no object");
    if (!source->read(&r))
        return false;
    if (out->source_id.len && pool_attribute(pool, STR("custom:source_id")))
        json_set_str(out->attributes, "custom:source_id", out->source_id);
    return out->names[0].len || no(&r, "the record has neither a username nor an address that could be one");
}
