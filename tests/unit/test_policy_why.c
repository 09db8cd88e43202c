/* Explanations: they say what policy_decide decided, and what they propose does turn it. */
#include "vectors.h"

#include "policy/order.h"
#include "policy/why.h"

#define QUESTION(more) "{\"principal\":\"arn:aws:iam::123456789012:user/ann\",\"action\":\"a:Get\",\"resource\":\"arn:aws:a:::x\"," more "}"
#define ALL "{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}}"
#define NONE "{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"z:Z\",\"Resource\":\"*\"}}"
#define DENY "{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Deny\",\"Action\":\"a:*\",\"Resource\":\"*\"}}"
#define HOME "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"z:Z\",\"Resource\":\"*\"},\n" \
             "  {\"Sid\":\"Home\",\"Effect\":\"Allow\",\"Action\":\"a:Get\",\"Resource\":\"*\"," \
             "\"Condition\":{\"IpAddress\":{\"aws:SourceIp\":[\"10.0.0.0/8\",\"192.168.0.0/16\"]}}}]}"
#define MFA "{\"Version\":\"2012-10-17\",\"Statement\":{\"Sid\":\"Mfa\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\"," \
            "\"Condition\":{\"BoolIfExists\":{\"aws:MultiFactorAuthPresent\":\"false\"}}}}"
#define OTHERS "{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"a:Get\",\"Resource\":\"arn:aws:a:::y\"}}"

static struct policy_why ask(struct arena *arena, const char *question)
{
    static struct policy_order order[8]; /* the explanation points into the question */
    static size_t at;
    struct policy_order *now = &order[at++ % COUNT(order)];
    struct policy_why out;
    struct str why = STR_NONE;
    json_t *json = json_parse(arena, str_of(question), &why);
    if (!json || !policy_order_read(arena, json, now, &why))
        fail_msg("%s: %.*s", question, STR_FMT(why));
    policy_order_complete(arena, now);
    policy_why(arena, &now->layers, &now->request, &out);
    return out;
}

