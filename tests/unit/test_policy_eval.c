/* Which statement decides, and what the texts say. */
#include "vectors.h"

#include "policy/eval.h"

#define STATEMENT(effect, action, resource) \
    "{\"Effect\":\"" effect "\",\"Action\":\"" action "\",\"Resource\":\"" resource "\"}"
#define POLICY(statements) "{\"Version\":\"2012-10-17\",\"Statement\":[" statements "]}"

static struct policy_set *set_of(enum policy_use use, const char *document)
{
    struct arena *arena = arena_new(4096);
    struct policy_set *set = policy_set_new();
    struct str why = STR_NONE;
    if (!policy_set_add(set, use, STR("Editors"), str_of(document), arena, &why))
        fail_msg("%s: %.*s", document, STR_FMT(why));
    arena_free(arena);
    return set;
}

static const struct {
    const char *name, *policy, *action, *resource;
    enum policy_effect effect;
} rows[] = {
    { "silence denies", POLICY(STATEMENT("Allow", "a:B", "*")), "a:C", "*", POLICY_IMPLICIT_DENY },
    { "actions fold case", POLICY(STATEMENT("Allow", "S3:getobject", "*")), "s3:GetObject", "*", POLICY_ALLOW },
    { "wild card in an action", POLICY(STATEMENT("Allow", "s3:Get*", "*")), "s3:GetObject", "*", POLICY_ALLOW },
    { "no wild card across the colon", POLICY(STATEMENT("Allow", "s3*:GetObject", "*")), "s3x:GetObject", "*", -1 },
    { "explicit deny wins", POLICY(STATEMENT("Allow", "*", "*") "," STATEMENT("Deny", "s3:*", "*")),
      "s3:GetObject", "*", POLICY_EXPLICIT_DENY },
    { "deny wins wherever it stands", POLICY(STATEMENT("Deny", "s3:*", "*") "," STATEMENT("Allow", "*", "*")),
      "s3:GetObject", "*", POLICY_EXPLICIT_DENY },
    { "resource case matters", POLICY(STATEMENT("Allow", "*", "arn:aws:s3:::B")), "s3:G", "arn:aws:s3:::b",
      POLICY_IMPLICIT_DENY },
    { "last part crosses slashes", POLICY(STATEMENT("Allow", "*", "arn:aws:s3:::b/*")), "s3:G",
      "arn:aws:s3:::b/x/y", POLICY_ALLOW },
    { "a star stays in its part", POLICY(STATEMENT("Allow", "*", "arn:aws:sns:*:t")), "s:G",
      "arn:aws:sns:eu:1:t", POLICY_IMPLICIT_DENY },
    { "an ARN never names a call without resource", POLICY(STATEMENT("Allow", "*", "arn:aws:iam::*:user/*")),
      "iam:ListUsers", "*", POLICY_IMPLICIT_DENY },
    { "variable after the fifth colon", POLICY(STATEMENT("Allow", "*", "arn:aws:s3:::home/${aws:username}/*")),
      "s3:G", "arn:aws:s3:::home/ann/x", POLICY_ALLOW },
    { "another's home", POLICY(STATEMENT("Allow", "*", "arn:aws:s3:::home/${aws:username}/*")), "s3:G",
      "arn:aws:s3:::home/bob/x", POLICY_IMPLICIT_DENY },
    { "no value: matches nothing", POLICY(STATEMENT("Allow", "*", "arn:aws:s3:::${aws:none}*")), "s3:G",
      "arn:aws:s3:::x", POLICY_IMPLICIT_DENY },
    { "NotAction allows the rest",
      POLICY("{\"Effect\":\"Allow\",\"NotAction\":[\"iam:*\",\"sts:*\"],\"Resource\":\"*\"}"), "s3:G", "*",
      POLICY_ALLOW },
    { "NotAction spares its own", POLICY("{\"Effect\":\"Allow\",\"NotAction\":\"iam:*\",\"Resource\":\"*\"}"),
      "iam:G", "*", POLICY_IMPLICIT_DENY },
    { "NotResource", POLICY("{\"Effect\":\"Deny\",\"Action\":\"*\",\"NotResource\":\"arn:aws:s3:::b\"}"), "s3:G",
      "arn:aws:s3:::c", POLICY_EXPLICIT_DENY },
};

