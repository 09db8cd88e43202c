/* What people hand in for a user pool as files: CSV of users, style sheets, images. And which limit counts what. */
#include "vectors.h"

#include "identity/pools/css.h"
#include "identity/pools/image.h"
#include "identity/pools/limits.h"
#include "identity/users/csv.h"

static void lines_split(void **state)
{
    (void)state;
    static const struct {
        const char *line, *fields; /* joined by '|' */
    } rows[] = {
        { "a,b,c", "a|b|c" },         { "", "" },           { ",", "|" },
        { "a\\,b,c", "a,b|c" },       { "a\\\\,b", "a\\,b" }, { "a\\b,c", "a\\b|c" },
        { "\"a,b\",c", "\"a|b\"|c" }, { "a,\\,", "a|," },   { "é€,ü", "é€|ü" },
        { "a,\\", "a|\\" },
    };
    struct arena *arena = arena_new(4096);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str fields[CSV_MOST_COLUMNS];
        struct strbuf joined = strbuf_in(arena, 64);
        size_t n = csv_split(arena, str_of(rows[i].line), fields);
        for (size_t k = 0; k < n; k++)
            strbuf_printf(&joined, "%s%.*s", k ? "|" : "", STR_FMT(fields[k]));
        assert_string_equal(strbuf_view(&joined).ptr, rows[i].fields);
    }
    char many[CSV_MOST_COLUMNS + 2];
    memset(many, ',', sizeof many);
    struct str fields[CSV_MOST_COLUMNS];
    assert_int_equal(csv_split(arena, (struct str){ many, sizeof many }, fields), CSV_MOST_COLUMNS + 1);
    arena_free(arena);
}

static void headers_fit(void **state)
{
    (void)state;
    static const struct {
        const char *line, *why; /* NULL: it fits */
    } rows[] = {
        { "a,b,c", NULL },
        { "c, a ,b", NULL },
        { "b,a", NULL }, /* c is optional */
        { "a,c", "The header lacks the column b." },
        { "a,b,d", "The header has a column d that the user pool does not have." },
        { "a,b,a", "The header has a column a twice." },
        { "\xef\xbb\xbf" "a,b", "The file must be UTF-8 without a byte order mark." },
        { "a,b,\xff", "The file must be UTF-8 without a byte order mark." },
        { "", "The header has a column  that the user pool does not have." },
    };
    struct arena *arena = arena_new(4096);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct csv_column columns[] = { { .name = STR("a") }, { .name = STR("b") }, { .name = STR("c"), .optional = true } };
        struct str why = STR("");
        bool fits = csv_header(arena, str_of(rows[i].line), columns, COUNT(columns), &why);
        assert_int_equal(fits, rows[i].why == NULL);
        if (rows[i].why)
            assert_string_equal(why.ptr, rows[i].why);
    }
    arena_free(arena);
}

static void dates(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool date;
    } rows[] = {
        { "12/31/1999", true },  { "02/29/2000", true }, { "02/30/2000", false }, { "13/01/2000", false }, { "00/10/2000", false },
        { "1/1/2000", false },   { "2000-01-01", false }, { "01/01/20000", false }, { "01/-1/2000", false }, { "", false },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (csv_is_date(str_of(rows[i].text)) != rows[i].date)
            fail_msg("%s", rows[i].text);
}

static void style_sheets(void **state)
{
    (void)state;
    static const struct {
        const char *css;
        bool good;
    } rows[] = {
        { "", true },
        { " /* nothing */ ", true },
        { ".logo-customizable { max-width: 60%; }", true },
        { ".label-customizable,.inputField-customizable:focus{color:red}\n.legalText-customizable{}", true },
        { ".submitButton-customizable:hover { background-color: #286090; }", true },
        { ".logo-customizable { color: red", false },
        { "} .logo-customizable {", false },
        { "body { display: none }", false },
        { ".logo-customizable .x { }", false },
        { "@import url(x);", false },
        { "@media print { .logo-customizable { } }", false },
        { ".logo-customizable { width: EXPRESSION(alert(1)) }", false },
        { ".logo-customizable { background: url(JavaScript:alert(1)) }", false },
        { ".logo-customizable { behavior: url(x) }", false },
        { ".logo-customizable { content: '</style>' }", false },
        { ".logo-customizable { content: '\\3c' }", false },
        { "/* .logo-customizable { }", false },
        { ".logo-customizable { /* } */ color: red; @x }", false },
    };
    struct arena *arena = arena_new(4096);
    for (size_t i = 0; i < COUNT(rows); i++)
        if ((css_refuses(arena, str_of(rows[i].css)) == NULL) != rows[i].good)
            fail_msg("%s", rows[i].css);
    arena_free(arena);
}

static void images(void **state)
{
    (void)state;
    static const struct {
        struct str bytes;
        const char *kind;
    } rows[] = {
        { STR_INIT("\x89PNG\r\n\x1a\n...."), "PNG" },   { STR_INIT("\xff\xd8\xff\xe0"), "JPEG" },
        { STR_INIT("\0\0\1\0\1"), "ICO" },              { STR_INIT("RIFF....WEBPVP8 "), "WEBP" },
        { STR_INIT("<?xml version='1.0'?>\n<svg/>"), "SVG" }, { STR_INIT("GIF89a"), NULL },
        { STR_INIT("svg"), NULL },                      { STR_INIT(""), NULL },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *kind = image_kind(rows[i].bytes);
        assert_int_equal(kind == NULL, rows[i].kind == NULL);
        if (kind)
            assert_string_equal(kind, rows[i].kind);
    }
}

static void categories(void **state)
{
    (void)state;
    static const struct {
        const char *operation, *category;
    } rows[] = {
        { "InitiateAuth", "UserAuthentication" },        { "AdminRespondToAuthChallenge", "UserAuthentication" },
        { "SignUp", "UserCreation" },                    { "ConfirmSignUp", "UserCreation" },
        { "ForgotPassword", "UserAccountRecovery" },     { "ConfirmForgotPassword", "UserAccountRecovery" },
        { "AdminGetUser", "UserRead" },                  { "ListUsers", "UserList" },
        { "ListUsersInGroup", "UserList" },              { "AdminDeleteUserAttributes", "UserUpdate" },
        { "AdminAddUserToGroup", "UserUpdate" },         { "AdminListGroupsForUser", "UserResourceRead" },
        { "AdminSetUserMFAPreference", "UserResourceUpdate" }, { "DescribeUserPool", "UserPoolRead" },
        { "UpdateUserPool", "UserPoolUpdate" },          { "ListUserPoolClients", "UserPoolClientRead" },
        { "CreateUserPoolClient", "UserPoolClientUpdate" }, { "CreateUserPoolDomain", "UserPoolResourceUpdate" },
        { "DescribeUserPoolDomain", "UserPoolResourceRead" }, { "StartUserImportJob", "UserPoolResourceUpdate" },
        { "RevokeToken", "UserToken" },                  { "GetClientToken", "ClientAuthentication" },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (strcmp(call_category(str_of(rows[i].operation)), rows[i].category) != 0)
            fail_msg("%s: %s", rows[i].operation, call_category(str_of(rows[i].operation)));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(lines_split), cmocka_unit_test(headers_fit),   cmocka_unit_test(dates),
                                        cmocka_unit_test(style_sheets), cmocka_unit_test(images), cmocka_unit_test(categories) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