/* Each text has all of these in it. */
static const struct {
    const char *name, *question, *sentence, *denial, *change;
} rows[] = {
    { "allowed, by which statement where", QUESTION("\"policies\":{\"identity\":{\"name\":\"Editors\",\"document\":" ALL "}}"),
      "allowed by statement 1 of identity-based policy Editors, line 1 column 37", NULL,
      "remove statement 1 of identity-based policy Editors (line 1 column 37), or narrow it" },
    { "nothing is there", QUESTION("\"context\":{}"), "no identity-based policy allows a:Get on arn:aws:a:::x",
      "because no identity-based policy allows the a:Get action",
      "add an identity-based policy: {\"Effect\":\"Allow\",\"Action\":\"a:Get\",\"Resource\":\"arn:aws:a:::x\"}" },
    { "a condition fails on a value", QUESTION("\"context\":{\"aws:SourceIp\":\"203.0.113.9\"},\"policies\":{\"identity\":{\"name\":\"P\",\"document\":" HOME "}}"),
      "statement 2 of P (line 1 column 87) would, but IpAddress aws:SourceIp [\"10.0.0.0/8\", \"192.168.0.0/16\"] does not hold: "
      "the request has [\"203.0.113.9\"]", "because no identity-based policy allows", "with aws:SourceIp = 10.0.0.0" },
    { "a condition fails on nothing", QUESTION("\"policies\":{\"identity\":" HOME "}"), "it is not in the request",
      "because no identity-based policy allows", "with aws:SourceIp = 10.0.0.0" },
    { "a deny", QUESTION("\"policies\":{\"identity\":[" ALL "," DENY "]}"), "denied by statement 1 of identity-based policy identity.2",
      "with an explicit deny in an identity-based policy", "remove statement 1 of identity-based policy identity.2" },
    { "a deny that a value would lift", QUESTION("\"context\":{\"aws:MultiFactorAuthPresent\":\"false\"},\"policies\":{\"identity\":[" ALL "," MFA "]}"),
      "denied by statement 1 (Sid Mfa) of identity-based policy identity.2", "with an explicit deny in an identity-based policy",
      "with aws:MultiFactorAuthPresent = true" },
    { "a boundary is silent", QUESTION("\"policies\":{\"identity\":" ALL ",\"boundary\":" NONE "}"), "no permissions boundary allows a:Get",
      "because no permissions boundary allows the a:Get action", "add to permissions boundary boundary.1: {\"Effect\":\"Allow\"" },
    { "a boundary denies", QUESTION("\"policies\":{\"identity\":" ALL ",\"boundary\":" DENY "}"), "denied by statement 1 of permissions boundary",
      "with an explicit deny in a permissions boundary", "remove statement 1 of permissions boundary boundary.1" },
    { "a session policy is silent", QUESTION("\"policies\":{\"identity\":" ALL ",\"session\":" NONE "}"), "no session policy allows",
      "because no session policy allows the a:Get action", "add to session policy session.1" },
    { "a session policy denies", QUESTION("\"policies\":{\"identity\":" ALL ",\"session\":" DENY "}"), "session policy session.1",
      "with an explicit deny in a session policy", "remove" },
    { "a service control policy denies", QUESTION("\"policies\":{\"identity\":" ALL ",\"serviceControl\":" DENY "}"), "service control policy",
      "with an explicit deny in a service control policy", "remove statement 1 of service control policy serviceControl.1" },
    { "a service control policy is silent", QUESTION("\"policies\":{\"identity\":" ALL ",\"serviceControl\":" NONE "}"), "no service control policy allows",
      "because no service control policy allows the a:Get action", "add to service control policy serviceControl.1" },
    { "a resource control policy denies", QUESTION("\"policies\":{\"identity\":" ALL ",\"resourceControl\":{\"Version\":\"2012-10-17\",\"Statement\":"
      "{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"a:*\",\"Resource\":\"*\"}}}"), "resource control policy",
      "with an explicit deny in a resource control policy", "remove statement 1 of resource control policy resourceControl.1" },
    { "a resource's policy of another account is silent", QUESTION("\"resourceAccount\":\"210987654321\",\"policies\":{\"identity\":" ALL "}"),
      "no resource-based policy allows", "because no resource-based policy allows the a:Get action",
      "add a resource-based policy: {\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::123456789012:user/ann\"}" },
    { "a resource's policy denies", QUESTION("\"policies\":{\"identity\":" ALL ",\"resource\":{\"Statement\":{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"a:*\",\"Resource\":\"*\"}}}"),
      "denied by statement 1 of resource-based policy", "with an explicit deny in a resource-based policy", "remove" },
    { "a trust policy is silent", "{\"principal\":\"arn:aws:iam::123456789012:user/ann\",\"action\":\"sts:AssumeRole\",\"resource\":\"arn:aws:iam::123456789012:role/r\","
      "\"policies\":{\"trust\":{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::123456789012:user/bob\"},\"Action\":\"sts:AssumeRole\"}}}}",
      "no role trust policy allows sts:AssumeRole", "because no role trust policy allows the sts:AssumeRole action",
      "add to role trust policy trust.1: {\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::123456789012:user/ann\"},\"Action\":\"sts:AssumeRole\"}" },
    { "a trust policy denies", "{\"principal\":\"arn:aws:iam::123456789012:user/ann\",\"action\":\"sts:AssumeRole\",\"resource\":\"arn:aws:iam::123456789012:role/r\","
      "\"policies\":{\"trust\":{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Deny\",\"Principal\":{\"AWS\":\"*\"},\"Action\":\"sts:AssumeRole\"}}}}",
      "role trust policy", "with an explicit deny in the role trust policy", "remove statement 1 of role trust policy trust.1" },
    { "root, and how to stop it", "{\"principal\":\"arn:aws:iam::123456789012:root\",\"action\":\"a:Get\"}", "allowed: root user", NULL,
      "add a service control policy: {\"Effect\":\"Deny\"" },
    { "nobody", "{\"principal\":\"anonymous\",\"action\":\"a:Get\"}", "no resource-based policy allows", "User: anonymous is not authorized to perform: a:Get on resource: *",
      "\"Principal\":\"*\"" },
};