static void each_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *arena = arena_new(4096);
        struct str why;
        if ((int)rows[i].effect == -1) {
            if (policy_check(arena, POLICY_IDENTITY, str_of(rows[i].policy), &why))
                fail_msg("%s: accepted", rows[i].name);
            arena_free(arena);
            continue;
        }
        struct policy_set *set = set_of(POLICY_IDENTITY, rows[i].policy);
        const struct policy_key keys[] = { { STR("aws:username"), &STR("ann"), 1 } };
        struct policy_request request = { .action = str_of(rows[i].action), .resource = str_of(rows[i].resource),
                                          .keys = keys, .n_keys = 1 };
        struct policy_decision decision;
        if (policy_decide(arena, &(struct policy_layers){ .identity = set }, &request, &decision) != rows[i].effect)
            fail_msg("%s", rows[i].name);
        policy_set_free(set);
        arena_free(arena);
    }
}

static void old_versions_have_no_variables(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    struct policy_set *set = set_of(POLICY_AUTHORIZER, "{\"Statement\":" STATEMENT("Allow", "*", "arn:a:b:::${u}") "}");
    const struct policy_key keys[] = { { STR("u"), &STR("ann"), 1 } };
    struct policy_request request = { .action = STR("a:B"), .resource = STR("arn:a:b:::ann"), .keys = keys, .n_keys = 1 };
    struct policy_decision decision;
    assert_int_equal(policy_set_decide(arena, set, "", &request, &decision), POLICY_IMPLICIT_DENY);
    request.resource = STR("arn:a:b:::${u}");
    assert_int_equal(policy_set_decide(arena, set, "", &request, &decision), POLICY_ALLOW);
    policy_set_free(set);
    arena_free(arena);
}

/* Which layer speaks, and in which words. */
static void layers_and_texts(void **state)
{
    (void)state;
    static const char all[] = POLICY(STATEMENT("Allow", "*", "*"));
    static const char other[] = POLICY(STATEMENT("Allow", "x:*", "*"));
    static const char denies[] = POLICY(STATEMENT("Deny", "*", "*"));
    static const struct {
        const char *identity, *boundary, *session, *text;
    } layers[] = {
        { other, NULL, NULL, "because no identity-based policy allows the cognito-idp:ListUsers action" },
        { denies, NULL, NULL, "with an explicit deny in an identity-based policy" },
        { all, other, NULL, "because no permissions boundary allows the cognito-idp:ListUsers action" },
        { all, denies, NULL, "with an explicit deny in a permissions boundary" },
        { all, all, other, "because no session policy allows the cognito-idp:ListUsers action" },
        { other, all, denies, "with an explicit deny in a session policy" },
        { all, all, all, NULL },
        { NULL, all, all, "because no identity-based policy allows the cognito-idp:ListUsers action" },
    };
    for (size_t i = 0; i < COUNT(layers); i++) {
        struct arena *arena = arena_new(4096);
        struct policy_layers sets = {
            .identity = layers[i].identity ? set_of(POLICY_IDENTITY, layers[i].identity) : NULL,
            .boundary = layers[i].boundary ? set_of(POLICY_IDENTITY, layers[i].boundary) : NULL,
            .session = layers[i].session ? set_of(POLICY_IDENTITY, layers[i].session) : NULL,
        };
        struct policy_request request = {
            .principal_arn = STR("arn:aws:iam::000000000000:user/x"),
            .action = STR("cognito-idp:ListUsers"),
            .resource = STR("arn:aws:cognito-idp:us-east-1:000000000000:userpool/p"),
        };
        struct policy_decision decision;
        policy_decide(arena, &sets, &request, &decision);
        assert_int_equal(decision.effect == POLICY_ALLOW, layers[i].text == NULL);
        if (layers[i].text) {
            struct str want = str_printf(arena,
                                         "User: arn:aws:iam::000000000000:user/x is not authorized to perform: "
                                         "cognito-idp:ListUsers on resource: arn:aws:cognito-idp:us-east-1:"
                                         "000000000000:userpool/p %s",
                                         layers[i].text);
            assert_string_equal(policy_denial(arena, &request, &decision).ptr, want.ptr);
        }
        policy_set_free(sets.identity);
        policy_set_free(sets.boundary);
        policy_set_free(sets.session);
        arena_free(arena);
    }
}

