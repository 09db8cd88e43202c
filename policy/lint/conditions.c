#include "core/base64.h"
#include "policy/condition.h"
#include "policy/lint/findings.h"

#include <stdlib.h>

/* What a family of operators compares, and what it is called. */
static const struct family {
    const char *prefix, *name;
    enum key_type type;
    bool variables;
} families[] = {
    { "String", "String", KEY_STRING, true },        { "Arn", "ARN", KEY_ARN, true },
    { "Numeric", "Numeric", KEY_NUMERIC, false },    { "Date", "Date", KEY_DATE, false },
    { "Bool", "Boolean", KEY_BOOL, false },          { "IpAddress", "IP address", KEY_IP, false },
    { "NotIpAddress", "IP address", KEY_IP, false }, { "Binary", "Binary", KEY_STRING, false },
};

static const struct family *family_of(const char *name)
{
    for (size_t i = 0; i < COUNT(families); i++)
        if (str_starts(str_of(name), str_of(families[i].prefix)))
            return &families[i];
    return NULL; /* Null */
}

static const char *family_for(enum key_type type)
{
    for (size_t i = 0; i < COUNT(families); i++)
        if (families[i].type == type)
            return families[i].name;
    return "String";
}

/* ---- values ---- */

struct value {
    const struct condition *condition;
    const struct family *family; /* NULL: Null */
    struct str key;
};

static bool has_wild_card(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (str_starts(str_from(text, i), STR("${"))) {
            ptrdiff_t close = str_find(str_from(text, i), '}');
            if (close < 0)
                return false;
            i += (size_t)close;
        } else if (text.ptr[i] == '*' || text.ptr[i] == '?')
            return true;
    }
    return false;
}

static void string_value(struct lint *lint, const struct value *value, struct str text)
{
    const char *op = value->condition->op->name;
    if (str_starts(str_of(op), STR("Binary"))) {
        struct str bytes;
        if (!base64_decode(lint->arena, text, &bytes))
            lint_found(lint, FINDING_WARNING, "TYPE_MISMATCH_STRING",
                       "Add a valid base64-encoded string value for the condition operator %s.", op);
        return;
    }
    lint_variables(lint, text, true);
    if (has_wild_card(text) && !strstr(op, "Like"))
        lint_found(lint, FINDING_WARNING, "WILDCARD_WITHOUT_LIKE_OPERATOR",
                   "Your condition value includes a * or ? character. If you meant to use a wildcard (*, ?), "
                   "update the "
                   "condition operator to include Like.");
}

static void arn_value(struct lint *lint, const struct value *value, struct str text)
{
    (void)value;
    lint_variables(lint, text, true);
}

static void bool_value(struct lint *lint, const struct value *value, struct str text)
{
    if (!str_eq_nocase(text, STR("true")) && !str_eq_nocase(text, STR("false")))
        lint_found(lint, FINDING_WARNING, "TYPE_MISMATCH_BOOLEAN",
                   "Add a valid Boolean value (true or false) for the condition operator %s.",
                   value->condition->op->name);
}

static void number_value(struct lint *lint, const struct value *value, struct str text)
{
    char *end;
    const char *number = str_c(lint->arena, text);
    strtod(number, &end);
    if (text.len == 0 || *end)
        lint_found(lint, FINDING_WARNING, "TYPE_MISMATCH_NUMBER",
                   "Add a valid numeric value for the condition operator %s.", value->condition->op->name);
}

static void date_value(struct lint *lint, const struct value *value, struct str text)
{
    (void)value;
    struct date date;
    int64_t seconds;
    if (str_i64(text, &seconds))
        lint_found(
            lint, FINDING_WARNING, "INVALID_DATE_VALUE",
            "The date %.*s might not resolve as expected. We recommend that you use the YYYY-MM-DD format.",
            STR_FMT(text));
    else if (!date_parse(text, &date))
        lint_found(lint, FINDING_WARNING, "TYPE_MISMATCH_DATE",
                   "The date condition operator is used with an invalid value. Specify a valid date using "
                   "YYYY-MM-DD or "
                   "other ISO 8601 date/time format.");
}