static void each_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *arena = arena_new(16384);
        struct policy_why why = ask(arena, rows[i].question);
        struct str text = policy_why_text(arena, &why);
        const char *change = why.n_changes ? why.changes[0].text.ptr : "";
        if (!strstr(why.sentence.ptr, rows[i].sentence))
            fail_msg("%s: %s", rows[i].name, why.sentence.ptr);
        if ((rows[i].denial != NULL) != (why.denial.ptr != NULL) || (rows[i].denial && !strstr(why.denial.ptr, rows[i].denial)))
            fail_msg("%s: %s", rows[i].name, why.denial.ptr ? why.denial.ptr : "no denial");
        if (!strstr(change, rows[i].change) || !strstr(text.ptr, rows[i].change))
            fail_msg("%s: %s", rows[i].name, text.ptr);
        arena_free(arena);
    }
}

/* One text, whole. */
static void the_text(void **state)
{
    (void)state;
    struct arena *arena = arena_new(16384);
    struct policy_why why = ask(arena, QUESTION("\"context\":{\"aws:SourceIp\":\"203.0.113.9\"},\"policies\":{\"identity\":[" HOME "," OTHERS "],\"boundary\":" ALL "}"));
    assert_string_equal(policy_why_text(arena, &why).ptr,
        "denied: no identity-based policy allows a:Get\n"
        "  principal arn:aws:iam::123456789012:user/ann\n"
        "  action a:Get\n"
        "  resource arn:aws:a:::x\n"
        "  identity-based policy: allows nothing\n"
        "    statement 2 (Sid Home) of identity.1, line 1 column 87: would allow, if its conditions held\n"
        "      IpAddress aws:SourceIp [\"10.0.0.0/8\", \"192.168.0.0/16\"] does not hold: the request has [\"203.0.113.9\"]\n"
        "    statement 1 of identity.2, line 1 column 37: would allow, but on other resources\n"
        "  permissions boundary: allows\n"
        "    statement 1 of boundary.1, line 1 column 37: allows\n"
        "to allow it:\n"
        "  ask with aws:SourceIp = 10.0.0.0, for example: then IpAddress aws:SourceIp [\"10.0.0.0/8\", \"192.168.0.0/16\"] of "
        "statement 2 (Sid Home) of identity-based policy identity.1 (line 1 column 87) would hold, and it would allow "
        "(the request has [\"203.0.113.9\"])\n");
    json_t *json = policy_why_json(arena, &why);
    json_t *condition = json_array_get(json_object_get(json_array_get(json_object_get(json_array_get(
        json_object_get(json, "layers"), 0), "statements"), 0), "conditions"), 0);
    assert_string_equal(json_print(arena, condition).ptr, "{\"operator\":\"IpAddress\",\"key\":\"aws:SourceIp\",\"expected\":"
                        "[\"10.0.0.0/8\",\"192.168.0.0/16\"],\"actual\":[\"203.0.113.9\"],\"holds\":false}");
    assert_true(str_is(json_str(json, "decision"), "implicitDeny"));
    arena_free(arena);
}