static void the_deciding_statement_is_named(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    struct policy_set *set = set_of(
        POLICY_IDENTITY, POLICY(STATEMENT("Allow", "x:*", "*") ",{\"Sid\":\"Read\",\"Effect\":\"Allow\","
                                                               "\"Action\":\"s3:Get*\",\"Resource\":\"*\"}"));
    struct policy_request request = { .action = STR("s3:GetObject"), .resource = STR("*") };
    struct policy_decision decision;
    policy_decide(arena, &(struct policy_layers){ .identity = set }, &request, &decision);
    assert_int_equal(decision.statement, 1);
    assert_string_equal(policy_reason(arena, &request, &decision).ptr,
                        "allowed by statement 2 (Sid Read) of identity-based policy Editors, line 1 column 87");
    policy_set_free(set);
    arena_free(arena);
}

static void principals(void **state)
{
    (void)state;
    static const struct {
        const char *principal;
        bool allowed, to_account;
    } rows_[] = {
        { "\"Principal\":\"*\"", true, false },
        { "\"Principal\":{\"AWS\":\"*\"}", true, false },
        { "\"Principal\":{\"AWS\":\"123456789012\"}", true, true },
        { "\"Principal\":{\"AWS\":\"arn:aws:iam::123456789012:root\"}", true, true },
        { "\"Principal\":{\"AWS\":[\"210987654321\",\"arn:aws:iam::123456789012:role/p/r\"]}", true, false },
        { "\"Principal\":{\"AWS\":\"arn:aws:sts::123456789012:assumed-role/r/s\"}", true, false },
        { "\"Principal\":{\"AWS\":\"arn:aws:sts::123456789012:assumed-role/r/*\"}", false, false },
        { "\"Principal\":{\"AWS\":\"210987654321\"}", false, false },
        { "\"Principal\":{\"Service\":\"lambda.amazonaws.com\"}", false, false },
        { "\"NotPrincipal\":{\"AWS\":\"210987654321\"}", true, false },
        /* a session is spared when itself, its role and its account are listed */
        { "\"NotPrincipal\":{\"AWS\":\"123456789012\"}", true, false },
        { "\"NotPrincipal\":{\"AWS\":[\"123456789012\",\"arn:aws:sts::123456789012:assumed-role/r/s\"]}", true, false },
        { "\"NotPrincipal\":{\"AWS\":[\"arn:aws:iam::123456789012:root\",\"arn:aws:sts::123456789012:assumed-role/r/s\","
          "\"arn:aws:iam::123456789012:role/p/r\"]}", false, false },
        { "\"NotPrincipal\":\"*\"", false, false },
        { "\"Principal\":{\"Federated\":\"cognito-identity.amazonaws.com\"}", false, false },
        { "\"Principal\":{\"CanonicalUser\":\"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be\"}", false, false },
        { "\"Principal\":{\"AWS\":\"AROAEXAMPLEEXAMPLE01\"}", false, false }, /* of a role that is no more */
        { "\"Principal\":{\"AWS\":\"arn:aws:iam::123456789012:role/P/R\"}", false, false },
    };
    for (size_t i = 0; i < COUNT(rows_); i++) {
        struct arena *arena = arena_new(4096);
        struct str text = str_printf(arena,
                                     "{\"Statement\":{\"Effect\":\"Allow\",%s,\"Action\":\"a:B\",\"Resource\":\"*\"}}",
                                     rows_[i].principal);
        struct policy_set *set = set_of(POLICY_RESOURCE, text.ptr);
        struct policy_request request = {
            .principal_arn = STR("arn:aws:sts::123456789012:assumed-role/r/s"),
            .role_arn = STR("arn:aws:iam::123456789012:role/p/r"),
            .account = STR("123456789012"),
            .action = STR("a:B"),
            .resource = STR("arn:aws:x:::y"),
        };
        struct policy_decision decision;
        policy_set_decide(arena, set, "resource-based policy", &request, &decision);
        if ((decision.effect == POLICY_ALLOW) != rows_[i].allowed || decision.to_account != rows_[i].to_account)
            fail_msg("%s", rows_[i].principal);
        policy_set_free(set);
        arena_free(arena);
    }
}

