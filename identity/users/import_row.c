/* One line of an import file: what it must have, and the user it makes. */
#include "core/json.h"
#include "identity/transfer/foreign_hash.h"
#include "identity/users/import.h"

/* A line's fields by column. */
struct fields {
    const struct csv_column *columns;
    size_t n_columns;
    struct str values[CSV_MOST_COLUMNS];
};

static struct str field(const struct fields *fields, const char *name)
{
    for (size_t i = 0; i < fields->n_columns; i++)
        if (str_is(fields->columns[i].name, name))
            return fields->columns[i].at < 0 ? STR("") : fields->values[fields->columns[i].at];
    return STR("");
}

static bool is_flag(struct str text)
{
    return str_is(text, "true") || str_is(text, "false");
}

/* NULL: the row has what every row must have. */
static const char *lacks(const struct pool *pool, const struct fields *fields)
{
    static const char *const addresses[] = { "email", "phone_number" };
    static const char *const flags[] = { "email_verified", "phone_number_verified" };
    bool verified = false;
    if (!field(fields, "cognito:username").len)
        return "The User Record has no cognito:username.";
    if (!is_flag(field(fields, "cognito:mfa_enabled")))
        return "The User Record's cognito:mfa_enabled is neither true nor false.";
    for (size_t i = 0; i < COUNT(flags); i++) {
        bool set = str_is(field(fields, flags[i]), "true");
        if (!is_flag(field(fields, flags[i])))
            return i == 0 ? "The User Record's email_verified is neither true nor false."
                          : "The User Record's phone_number_verified is neither true nor false.";
        if (set && !field(fields, addresses[i]).len)
            return i == 0 ? "The User Record sets email_verified to true and has no email."
                          : "The User Record sets phone_number_verified to true and has no phone_number.";
        verified |= set && pool_auto_verifies(pool, addresses[i]);
    }
    if (!verified)
        return "The User Record does not set any of the auto verified attributes to true. (Example: email_verified to true).";
    if (str_is(field(fields, "cognito:mfa_enabled"), "true") && !str_is(field(fields, "phone_number_verified"), "true"))
        return "The User Record sets cognito:mfa_enabled to true and has no verified phone_number.";
    struct str birthdate = field(fields, "birthdate");
    if (birthdate.len && !csv_is_date(birthdate))
        return "The User Record's birthdate is not of the form mm/dd/yyyy.";
    return NULL;
}

/* How a hash of each of AWS's algorithms begins. */
static const char *bad_hash(struct call *call, struct str algorithm, struct str hash)
{
    static const struct {
        const char *algorithm, *prefix;
    } forms[] = {
        { "BCRYPT", "$2a$" },         { "BCRYPT", "$2b$" },        { "BCRYPT", "$2y$" },
        { "ARGON2ID", "$argon2id$" }, { "SCRYPT", "$scrypt$" },    { "PBKDF2_SHA256", "$pbkdf2-sha256$" },
        { "PBKDF2_SHA256", "pbkdf2_sha256$" },
    };
    struct str why;
    bool fits = false;
    for (size_t i = 0; i < COUNT(forms); i++)
        fits |= str_is(algorithm, forms[i].algorithm) && str_starts(hash, str_of(forms[i].prefix));
    if (!fits)
        return "The User Record's cognito:password_hash is not one of the job's PasswordHashingAlgorithm.";
    return foreign_hash_valid(call->arena, hash, &why)
               ? NULL
               : str_printf(call->arena, "The User Record's cognito:password_hash: %.*s", STR_FMT(why)).ptr;
}

/* Everything between the user's name and the second factor: attributes. */
static struct idp_AttributeListType attributes_of(struct call *call, const struct fields *fields)
{
    struct idp_AttributeListType list = { .set = true,
                                          .items = ARENA_ARRAY(call->arena, struct idp_AttributeType *, fields->n_columns) };
    for (size_t i = 0; i < fields->n_columns; i++) {
        const struct csv_column *column = &fields->columns[i];
        if (column->at < 0 || str_starts(column->name, STR("cognito:")) || !fields->values[column->at].len)
            continue;
        struct idp_AttributeType *attribute = ARENA_NEW(call->arena, struct idp_AttributeType);
        *attribute = (struct idp_AttributeType){ column->name, fields->values[column->at] };
        list.items[list.n++] = attribute;
    }
    return list;
}

static struct str one_line(struct arena *arena, struct str text)
{
    char *bytes = (char *)(uintptr_t)str_copy(arena, str_trim(text)).ptr;
    size_t len = str_trim(text).len;
    for (size_t i = 0; i < len; i++)
        if (bytes[i] == '\n')
            bytes[i] = ' ';
    return (struct str){ bytes, len };
}

static void fail(struct call *call, struct import_row *row, gh_err err, const char *why)
{
    row->outcome = err && err->kind == &idp_UsernameExistsException ? IMPORT_SKIPPED : IMPORT_FAILED;
    row->why = row->outcome == IMPORT_SKIPPED ? STR("The user already exists.")
               : err                          ? one_line(call->arena, err->message)
                                              : str_of(why);
}

/* "Users arrive RESET_REQUIRED"; with a password hash they are CONFIRMED. */
static void set_password(struct call *call, struct user *user, struct str hash)
{
    user->status = hash.len ? CONFIRMED : RESET_REQUIRED;
    if (!hash.len)
        return;
    user->password = hash;
    user->password_us = call->now_us;
}

void import_row_read(struct call *call, const struct pool *pool, const struct csv_column *columns, size_t n_columns,
                     struct str algorithm, struct str line, struct import_row *out)
{
    struct fields fields = { .columns = columns, .n_columns = n_columns };
    if (!str_trim(line).len) {
        out->outcome = IMPORT_BLANK;
        return;
    }
    size_t n = csv_split(call->arena, line, fields.values), wanted = 0;
    for (size_t i = 0; i < n_columns; i++)
        wanted += columns[i].at >= 0;
    const char *why = !csv_is_utf8(line)  ? "The User Record is not UTF-8."
                      : n != wanted       ? "The User Record has not as many values as the header has columns."
                                          : lacks(pool, &fields);
    struct str hash = why ? STR("") : field(&fields, "cognito:password_hash");
    if (!why && hash.len)
        why = bad_hash(call, algorithm, hash);
    if (why) {
        fail(call, out, NULL, why);
        return;
    }
    const struct idp_AttributeListType given = attributes_of(call, &fields);
    gh_err err = user_new(call, pool, field(&fields, "cognito:username"), "", &out->user);
    if (!err)
        err = attributes_set(call, pool, NULL, &out->user, &given, WRITER_IMPORT);
    if (!err)
        err = attributes_check_required(call, pool, &out->user);
    if (err) {
        fail(call, out, err, NULL);
        return;
    }
    set_password(call, &out->user, hash);
    if (str_is(field(&fields, "cognito:mfa_enabled"), "true"))
        json_object_set_new(out->user.more, "mfa", json_pack("{s:[s]}", "enabled", "SMS_MFA"));
    out->outcome = IMPORT_READY;
}

void import_row_insert(struct call *call, struct tx *tx, const struct pool *pool, struct import_row *row)
{
    gh_err err = user_insert(call, tx, pool, &row->user, false, "");
    if (!err || tx->err)
        return;
    if (pool_names_are_subs(pool) || err->kind != &idp_UsernameExistsException)
        store_user_delete(tx, &row->user); /* the row went in before another's address was seen */
    fail(call, row, err, NULL);
}