static void bad_questions(void **state)
{
    (void)state;
    static const struct {
        const char *question, *why;
    } bad[] = {
        { "[]", "no JSON object" }, { "{}", "action must be" }, { "{\"action\":\"x\"}", "action must be" },
        { "{\"action\":\"a:B\",\"Resource\":\"x\"}", "There is no Resource" },
        { "{\"action\":\"a:B\",\"principal\":\"ann\"}", "principal must be" },
        { "{\"action\":\"a:B\",\"principal\":\"arn:x\"}", "principal must be" },
        { "{\"action\":\"a:B\",\"context\":[]}", "context is no object" },
        { "{\"action\":\"a:B\",\"context\":{\"k\":{}}}", "context: k is no text" },
        { "{\"action\":\"a:B\",\"policies\":{\"scp\":[]}}", "policies: there is no scp" },
        { "{\"action\":\"a:B\",\"policies\":{\"identity\":7}}", "identity.1 is no policy document" },
        { "{\"action\":\"a:B\",\"policies\":{\"identity\":\"{\"}}", "identity.1: Syntax errors in policy." },
        { "{\"action\":\"a:B\",\"policies\":{\"identity\":{\"Statement\":[]}}}", "identity.1: Syntax errors in policy." },
        { "{\"action\":\"a:B\",\"policies\":{\"resourceControl\":" ALL "}}", "resourceControl.1: " },
        { "{\"action\":\"a:B\",\"policies\":{\"resource\":[],\"trust\":[]}}", "not both" },
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct arena *arena = arena_new(4096);
        struct policy_order order;
        struct str why = STR_NONE;
        json_t *json = json_parse(arena, str_of(bad[i].question), &why);
        if (policy_order_read(arena, json, &order, &why) || str_find_str(why, str_of(bad[i].why)) < 0)
            fail_msg("%s: %.*s", bad[i].question, STR_FMT(why));
        arena_free(arena);
    }
}

/* --- what is proposed does turn it --- */

static const char *const effects[] = { "Allow", "Allow", "Deny" };
static const char *const actions[] = { "a:Get", "a:*", "*", "a:Put" };
static const char *const resources[] = { "arn:aws:a:::x", "arn:aws:a:::*", "*", "arn:aws:a:::y" };
static const char *const principals[] = { "\"*\"", "{\"AWS\":\"123456789012\"}", "{\"AWS\":\"arn:aws:iam::123456789012:role/r\"}",
                                          "{\"AWS\":\"arn:aws:sts::123456789012:assumed-role/r/s\"}", "{\"AWS\":\"arn:aws:iam::123456789012:user/bob\"}" };
static const char *const conditions[] = {
    "", "", "", "\"IpAddress\":{\"aws:SourceIp\":\"10.0.0.0/8\"}", "\"NotIpAddress\":{\"aws:SourceIp\":\"10.0.0.0/8\"}",
    "\"Bool\":{\"m\":\"true\"}", "\"BoolIfExists\":{\"m\":\"false\"}", "\"StringEquals\":{\"s\":[\"b\",\"c\"]}",
    "\"StringNotLike\":{\"s\":\"c*\"},\"Null\":{\"n\":\"false\"}", "\"NumericLessThan\":{\"d\":\"5\"}",
    "\"ForAnyValue:StringEquals\":{\"t\":\"x\"}", "\"ForAllValues:StringLike\":{\"t\":[\"x*\",\"y\"]}", "\"Null\":{\"n\":\"true\"}",
    "\"DateGreaterThan\":{\"aws:CurrentTime\":\"2030-01-01T00:00:00Z\"}", "\"ArnLike\":{\"p\":\"arn:aws:a:*:*:z*\"}",
};
static const struct policy_key vocabulary[] = {
    { STR_INIT("aws:SourceIp"), (const struct str[]){ STR_INIT("203.0.113.1") }, 1 },
    { STR_INIT("m"), (const struct str[]){ STR_INIT("false") }, 1 }, { STR_INIT("s"), (const struct str[]){ STR_INIT("c1") }, 1 },
    { STR_INIT("n"), (const struct str[]){ STR_INIT("1") }, 1 }, { STR_INIT("d"), (const struct str[]){ STR_INIT("9") }, 1 },
    { STR_INIT("t"), (const struct str[]){ STR_INIT("x"), STR_INIT("q") }, 2 },
    { STR_INIT("aws:CurrentTime"), (const struct str[]){ STR_INIT("2026-01-01T00:00:00Z") }, 1 },
};