#define RESOURCE(effect, principal) \
    "{\"Statement\":{\"Effect\":\"" effect "\",\"Principal\":" principal ",\"Action\":\"a:B\",\"Resource\":\"*\"}}"
#define NAMED(arn) RESOURCE("Allow", "{\"AWS\":\"" arn "\"}")
#define USER "arn:aws:iam::123456789012:user/x"
#define ROLE "arn:aws:iam::123456789012:role/p/r"
#define SESSION_ARN "arn:aws:sts::123456789012:assumed-role/r/s"
#define FEDERATED "arn:aws:sts::123456789012:federated-user/f"

/* One letter a layer: "A" allows, "D" denies, "s" is silent, "-" is absent. */
static const char *document_of(char letter)
{
    return letter == 'A' ? POLICY(STATEMENT("Allow", "a:*", "*")) : letter == 'D' ? POLICY(STATEMENT("Deny", "a:*", "*"))
           : letter == 's' ? POLICY(STATEMENT("Allow", "x:*", "*")) : NULL;
}

static const char *resource_of(const char *given)
{
    return given[0] != '\0' && given[1] == '\0' ? given[0] == 'A' ? RESOURCE("Allow", "\"*\"")
                                                : given[0] == 'D' ? RESOURCE("Deny", "\"*\"")
                                                : given[0] == 's' ? "{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"x:Y\",\"Resource\":\"*\"}}"
                                                                  : NULL
                                                : given;
}

enum { SAME = 0, OTHER = 1, TRUST = 2, AS_ROOT = 4, OUTSIDER = 8 };

/* AWS's evaluation logic, row by row: resource control, service control, identity, boundary, session; the
 * resource's policy; who asks; what comes out, and which layer says so. */
