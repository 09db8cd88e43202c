/* Users' attributes against the pool's schema. */
#include "core/json.h"
#include "core/time.h"
#include "identity/users/user.h"

enum { LONGEST_VALUE = 2048 };

/* One '@', something before it, a dot somewhere behind, no white space: what Cognito asks for. */
bool is_email(struct str text)
{
    ptrdiff_t at = str_find(text, '@');
    if (at <= 0 || str_find_last(text, '@') != at)
        return false;
    struct str domain = str_from(text, (size_t)at + 1);
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] <= ' ')
            return false;
    return domain.len >= 1 && domain.ptr[0] != '.' && !str_ends(domain, STR("."));
}

/* E.164: "+" and up to 15 digits. */
bool is_phone_number(struct str text)
{
    if (text.len < 3 || text.len > 16 || text.ptr[0] != '+')
        return false;
    for (size_t i = 1; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return true;
}

static gh_err unknown(struct call *call, struct str name, enum attribute_writer writer)
{
    if (writer == WRITER_ADMIN_CREATE)
        return gh_fail(
            call->arena, &idp_InvalidParameterException,
            "Attributes did not conform to the schema: Type for attribute {%.*s} could not be determined",
            STR_FMT(name));
    if (writer == WRITER_SIGN_UP || writer == WRITER_IMPORT)
        return gh_fail(
            call->arena, &idp_InvalidParameterException,
            "Attributes did not conform to the schema: %.*s: Attribute does not exist in the schema.\n",
            STR_FMT(name));
    return gh_fail(call->arena, &idp_InvalidParameterException,
                   "user.%.*s: Attribute does not exist in the schema.\n", STR_FMT(name));
}

static gh_err misfit(struct call *call, struct str name, const char *why)
{
    return gh_fail(call->arena, &idp_InvalidParameterException,
                   "Attributes did not conform to the schema: %.*s: %s\n", STR_FMT(name), why);
}

static size_t utf8_chars(struct str text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    return n;
}

gh_err attribute_check_value(struct call *call, const struct idp_SchemaAttributeType *attribute,
                             struct str value)
{
    struct str name = attribute->name;
    int64_t limit, number;
    if (value.len == 0)
        return NULL; /* an empty value takes the attribute away */
    if (str_is(name, "email") && !is_email(value))
        return gh_fail(call->arena, &idp_InvalidParameterException, "Invalid email address format.");
    if (str_is(name, "phone_number") && !is_phone_number(value))
        return gh_fail(call->arena, &idp_InvalidParameterException, "Invalid phone number format.");
    if (str_is(attribute->attribute_data_type, "Boolean") && !str_is(value, "true") &&
        !str_is(value, "false"))
        return misfit(call, name, "The attribute must be a boolean");
    if (str_is(attribute->attribute_data_type, "Number")) {
        const struct idp_NumberAttributeConstraintsType *range = attribute->number_attribute_constraints;
        if (!str_i64(value, &number))
            return misfit(call, name, "The attribute must be a number");
        if (range && ((str_i64(range->min_value, &limit) && number < limit) ||
                      (str_i64(range->max_value, &limit) && number > limit)))
            return misfit(call, name, "Number value is not in the range of the attribute");
    }
    double moment;
    if (str_is(attribute->attribute_data_type, "DateTime") && !str_i64(value, &number) && !time_parse_iso8601(value, &moment))
        return misfit(call, name, "The attribute must be a date and time");
    if (str_is(attribute->attribute_data_type, "String")) {
        const struct idp_StringAttributeConstraintsType *range = attribute->string_attribute_constraints;
        int64_t chars = (int64_t)utf8_chars(value);
        if (range && str_i64(range->min_length, &limit) && chars < limit)
            return misfit(call, name, "String must be longer than the minimum length of the attribute");
        if (chars > LONGEST_VALUE || (range && str_i64(range->max_length, &limit) && chars > limit))
            return misfit(call, name, "String must be shorter than the maximum length of the attribute");
    }
    return NULL;
}

static bool by_administrator(enum attribute_writer writer)
{
    return writer == WRITER_ADMIN || writer == WRITER_ADMIN_CREATE || writer == WRITER_IMPORT;
}

static bool creates(enum attribute_writer writer)
{
    return writer == WRITER_SIGN_UP || writer == WRITER_ADMIN_CREATE || writer == WRITER_IMPORT;
}

/* An alias that needs no verification: not before the user is confirmed, and of no other alias's shape. */
static gh_err check_preferred_username(struct call *call, const struct pool *pool, const struct user *user,
                                       struct str value, enum attribute_writer writer)
{
    const char *shape = pool_has_alias(pool, "email") && is_email(value)                 ? "email"
                        : pool_has_alias(pool, "phone_number") && is_phone_number(value) ? "phone number"
                                                                                         : NULL;
    if (!value.len || !pool_has_alias(pool, "preferred_username"))
        return NULL;
    if (str_eq(user->status, UNCONFIRMED) && writer != WRITER_IMPORT)
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "Preferred username cannot be provided for unconfirmed account, since user pool is configured for "
                       "preferred username alias.");
    if (shape)
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "Preferred username cannot be of %s format, since user pool is configured for %s alias.", shape, shape);
    return NULL;
}

/* What only the pool itself writes: who the user is, and by which providers. */
static bool is_ours(struct str name)
{
    return str_is(name, "sub") || str_is(name, "identities");
}