static unsigned seed = 7;
static unsigned draw(unsigned n)
{
    seed = seed * 1103515245u + 12345u;
    return (seed >> 16) % n;
}

enum { N_LAYERS = 6, STATEMENTS = 8 };
struct written {
    bool there;
    struct str statements[STATEMENTS];
    size_t n;
};

static struct str draw_statement(struct arena *arena, bool resource)
{
    struct str target = str_printf(arena, ",\"Resource\":\"%s\"", resources[draw(COUNT(resources))]);
    struct str who = resource ? str_printf(arena, ",\"Principal\":%s", principals[draw(COUNT(principals))]) : STR_NONE;
    return str_printf(arena, "{\"Effect\":\"%s\"%.*s,\"Action\":\"%s\"%.*s,\"Condition\":{%s}}", effects[draw(COUNT(effects))],
                      STR_FMT(who), actions[draw(COUNT(actions))], STR_FMT(target), conditions[draw(COUNT(conditions))]);
}

/* Each statement is a policy of its own, called by its number. */
static struct policy_set *compile(struct arena *arena, const struct written *written, enum policy_use use)
{
    struct policy_set *set = policy_set_new();
    for (size_t i = 0; i < written->n; i++) {
        struct str why = STR_NONE, text = str_printf(arena, "{\"Version\":\"2012-10-17\",\"Statement\":%.*s}", STR_FMT(written->statements[i]));
        if (written->statements[i].len && !policy_set_add(set, use, str_printf(arena, "%zu", i), text, arena, &why))
            fail_msg("%.*s: %.*s", STR_FMT(text), STR_FMT(why));
    }
    return set;
}

static const char *const types[N_LAYERS] = { "resource control policy", "service control policy", "identity-based policy",
                                             "permissions boundary", "session policy", "resource-based policy" };

static void compile_all(struct arena *arena, const struct written written[N_LAYERS], struct policy_layers *layers)
{
    const struct policy_set **slots[N_LAYERS] = { &layers->resource_control, &layers->service_control, &layers->identity,
                                                  &layers->boundary, &layers->session, &layers->resource };
    for (size_t l = 0; l < N_LAYERS; l++)
        *slots[l] = written[l].there ? compile(arena, &written[l], l < 5 ? POLICY_IDENTITY : POLICY_RESOURCE) : NULL;
}

static void free_all(struct policy_layers *layers)
{
    policy_set_free(layers->resource_control);
    policy_set_free(layers->service_control);
    policy_set_free(layers->identity);
    policy_set_free(layers->boundary);
    policy_set_free(layers->session);
    policy_set_free(layers->resource);
}

static struct written *layer_called(struct written written[N_LAYERS], const char *type)
{
    for (size_t l = 0; l < N_LAYERS; l++)
        if (strcmp(types[l], type) == 0)
            return &written[l];
    return strcmp(type, "role trust policy") == 0 ? &written[5] : NULL;
}

static void apply(struct arena *arena, const struct why_change *change, struct written written[N_LAYERS], struct policy_request *request)
{
    struct written *layer = layer_called(written, change->layer);
    int64_t number = 0;
    if (change->kind == WHY_ADD) {
        layer->there = true;
        assert_true(layer->n < STATEMENTS);
        layer->statements[layer->n++] = str_copy(arena, change->statement);
    } else if (change->kind == WHY_REMOVE) {
        assert_true(str_i64(change->policy, &number));
        layer->statements[number] = STR("");
    } else {
        struct policy_key *keys = ARENA_ARRAY(arena, struct policy_key, request->n_keys + 1);
        size_t n = 0;
        for (size_t i = 0; i < request->n_keys; i++)
            if (!str_eq_nocase(request->keys[i].name, change->condition.key))
                keys[n++] = request->keys[i];
        if (change->values)
            keys[n++] = (struct policy_key){ change->condition.key, change->values, change->n_values };
        request->keys = keys;
        request->n_keys = n;
    }
}