static const struct {
    const char *name, *layers, *resource, *principal, *maker;
    int how;
    enum policy_effect effect;
    const char *type;
} logic[] = {
    { "identity allows", "--A--", "-", USER, NULL, SAME, POLICY_ALLOW, "identity-based policy" },
    { "nothing allows", "--s--", "-", USER, NULL, SAME, POLICY_IMPLICIT_DENY, "identity-based policy" },
    { "the resource's policy is silent, the principal's own is enough", "--A--", "s", USER, NULL, SAME, POLICY_ALLOW, "identity-based policy" },
    { "the resource's policy alone", "--s--", "A", USER, NULL, SAME, POLICY_ALLOW, "resource-based policy" },
    { "neither", "--s--", "s", USER, NULL, SAME, POLICY_IMPLICIT_DENY, "identity-based policy" },
    { "the resource denies", "--A--", "D", USER, NULL, SAME, POLICY_EXPLICIT_DENY, "resource-based policy" },
    { "identity denies what the resource allows", "--D--", "A", USER, NULL, SAME, POLICY_EXPLICIT_DENY, "identity-based policy" },
    /* the tables of interplay */
    { "user named: boundary's silence does not matter", "--ss-", NAMED(USER), USER, NULL, SAME, POLICY_ALLOW, "resource-based policy" },
    { "user named: boundary's deny does", "--sD-", NAMED(USER), USER, NULL, SAME, POLICY_EXPLICIT_DENY, "permissions boundary" },
    { "role named: identity's silence does not matter", "--sAA", NAMED(ROLE), SESSION_ARN, ROLE, SAME, POLICY_ALLOW, "resource-based policy" },
    { "role named: boundary's silence does", "--ssA", NAMED(ROLE), SESSION_ARN, ROLE, SAME, POLICY_IMPLICIT_DENY, "permissions boundary" },
    { "role named: session policy's silence does", "--s-s", NAMED(ROLE), SESSION_ARN, ROLE, SAME, POLICY_IMPLICIT_DENY, "session policy" },
    { "session named: none of them matters", "--sss", NAMED(SESSION_ARN), SESSION_ARN, ROLE, SAME, POLICY_ALLOW, "resource-based policy" },
    { "everybody named: none of them matters", "--sss", "A", SESSION_ARN, ROLE, SAME, POLICY_ALLOW, "resource-based policy" },
    { "federated user named: none of them matters", "--sss", NAMED(FEDERATED), FEDERATED, USER, SAME, POLICY_ALLOW, "resource-based policy" },
    { "the user who made the session named: session policy counts", "--s-s", NAMED(USER), FEDERATED, USER, SAME, POLICY_IMPLICIT_DENY, "session policy" },
    { "the user who made the session named: session policy allows", "--s-A", NAMED(USER), FEDERATED, USER, SAME, POLICY_ALLOW, "resource-based policy" },
    { "account named: identity has the word", "--s--", NAMED("123456789012"), USER, NULL, SAME, POLICY_IMPLICIT_DENY, "identity-based policy" },
    { "account named: identity allows, boundary is silent", "--As-", NAMED("123456789012"), USER, NULL, SAME, POLICY_IMPLICIT_DENY, "permissions boundary" },
    { "account named and identity allows", "--A--", NAMED("123456789012"), USER, NULL, SAME, POLICY_ALLOW, "identity-based policy" },
    /* boundary and session cap what identity allows */
    { "boundary silent", "--As-", "-", USER, NULL, SAME, POLICY_IMPLICIT_DENY, "permissions boundary" },
    { "session silent", "--AAs", "-", SESSION_ARN, ROLE, SAME, POLICY_IMPLICIT_DENY, "session policy" },
    { "a boundary grants nothing", "--sA-", "-", USER, NULL, SAME, POLICY_IMPLICIT_DENY, "identity-based policy" },
    { "a session policy grants nothing", "--s-A", "-", SESSION_ARN, ROLE, SAME, POLICY_IMPLICIT_DENY, "identity-based policy" },
    /* guard rails */
    { "guard rails that allow grant nothing", "AAs--", "-", USER, NULL, SAME, POLICY_IMPLICIT_DENY, "identity-based policy" },
    { "service control silent", "-sA--", "-", USER, NULL, SAME, POLICY_IMPLICIT_DENY, "service control policy" },
    { "service control denies", "-DA--", "A", USER, NULL, SAME, POLICY_EXPLICIT_DENY, "service control policy" },
    { "service control silent, the resource names the session", "-ss--", NAMED(SESSION_ARN), SESSION_ARN, ROLE, SAME, POLICY_IMPLICIT_DENY, "service control policy" },
    { "resource control denies", "DAA--", "A", USER, NULL, SAME, POLICY_EXPLICIT_DENY, "resource control policy" },
    { "resource control silent", "sAA--", "A", USER, NULL, SAME, POLICY_IMPLICIT_DENY, "resource control policy" },
    { "root is bound by service control", "-D---", "-", USER, NULL, AS_ROOT, POLICY_EXPLICIT_DENY, "service control policy" },
    { "root is bound by its silence", "-s---", "-", USER, NULL, AS_ROOT, POLICY_IMPLICIT_DENY, "service control policy" },
    /* root */
    { "root needs no policy", "-----", "-", USER, NULL, AS_ROOT, POLICY_ALLOW, "root user" },
    { "root has no boundary", "--DD-", "s", USER, NULL, AS_ROOT, POLICY_ALLOW, "root user" },
    { "root is denied by the resource", "-----", "D", USER, NULL, AS_ROOT, POLICY_EXPLICIT_DENY, "resource-based policy" },
    { "root's federated session is bound by its policy", "----s", "-", FEDERATED, NULL, AS_ROOT, POLICY_IMPLICIT_DENY, "session policy" },
    { "root of another account needs the resource", "-----", "s", USER, NULL, AS_ROOT | OTHER, POLICY_IMPLICIT_DENY, "resource-based policy" },
    /* other accounts: both must allow */
    { "both", "--A--", "A", USER, NULL, OTHER, POLICY_ALLOW, "resource-based policy" },
    { "both, the account is named", "--A--", NAMED("123456789012"), USER, NULL, OTHER, POLICY_ALLOW, "resource-based policy" },
    { "only the principal's", "--A--", "s", USER, NULL, OTHER, POLICY_IMPLICIT_DENY, "resource-based policy" },
    { "only the principal's, and there is no other", "--A--", "-", USER, NULL, OTHER, POLICY_IMPLICIT_DENY, "resource-based policy" },
    { "only the resource's", "--s--", "A", USER, NULL, OTHER, POLICY_IMPLICIT_DENY, "identity-based policy" },
    { "a session by name is not spared its own side", "--A-s", NAMED(SESSION_ARN), SESSION_ARN, ROLE, OTHER, POLICY_IMPLICIT_DENY, "session policy" },
    { "their deny", "--A--", "D", USER, NULL, OTHER, POLICY_EXPLICIT_DENY, "resource-based policy" },
    { "our deny", "--D--", "A", USER, NULL, OTHER, POLICY_EXPLICIT_DENY, "identity-based policy" },
    /* trust policies: "the trust policy must itself allow" */
    { "trust is silent", "--A--", "s", USER, NULL, TRUST, POLICY_IMPLICIT_DENY, "role trust policy" },
    { "trust names the user", "--s--", NAMED(USER), USER, NULL, TRUST, POLICY_ALLOW, "role trust policy" },
    { "trust names the account", "--s--", NAMED("123456789012"), USER, NULL, TRUST, POLICY_IMPLICIT_DENY, "identity-based policy" },
    { "trust names the account, and it allows", "--A--", NAMED("123456789012"), USER, NULL, TRUST, POLICY_ALLOW, "role trust policy" },
    { "trust names a user of another account", "--s--", NAMED(USER), USER, NULL, TRUST | OTHER, POLICY_IMPLICIT_DENY, "identity-based policy" },
    { "trust denies", "--A--", "D", USER, NULL, TRUST, POLICY_EXPLICIT_DENY, "role trust policy" },
    /* who has no policies of his own */
    { "anonymous, allowed", "-----", "A", NULL, NULL, OUTSIDER, POLICY_ALLOW, "resource-based policy" },
    { "anonymous, silence", "-----", "s", NULL, NULL, OUTSIDER, POLICY_IMPLICIT_DENY, "resource-based policy" },
    { "anonymous, resource control", "D----", "A", NULL, NULL, OUTSIDER, POLICY_EXPLICIT_DENY, "resource control policy" },
    /* "will always deny any IAM principal that has a permissions boundary policy attached" */
    { "NotPrincipal and Deny spares whom it names", "--A--", "{\"Statement\":{\"Effect\":\"Deny\",\"NotPrincipal\":{\"AWS\":[\"" USER "\",\"123456789012\"]},\"Action\":\"*\",\"Resource\":\"*\"}}", USER, NULL, SAME, POLICY_ALLOW, "identity-based policy" },
    /* "you must also specify the account ARN of the not-denied principal" */
    { "without his account it spares nobody", "--A--", "{\"Statement\":{\"Effect\":\"Deny\",\"NotPrincipal\":{\"AWS\":\"" USER "\"},\"Action\":\"*\",\"Resource\":\"*\"}}", USER, NULL, SAME, POLICY_EXPLICIT_DENY, "resource-based policy" },
    { "nor does the account alone", "--A--", "{\"Statement\":{\"Effect\":\"Deny\",\"NotPrincipal\":{\"AWS\":\"123456789012\"},\"Action\":\"*\",\"Resource\":\"*\"}}", USER, NULL, SAME, POLICY_EXPLICIT_DENY, "resource-based policy" },
    { "but not with a boundary", "--AA-", "{\"Statement\":{\"Effect\":\"Deny\",\"NotPrincipal\":{\"AWS\":[\"" USER "\",\"123456789012\"]},\"Action\":\"*\",\"Resource\":\"*\"}}", USER, NULL, SAME, POLICY_EXPLICIT_DENY, "resource-based policy" },
};