/* The network with the bits behind its mask cleared. */
static struct str cleared(struct arena *arena, const struct ip_net *net)
{
    uint8_t bytes[16];
    memcpy(bytes, net->base.bytes, sizeof bytes);
    for (int bit = net->prefix; bit < net->base.bits; bit++)
        bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
    if (net->base.bits == 32)
        return str_printf(arena, "%d.%d.%d.%d/%d", bytes[0], bytes[1], bytes[2], bytes[3], net->prefix);
    struct strbuf text = strbuf_in(arena, 44);
    for (int i = 0; i < 16; i += 2)
        strbuf_printf(&text, "%s%x", i ? ":" : "", bytes[i] << 8 | bytes[i + 1]);
    strbuf_printf(&text, "/%d", net->prefix);
    return strbuf_view(&text);
}

static void ip_value(struct lint *lint, const struct value *value, struct str text)
{
    struct ip_net net;
    if (!ip_net_parse(text, &net)) {
        lint_found(lint, FINDING_WARNING, "TYPE_MISMATCH_IP_RANGE",
                   "The condition operator %s is used with an invalid IP range value. Specify the IP range "
                   "in standard CIDR "
                   "format.",
                   value->condition->op->name);
        return;
    }
    for (int bit = net.prefix; bit < net.base.bits; bit++)
        if (net.base.bytes[bit / 8] & 0x80 >> bit % 8) {
            lint_found(lint, FINDING_SUGGESTION, "IMPROVE_IP_RANGE",
                       "The non-zero bits in the IP address after the masked bits are ignored. Replace "
                       "address with %.*s.",
                       STR_FMT(cleared(lint->arena, &net)));
            return;
        }
}

static void one_value(struct lint *lint, const struct value *value, const struct jt *json)
{
    static void (*const checks[])(struct lint *, const struct value *, struct str) = {
        [KEY_STRING] = string_value, [KEY_ARN] = arn_value,        [KEY_BOOL] = bool_value,
        [KEY_DATE] = date_value,     [KEY_NUMERIC] = number_value, [KEY_IP] = ip_value,
    };
    struct str text = jt_is(json, JT_STRING) || jt_is(json, JT_NUMBER) ? jt_text(json)
                      : jt_is(json, JT_BOOL)                           ? str_of(json->flag ? "true" : "false")
                                                                       : STR_NONE;
    if (!text.ptr)
        lint_found(lint, FINDING_ERROR, "DATA_TYPE_MISMATCH",
                   "The text does not match the expected JSON data type string.");
    else if (!value->family)
        bool_value(lint, value, text);
    else if (!value->family->variables && str_find_str(text, STR("${")) >= 0)
        lint_found(lint, FINDING_ERROR, "INVALID_VARIABLE_FOR_OPERATOR",
                   "Policy variables can only be used with String and ARN operators.");
    else
        checks[value->family->type](lint, value, text);
}

/* "Multiple values": of less-than and greater-than only one can count. */
static void redundant_numbers(struct lint *lint, const struct value *value, const struct jt *list)
{
    const char *op = value->condition->op->name;
    bool less = strstr(op, "LessThan"), greater = strstr(op, "GreaterThan");
    if (list->n > 1 && value->family && value->family->type == KEY_NUMERIC && (less || greater))
        lint_found(lint, FINDING_SUGGESTION, "REDUNDANT_CONDITION_VALUE_NUM",
                   "Multiple values in %s are redundant. Replace with the %s single value for %.*s.", op,
                   less ? "greatest" : "least", STR_FMT(value->key));
}