/* Random policies in all layers: the explanation decides as policy_decide does, and its changes turn it. A
 * new service control policy is judged beside FullAWSAccess, as everywhere. */
static void changes_turn_it(void **state)
{
    (void)state;
    size_t turned[2] = { 0, 0 }, by_context = 0;
    for (int round = 0; round < 4000; round++) {
        struct arena *arena = arena_new(32768);
        struct written written[N_LAYERS] = { 0 };
        struct policy_layers layers = { .cross_account = draw(4) == 0, .party = draw(8) == 0 ? PARTY_ROOT : PARTY_PRINCIPAL };
        layers.trust = draw(6) == 0;
        for (size_t l = 0; l < N_LAYERS; l++) {
            written[l].there = l == 2 || draw(3) == 0;
            written[l].n = written[l].there ? draw(4) : 0;
            for (size_t i = 0; i < written[l].n; i++)
                written[l].statements[i] = draw_statement(arena, l == 5);
        }
        struct policy_key keys[COUNT(vocabulary)];
        struct policy_request request = { .principal_arn = STR("arn:aws:sts::123456789012:assumed-role/r/s"),
                                          .role_arn = STR("arn:aws:iam::123456789012:role/r"), .account = STR("123456789012"),
                                          .action = STR("a:Get"), .resource = STR("arn:aws:a:::x"), .keys = keys };
        for (size_t i = 0; i < COUNT(vocabulary); i++)
            if (draw(3))
                keys[request.n_keys++] = vocabulary[i];
        compile_all(arena, written, &layers);
        struct policy_why why;
        struct policy_decision decision;
        policy_decide(arena, &layers, &request, &decision);
        policy_why(arena, &layers, &request, &why);
        assert_int_equal(why.decision.effect, decision.effect);
        assert_true(why.n_changes > 0);
        struct policy_request after = request;
        for (size_t i = 0; i < why.n_changes; i++) {
            struct why_change change = why.changes[i];
            if (change.kind == WHY_ADD && layers.trust && strcmp(change.layer, "role trust policy") == 0) {
                /* a trust policy names no resource; here it is read as a resource's */
                change.statement = str_printf(arena, "%.*s,\"Resource\":\"*\"}", (int)change.statement.len - 1, change.statement.ptr);
            }
            by_context += change.kind == WHY_CONTEXT;
            apply(arena, &change, written, &after);
            if (change.kind == WHY_ADD && strcmp(change.layer, "service control policy") == 0 && decision.effect == POLICY_ALLOW)
                written[1].statements[written[1].n++] = STR("{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}");
        }
        struct str said = policy_why_text(arena, &why);
        struct policy_layers before = layers;
        compile_all(arena, written, &layers);
        enum policy_effect effect = policy_decide(arena, &layers, &after, &decision);
        if ((effect == POLICY_ALLOW) == (why.decision.effect == POLICY_ALLOW)) {
            policy_why(arena, &layers, &after, &why);
            fail_msg("round %d: nothing turned (party %d trust %d cross %d): %s\nNOW %s", round, layers.party, layers.trust,
                     layers.cross_account, said.ptr, policy_why_text(arena, &why).ptr);
        }
        turned[effect == POLICY_ALLOW]++;
        assert_non_null(policy_why_json(arena, &why));
        free_all(&before);
        free_all(&layers);
        arena_free(arena);
    }
    print_message("%zu became allowed, %zu denied; %zu values changed\n", turned[1], turned[0], by_context);
    assert_true(turned[0] > 200 && turned[1] > 2000 && by_context > 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row),
        cmocka_unit_test(the_text),
        cmocka_unit_test(bad_questions),
        cmocka_unit_test(changes_turn_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