static void evaluation_logic(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(logic); i++) {
        struct arena *arena = arena_new(4096);
        const char *resource = resource_of(logic[i].resource);
        struct policy_set *sets[5] = { NULL };
        for (size_t l = 0; l < 5; l++)
            if (logic[i].layers[l] != '-')
                sets[l] = set_of(POLICY_IDENTITY, document_of(logic[i].layers[l]));
        struct policy_layers layers = { .resource_control = sets[0], .service_control = sets[1], .identity = sets[2],
                                        .boundary = sets[3], .session = sets[4],
                                        .resource = resource ? set_of(POLICY_RESOURCE, resource) : NULL,
                                        .trust = logic[i].how & TRUST, .cross_account = logic[i].how & OTHER,
                                        .party = logic[i].how & AS_ROOT ? PARTY_ROOT
                                                 : logic[i].how & OUTSIDER ? PARTY_OUTSIDER : PARTY_PRINCIPAL };
        struct policy_request request = { .principal_arn = logic[i].principal ? str_of(logic[i].principal) : STR_NONE,
                                          .role_arn = logic[i].maker ? str_of(logic[i].maker) : STR_NONE,
                                          .account = logic[i].principal ? STR("123456789012") : STR_NONE,
                                          .action = STR("a:B"), .resource = STR("arn:aws:x:::y") };
        struct policy_decision decision;
        enum policy_effect is = policy_decide(arena, &layers, &request, &decision);
        if (is != logic[i].effect || decision.effect != is || !str_is(decision.policy_type, logic[i].type))
            fail_msg("%s: %d of %.*s", logic[i].name, is, STR_FMT(decision.policy_type));
        for (size_t l = 0; l < 5; l++)
            policy_set_free(sets[l]);
        policy_set_free(layers.resource);
        arena_free(arena);
    }
}

