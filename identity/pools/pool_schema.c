/* The attributes a pool's users may have. */
#include "identity/pools/pool.h"

enum { MOST_CUSTOM = 50, LONGEST_VALUE = 2048 };

/* In the order of AWS's newer answers. */
static const struct standard {
    const char *name, *type;
    bool mutable, required;
    const char *min, *max; /* of a string's length; NULL: no constraints member of that kind */
} standard[] = {
    { "profile", "String", true, false, "0", "2048" },
    { "address", "String", true, false, "0", "2048" },
    { "birthdate", "String", true, false, "10", "10" },
    { "gender", "String", true, false, "0", "2048" },
    { "preferred_username", "String", true, false, "0", "2048" },
    { "updated_at", "Number", true, false, "0", NULL },
    { "website", "String", true, false, "0", "2048" },
    { "picture", "String", true, false, "0", "2048" },
    { "identities", "String", true, false, NULL, NULL },
    { "sub", "String", false, true, "1", "2048" },
    { "phone_number", "String", true, false, "0", "2048" },
    { "phone_number_verified", "Boolean", true, false, NULL, NULL },
    { "zoneinfo", "String", true, false, "0", "2048" },
    { "locale", "String", true, false, "0", "2048" },
    { "email", "String", true, false, "0", "2048" },
    { "email_verified", "Boolean", true, false, NULL, NULL },
    { "given_name", "String", true, false, "0", "2048" },
    { "family_name", "String", true, false, "0", "2048" },
    { "middle_name", "String", true, false, "0", "2048" },
    { "name", "String", true, false, "0", "2048" },
    { "nickname", "String", true, false, "0", "2048" },
};

static const struct standard *standard_of(struct str name)
{
    for (size_t i = 0; i < COUNT(standard); i++)
        if (str_is(name, standard[i].name))
            return &standard[i];
    return NULL;
}

static struct idp_SchemaAttributeType *standard_attribute(struct call *call, const struct standard *row)
{
    struct idp_SchemaAttributeType *attribute = ARENA_NEW(call->arena, struct idp_SchemaAttributeType);
    *attribute = (struct idp_SchemaAttributeType){
        .name = str_of(row->name),
        .attribute_data_type = str_of(row->type),
        .developer_only_attribute = some_bool(false),
        .mutable = some_bool(row->mutable),
        .required = some_bool(row->required),
    };
    if (str_is(attribute->attribute_data_type, "String")) {
        attribute->string_attribute_constraints =
            ARENA_NEW(call->arena, struct idp_StringAttributeConstraintsType);
        attribute->string_attribute_constraints->min_length = str_of(row->min);
        attribute->string_attribute_constraints->max_length = str_of(row->max);
    } else if (str_is(attribute->attribute_data_type, "Number")) {
        attribute->number_attribute_constraints =
            ARENA_NEW(call->arena, struct idp_NumberAttributeConstraintsType);
        attribute->number_attribute_constraints->min_value = str_of(row->min);
    }
    return attribute;
}

static gh_err check_constraints(struct call *call, const struct idp_SchemaAttributeType *given, struct str type,
                                struct str name);

/* "Schema may set only Required, Mutable and lengths for standard ones." */
static gh_err adjust(struct call *call, struct idp_SchemaAttributeType *to,
                     const struct idp_SchemaAttributeType *given)
{
    if ((given->attribute_data_type.ptr && !str_eq(given->attribute_data_type, to->attribute_data_type)) ||
        given->developer_only_attribute.value)
        return gh_fail(
            call->arena, &idp_InvalidParameterException,
            "You can not change AttributeDataType or set developerOnlyAttribute for standard schema "
            "attribute %.*s",
            STR_FMT(given->name));
    gh_err err = check_constraints(call, given, to->attribute_data_type, given->name);
    if (err)
        return err;
    if (given->mutable.set)
        to->mutable = given->mutable;
    if (given->required.set)
        to->required = given->required;
    if (given->string_attribute_constraints)
        to->string_attribute_constraints = given->string_attribute_constraints;
    if (given->number_attribute_constraints)
        to->number_attribute_constraints = given->number_attribute_constraints;
    return NULL;
}