static gh_err check_one(struct call *call, const struct pool *pool, const struct client *client, const struct user *user,
                        const struct idp_AttributeType *given, enum attribute_writer writer)
{
    const struct idp_SchemaAttributeType *attribute = pool_attribute(pool, given->name);
    if (!attribute)
        return unknown(call, given->name, writer);
    if (!given->value.ptr)
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "Attribute value for %.*s must not be null", STR_FMT(given->name));
    if (client && !client_may_write(client, given->name))
        return gh_fail(call->arena, &idp_NotAuthorizedException,
                       "A client attempted to write unauthorized attribute");
    if (is_ours(given->name) || (!attribute->mutable.value && !creates(writer)))
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "user.%.*s: Attribute cannot be updated.\n", STR_FMT(given->name));
    gh_err err = str_is(given->name, "preferred_username")
                     ? check_preferred_username(call, pool, user, given->value, writer)
                     : NULL;
    return err ? err : attribute_check_value(call, attribute, given->value);
}

static bool is_given(const struct idp_AttributeListType *given, const char *name)
{
    for (size_t i = 0; i < given->n; i++)
        if (str_is(given->items[i]->name, name))
            return true;
    return false;
}

static void set_one(struct user *user, struct str name, struct str value)
{
    if (value.len == 0)
        json_object_deln(user->attributes, name.ptr, name.len);
    else
        json_object_setn_new(user->attributes, name.ptr, name.len, json_of(value));
}

static bool is_told_verified(const struct idp_AttributeListType *given, const char *attribute)
{
    for (size_t i = 0; i < given->n; i++) {
        struct str name = given->items[i]->name;
        if (str_starts(name, str_of(attribute)) && str_ends(name, STR("_verified")) && str_is(given->items[i]->value, "true"))
            return true;
    }
    return false;
}

/* A new address that must be verified first waits; an administrator who says that it is verified need not wait. */
static bool hold_back(const struct pool *pool, struct user *user, const struct idp_AttributeListType *given, size_t i,
                      enum attribute_writer writer)
{
    const char *attribute = str_is(given->items[i]->name, "email")          ? "email"
                            : str_is(given->items[i]->name, "phone_number") ? "phone_number"
                                                                            : NULL;
    if (!attribute)
        return false;
    bool waits = pending_waits(pool, user, attribute, given->items[i]->value) &&
                 !(by_administrator(writer) && is_told_verified(given, attribute));
    user_set_pending(user, attribute, waits ? given->items[i]->value : STR(""));
    return waits;
}

gh_err attributes_set(struct call *call, const struct pool *pool, const struct client *client,
                      struct user *user, const struct idp_AttributeListType *given,
                      enum attribute_writer writer)
{
    static const char *const flags[][2] = { { "email", "email_verified" },
                                            { "phone_number", "phone_number_verified" } };
    for (size_t i = 0; i < given->n; i++) {
        gh_err err = check_one(call, pool, client, user, given->items[i], writer);
        if (err)
            return err;
    }
    struct str before[COUNT(flags)];
    for (size_t i = 0; i < COUNT(flags); i++)
        before[i] = str_copy(call->arena, user_attribute(user, flags[i][0]));
    for (size_t i = 0; i < given->n; i++)
        if (!hold_back(pool, user, given, i, writer))
            set_one(user, given->items[i]->name, given->items[i]->value);
    for (size_t i = 0; i < COUNT(flags); i++) {
        struct str now = user_attribute(user, flags[i][0]);
        bool told = by_administrator(writer) && is_given(given, flags[i][1]);
        if (!now.len)
            set_one(user, str_of(flags[i][1]), STR(""));
        else if (!told && !str_eq(now, before[i]))
            set_one(user, str_of(flags[i][1]), STR("false"));
    }
    return NULL;
}

gh_err attributes_remove(struct call *call, const struct pool *pool, const struct client *client,
                         struct user *user, const struct idp_AttributeNameListType *names)
{
    for (size_t i = 0; i < names->n; i++) {
        const struct idp_SchemaAttributeType *attribute = pool_attribute(pool, names->items[i]);
        if (!attribute)
            return unknown(call, names->items[i], WRITER_ADMIN);
        if (client && !client_may_write(client, names->items[i]))
            return gh_fail(call->arena, &idp_NotAuthorizedException,
                           "A client attempted to write unauthorized attribute");
        if (is_ours(names->items[i]) || !attribute->mutable.value || attribute->required.value)
            return gh_fail(call->arena, &idp_InvalidParameterException,
                           "user.%.*s: Attribute cannot be deleted.\n", STR_FMT(names->items[i]));
    }
    for (size_t i = 0; i < names->n; i++) {
        set_one(user, names->items[i], STR(""));
        if (str_is(names->items[i], "email") || str_is(names->items[i], "phone_number")) {
            set_one(user, str_concat(call->arena, names->items[i], STR("_verified")), STR(""));
            user_set_pending(user, str_c(call->arena, names->items[i]), STR(""));
        }
    }
    return NULL;
}

gh_err attributes_check_required(struct call *call, const struct pool *pool, const struct user *user)
{
    struct strbuf missing = strbuf_in(call->arena, 64);
    for (size_t i = 0; i < pool->doc->schema_attributes.n; i++) {
        const struct idp_SchemaAttributeType *attribute = pool->doc->schema_attributes.items[i];
        if (attribute->required.value && !str_is(attribute->name, "sub") &&
            !json_at(user->attributes, attribute->name))
            strbuf_printf(&missing, "%.*s: The attribute is required\n", STR_FMT(attribute->name));
    }
    if (missing.len == 0)
        return NULL;
    return gh_fail(call->arena, &idp_InvalidParameterException,
                   "Attributes did not conform to the schema: %.*s", STR_FMT(strbuf_view(&missing)));
}