static void no_values(struct lint *lint, const struct value *value)
{
    struct str key = value->key;
    if (value->condition->each == EACH_FOR_ALL)
        lint_found(lint, FINDING_SUGGESTION, "EMPTY_ARRAY_CONDITION_FORALLVALUES",
                   "The ForAllValues prefix with an empty condition key matches only if the key %.*s is "
                   "missing from the "
                   "request context. To determine if the request context is empty, we recommend that you use "
                   "the Null "
                   "condition operator with the value of true instead.",
                   STR_FMT(key));
    else if (value->condition->each == EACH_FOR_ANY)
        lint_found(lint, FINDING_SUGGESTION, "EMPTY_ARRAY_CONDITION_FORANYVALUE",
                   "The ForAnyValue prefix with an empty condition key %.*s never matches the request "
                   "context and it does not "
                   "affect the policy. Specify conditions.",
                   STR_FMT(key));
    else if (value->condition->if_exists)
        lint_found(lint, FINDING_SUGGESTION, "EMPTY_ARRAY_CONDITION_IFEXISTS",
                   "The IfExists suffix with an empty condition key matches only if the key %.*s is missing "
                   "from the request "
                   "context. To determine if the request context is empty, we recommend that you use the "
                   "Null condition "
                   "operator with the value of true instead.",
                   STR_FMT(key));
    else
        lint_found(lint, FINDING_SUGGESTION, "EMPTY_ARRAY_CONDITION",
                   "There are no values for the condition key %.*s and it does not affect the policy. "
                   "Specify conditions.",
                   STR_FMT(key));
}

static void values(struct lint *lint, const struct value *value, const struct jt *json)
{
    if (!jt_is(json, JT_ARRAY)) {
        one_value(lint, value, json);
        return;
    }
    if (json->n == 0)
        no_values(lint, value);
    uint32_t flags = 0;
    bool mixed = false;
    for (uint32_t i = 0; i < json->n; i++) {
        flags += json->items[i].kind == JT_BOOL;
        mixed |= json->items[i].kind != json->items[0].kind;
        lint_at(lint, i);
        one_value(lint, value, &json->items[i]);
        lint_out(lint);
    }
    if (mixed)
        lint_found(
            lint, FINDING_ERROR, "INVALID_CONDITION_DATA_TYPE",
            "The condition value data types do not match. Use condition values of the same JSON data type.");
    else if (flags > 1)
        lint_found(lint, FINDING_ERROR, "INVALID_CONDITION_MULTIPLE_BOOLEAN",
                   "The condition key does not support multiple Boolean values. Use a single Boolean value.");
    redundant_numbers(lint, value, json);
}

/* ---- keys ---- */

static bool fits(const struct family *family, enum key_type type, struct str key)
{
    return family->type == type || (family->type == KEY_STRING && type == KEY_ARN) ||
           (family->type == KEY_DATE && str_eq_nocase(key, STR("aws:EpochTime")));
}

static void known_key(struct lint *lint, const struct value *value, enum key_type type, bool multivalued)
{
    const struct condition *condition = value->condition;
    if (value->family && !fits(value->family, type, value->key))
        lint_found_name(lint, FINDING_WARNING, "TYPE_MISMATCH",
                        "Use the operator type %s instead of operator %s for the condition key %.*s.",
                        family_for(type), condition->op->name, STR_FMT(value->key));
    if (multivalued && condition->each == EACH_ONE && value->family)
        lint_found_name(lint, FINDING_ERROR, "MISSING_QUALIFIER",
                        "The request context key %.*s has multiple values. Use the ForAllValues or "
                        "ForAnyValue condition key "
                        "qualifiers in your policy.",
                        STR_FMT(value->key));
    if (!multivalued && condition->each == EACH_FOR_ALL && value->family)
        lint_found_name(lint, FINDING_SECURITY_WARNING, "FORALLVALUES_WITH_SINGLE_VALUED_KEY",
                        "Using ForAllValues qualifier with the single-valued condition key %.*s can be "
                        "overly permissive. We "
                        "recommend that you remove ForAllValues:.",
                        STR_FMT(value->key));
}