static bool inverted(struct str min, struct str max)
{
    int64_t low, high;
    return str_i64(min, &low) && str_i64(max, &high) && high < low;
}

static bool is_number_or_none(struct str text, int64_t least)
{
    int64_t value;
    return !text.ptr || (str_i64(text, &value) && value >= least);
}

/* Constraints are numbers in strings: of the right kind for the type, in order, within what a value may have. */
static gh_err check_constraints(struct call *call, const struct idp_SchemaAttributeType *given, struct str type,
                                struct str name)
{
    const struct idp_StringAttributeConstraintsType *text = given->string_attribute_constraints;
    const struct idp_NumberAttributeConstraintsType *number = given->number_attribute_constraints;
    int64_t length;
    if (text && (!str_is(type, "String") || !is_number_or_none(text->min_length, 0) || !is_number_or_none(text->max_length, 0)))
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "Invalid StringAttributeConstraints for schema attribute %.*s", STR_FMT(name));
    if (number && (!str_is(type, "Number") || !is_number_or_none(number->min_value, INT64_MIN) ||
                   !is_number_or_none(number->max_value, INT64_MIN)))
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "Invalid NumberAttributeConstraints for schema attribute %.*s", STR_FMT(name));
    if (text && inverted(text->min_length, text->max_length))
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "Attribute %.*s cannot have a max length shorter than it's min length", STR_FMT(name));
    if (number && inverted(number->min_value, number->max_value))
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "Attribute %.*s cannot have a max value smaller than it's min value", STR_FMT(name));
    const struct str lengths[] = { text ? text->min_length : STR_NONE, text ? text->max_length : STR_NONE };
    for (size_t i = 0; i < COUNT(lengths); i++)
        if (str_i64(lengths[i], &length) && length > LONGEST_VALUE)
            return gh_fail(call->arena, &idp_InvalidParameterException,
                           "user.%.*s: String attributes cannot have a length of more than 2048", STR_FMT(name));
    return NULL;
}

static gh_err check_custom(struct call *call, const struct idp_SchemaAttributeType *given, struct str name)
{
    static const char *const types[] = { "String", "Number", "Boolean", "DateTime" };
    bool known = false;
    for (size_t i = 0; i < COUNT(types); i++)
        known |= str_is(given->attribute_data_type, types[i]);
    if (!known)
        return gh_fail(
            call->arena, &idp_InvalidParameterException,
            "Invalid AttributeDataType input, consider using the provided AttributeDataType enum.");
    if (given->required.value)
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "Required custom attributes are not supported currently.");
    return check_constraints(call, given, given->attribute_data_type, name);
}

static struct str custom_name(struct call *call, const struct idp_SchemaAttributeType *given)
{
    return str_printf(call->arena, "%s:%.*s", given->developer_only_attribute.value ? "dev:custom" : "custom",
                      STR_FMT(given->name));
}

static gh_err add_custom(struct call *call, struct idp_SchemaAttributesListType *out,
                         const struct idp_SchemaAttributeType *given)
{
    struct idp_SchemaAttributeType *attribute = ARENA_NEW(call->arena, struct idp_SchemaAttributeType);
    *attribute = *given;
    attribute->name = custom_name(call, given);
    if (!attribute->attribute_data_type.ptr)
        attribute->attribute_data_type = STR("String");
    gh_err err = check_custom(call, attribute, attribute->name);
    if (err)
        return err;
    attribute->developer_only_attribute = some_bool(given->developer_only_attribute.value);
    attribute->mutable = some_bool(!given->mutable.set || given->mutable.value);
    attribute->required = some_bool(false);
    if (str_is(attribute->attribute_data_type, "String") && !attribute->string_attribute_constraints)
        attribute->string_attribute_constraints =
            ARENA_NEW(call->arena, struct idp_StringAttributeConstraintsType);
    if (str_is(attribute->attribute_data_type, "Number") && !attribute->number_attribute_constraints)
        attribute->number_attribute_constraints =
            ARENA_NEW(call->arena, struct idp_NumberAttributeConstraintsType);
    for (size_t i = 0; i < out->n; i++)
        if (str_eq(out->items[i]->name, attribute->name))
            return gh_fail(call->arena, &idp_InvalidParameterException,
                           "Duplicate custom attribute names %.*s are not allowed in a user pool schema.",
                           STR_FMT(attribute->name));
    if (out->n >= COUNT(standard) + MOST_CUSTOM)
        return gh_fail(call->arena, &idp_LimitExceededException,
                       "A user pool can have at most %d custom attributes.", MOST_CUSTOM);
    out->items[out->n++] = attribute;
    return NULL;
}