static void statements_are_located(void **state)
{
    (void)state;
    static const struct {
        const char *document;
        int statement;
        int64_t line, from, to; /* 0: not there */
    } places[] = {
        { "{\"Version\": \"2012-10-17\", \"Statement\": {\"Sid\": \"\"}}", 0, 1, 41, 51 }, /* as AWS counts */
        { "{\"Statement\":[{},{\"Sid\":\"}]\\\"{\"}]}", 1, 1, 19, 33 },
        { "{\"Id\":\"Statement\",\n\"Statement\":[{}]}", 0, 2, 15, 16 },
        { "{\"Statement\":[{}]}", 1, 0, 0, 0 },
    };
    for (size_t i = 0; i < COUNT(places); i++) {
        struct policy_position start = { 0 }, end = { 0 };
        bool found = policy_locate(str_of(places[i].document), places[i].statement, &start, &end);
        if (found != (places[i].line > 0) ||
            (found && (start.line != places[i].line || start.column != places[i].from || end.column != places[i].to)))
            fail_msg("%s: %d %lld %lld-%lld", places[i].document, found, (long long)start.line,
                     (long long)start.column, (long long)end.column);
    }
}

static void keys_and_principals_are_told(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    struct policy_set *set = set_of(POLICY_RESOURCE, "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
        "\"Principal\":{\"AWS\":[\"123456789012\",\"arn:aws:iam::123456789012:user/x\"]},\"Action\":\"a:B\","
        "\"Resource\":\"arn:aws:s3:::${aws:username}\",\"Condition\":{\"StringEquals\":{\"k\":\"${aws:userid}\",\"K\":\"v\"}}}]}");
    struct str *names;
    assert_int_equal(policy_set_keys(set, arena, &names), 3);
    assert_true(str_is(names[0], "aws:username") && str_is(names[1], "k") && str_is(names[2], "aws:userid"));
    assert_int_equal(policy_set_principals(set, arena, &names), 1);
    assert_true(str_is(names[0], "arn:aws:iam::123456789012:user/x"));
    policy_set_free(set);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row),
        cmocka_unit_test(old_versions_have_no_variables),
        cmocka_unit_test(layers_and_texts),
        cmocka_unit_test(the_deciding_statement_is_named),
        cmocka_unit_test(principals),
        cmocka_unit_test(evaluation_logic),
        cmocka_unit_test(statements_are_located),
        cmocka_unit_test(keys_and_principals_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