static void key_name(struct lint *lint, const struct value *value)
{
    enum key_type type;
    bool multivalued;
    struct str rest = value->key, service;
    str_split(&rest, ':', &service);
    if (!rest.ptr || rest.len == 0 || service.len == 0)
        lint_found_name(lint, FINDING_ERROR, "INVALID_CONDITION_KEY_FORMAT",
                        "The condition key format is not valid. Use the format service:keyname.");
    else if (str_eq_nocase(value->key, STR("aws:ARN")))
        lint_found_name(
            lint, FINDING_ERROR, "UNSUPPORTED_GLOBAL_CONDITION_KEY",
            "The condition key aws:ARN is not supported. Use aws:PrincipalArn or aws:SourceArn instead.");
    else if (catalogue_key(value->key, &type, &multivalued))
        known_key(lint, value, type, multivalued);
    else if (str_is(service, "aws"))
        lint_found_name(lint, FINDING_ERROR, "INVALID_GLOBAL_CONDITION_KEY",
                        "The condition key %.*s does not exist. Use a valid condition key.",
                        STR_FMT(value->key));
    else if (catalogue_has_service(service))
        lint_found_name(
            lint, FINDING_ERROR, "INVALID_SERVICE_CONDITION_KEY",
            "The condition key %.*s does not exist in the service %.*s. Use a valid condition key.",
            STR_FMT(value->key), STR_FMT(service));
}

static void block(struct lint *lint, const struct condition *condition, const struct jt *keys)
{
    for (uint32_t i = 0; i < keys->n; i++) {
        const struct jt_member *member = &keys->object->members[i];
        struct value value = { condition, family_of(condition->op->name), member->name };
        lint_into(lint, member->name);
        for (uint32_t k = 0; k < i; k++)
            if (str_eq_nocase(keys->object->members[k].name, member->name))
                lint_found_name(
                    lint, FINDING_ERROR, "DUPLICATE_KEYS_WITH_DIFFERENT_CASE",
                    "The condition key %.*s appears more than once with different capitalization in the same "
                    "condition block. Remove the duplicate condition keys.",
                    STR_FMT(member->name));
        key_name(lint, &value);
        values(lint, &value, &member->value);
        lint_out(lint);
    }
}

static void operator_block(struct lint *lint, struct str written, const struct jt *keys)
{
    struct condition condition = { 0 };
    if (!condition_operator(written, &condition)) {
        bool null = str_is(written, "NullIfExists") || str_ends(written, STR(":NullIfExists"));
        if (null)
            lint_found_name(lint, FINDING_ERROR, "NULL_WITH_IF_EXISTS",
                            "The Null condition operator cannot be used with the IfExists suffix. Update the "
                            "operator or the "
                            "suffix.");
        else
            lint_found_name(lint, FINDING_ERROR, "INVALID_CONDITION_OPERATOR",
                            "The condition operator %.*s is not valid. Use a valid condition operator.",
                            STR_FMT(written));
        return;
    }
    if (condition.op->is_null && condition.if_exists)
        lint_found_name(
            lint, FINDING_ERROR, "NULL_WITH_IF_EXISTS",
            "The Null condition operator cannot be used with the IfExists suffix. Update the operator or the "
            "suffix.");
    if (condition.op->is_null && condition.each != EACH_ONE)
        lint_found_name(lint, FINDING_SUGGESTION, "NULL_WITH_QUALIFIER",
                        "Avoid using the Null condition operator with the ForAllValues or ForAnyValue "
                        "qualifiers because they "
                        "always return a true or false respectively.");
    if (jt_is(keys, JT_OBJECT))
        block(lint, &condition, keys);
    else
        lint_found(lint, FINDING_ERROR, "DATA_TYPE_MISMATCH",
                   "The text does not match the expected JSON data type object.");
}

void lint_conditions(struct lint *lint, const struct jt *statement)
{
    const struct jt *value = jt_get(statement, STR("Condition"));
    if (!value)
        return;
    lint_into(lint, STR("Condition"));
    if (!jt_is(value, JT_OBJECT))
        lint_found(lint, FINDING_ERROR, "DATA_TYPE_MISMATCH",
                   "The text does not match the expected JSON data type object.");
    else if (value->n == 0)
        lint_found(lint, FINDING_SUGGESTION, "EMPTY_OBJECT_CONDITION",
                   "This condition block is empty and it does not affect the policy. Specify conditions.");
    for (uint32_t i = 0; jt_is(value, JT_OBJECT) && i < value->n; i++) {
        const struct jt_member *member = &value->object->members[i];
        lint_into(lint, member->name);
        operator_block(lint, member->name, &member->value);
        lint_out(lint);
    }
    lint_out(lint);
}