gh_err pool_schema(struct call *call, const struct idp_SchemaAttributesListType *given,
                   struct idp_SchemaAttributesListType *out)
{
    out->set = true;
    out->n = COUNT(standard);
    out->items = ARENA_ARRAY(call->arena, struct idp_SchemaAttributeType *, COUNT(standard) + given->n);
    for (size_t i = 0; i < COUNT(standard); i++)
        out->items[i] = standard_attribute(call, &standard[i]);
    for (size_t i = 0; i < given->n; i++) {
        const struct idp_SchemaAttributeType *one = given->items[i];
        const struct standard *row = standard_of(one->name);
        gh_err err = row ? adjust(call, out->items[row - standard], one) : add_custom(call, out, one);
        if (err)
            return err;
    }
    return NULL;
}

gh_err pool_schema_add(struct call *call, struct pool *pool, const struct idp_CustomAttributesListType *more)
{
    struct idp_SchemaAttributesListType *schema = &pool->doc->schema_attributes, grown = *schema;
    grown.items = ARENA_ARRAY(call->arena, struct idp_SchemaAttributeType *, schema->n + more->n);
    for (size_t i = 0; i < schema->n; i++)
        grown.items[i] = schema->items[i];
    for (size_t i = 0; i < more->n; i++) {
        struct str name = custom_name(call, more->items[i]);
        if (pool_attribute(pool, name))
            return gh_fail(call->arena, &idp_InvalidParameterException,
                           "%.*s: Existing attribute already has name %.*s.", STR_FMT(name), STR_FMT(name));
        gh_err err = add_custom(call, &grown, more->items[i]);
        if (err)
            return err;
    }
    *schema = grown;
    return NULL;
}

gh_err pool_schema_change(struct call *call, struct pool *pool, const struct idp_SchemaAttributeType *given)
{
    const struct idp_SchemaAttributeType *old = given->name.ptr ? pool_attribute(pool, given->name) : NULL;
    if (!old || str_is(given->name, "sub"))
        return gh_fail(call->arena, &idp_InvalidParameterException, "The schema has no attribute %.*s that could be changed.",
                       STR_FMT(given->name.ptr ? given->name : STR("without a name")));
    struct idp_SchemaAttributeType *to = ARENA_NEW(call->arena, struct idp_SchemaAttributeType);
    *to = *old;
    if (standard_of(given->name)) {
        gh_err err = adjust(call, to, given);
        if (err)
            return err;
    } else {
        if (given->attribute_data_type.ptr && !str_eq(given->attribute_data_type, old->attribute_data_type)) {
            to->attribute_data_type = given->attribute_data_type;
            to->string_attribute_constraints = NULL;
            to->number_attribute_constraints = NULL;
        }
        to->mutable = given->mutable.set ? given->mutable : to->mutable;
        if (given->string_attribute_constraints)
            to->string_attribute_constraints = given->string_attribute_constraints;
        if (given->number_attribute_constraints)
            to->number_attribute_constraints = given->number_attribute_constraints;
    }
    gh_err err = check_custom(call, &(struct idp_SchemaAttributeType){
                                        .attribute_data_type = to->attribute_data_type,
                                        .string_attribute_constraints = to->string_attribute_constraints,
                                        .number_attribute_constraints = to->number_attribute_constraints,
                                    }, to->name);
    for (size_t i = 0; !err && i < pool->doc->schema_attributes.n; i++)
        if (pool->doc->schema_attributes.items[i] == old)
            pool->doc->schema_attributes.items[i] = to;
    return err;
}
