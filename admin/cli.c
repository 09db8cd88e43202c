#include "admin/cli.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "admin/client.h"
#include "admin/management.h"
#include "core/id.h"

#define IDP "cognito-idp", "AWSCognitoIdentityProviderService"

#define BIGGEST_FILE (16 * 1024 * 1024)

bool cli_given(int argc, char **argv, const char *name)
{
    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return true;
    return false;
}

int cli_words(int argc, char **argv)
{
    int n = 0;
    while (n < argc && strncmp(argv[n], "--", 2) != 0)
        n++;
    return n;
}

const char *cli_flag(int argc, char **argv, const char *name)
{
    for (int i = 0; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return argv[i + 1];
    return NULL;
}

struct str cli_file(struct arena *arena, const char *path)
{
    FILE *file = fopen(path, "rb");
    char piece[16384];
    struct strbuf out = strbuf_in(arena, sizeof piece);
    if (!file)
        return STR_NONE;
    for (size_t n; (n = fread(piece, 1, sizeof piece, file)) > 0 && out.len <= BIGGEST_FILE;)
        strbuf_add(&out, (struct str){ piece, n });
    bool good = !ferror(file) && out.len <= BIGGEST_FILE;
    fclose(file);
    return good ? strbuf_view(&out) : STR_NONE;
}

int cli_usage(const char *text)
{
    fprintf(stderr, "usage: gatehouse %s\n", text);
    return 1;
}

/* Whether every word after the first `skip` is a flag of `known`: names separated by a space, "=" after
 * one that takes a value. A flag that is misspelt must not be left out in silence. */
bool cli_flags_known(int argc, char **argv, int skip, const char *known)
{
    for (int i = skip; i < argc; i++) {
        struct str all = str_of(known), one;
        bool found = false;
        while (!found && str_split(&all, ' ', &one)) {
            bool takes_value = str_ends(one, STR("="));
            found = str_is(takes_value ? str_sub(one, 0, one.len - 1) : one, argv[i]) && (!takes_value || i + 1 < argc);
            i += found && takes_value;
        }
        if (!found)
            return false;
    }
    return true;
}

static json_t *object(struct client *client)
{
    return json_own(client->arena, json_object());
}

/* One page after another until an item's `name` is found; its `id`, or absent. */
static struct str rest_api_id(struct client *client, const char *name)
{
    struct str position = STR_NONE;
    do {
        struct str path = position.ptr ? str_printf(client->arena, "/restapis?limit=500&position=%.*s", STR_FMT(position))
                                       : STR("/restapis?limit=500");
        json_t *page = client_rest(client, "apigateway", "GET", path, NULL), *item;
        size_t i;
        json_array_foreach(json_object_get(page, "item"), i, item)
            if (str_is(json_str(item, "name"), name))
                return json_str(item, "id");
        position = json_str(page, "position");
    } while (position.ptr);
    return STR_NONE;
}

struct str cli_pool_id(struct client *client, const char *name)
{
    struct str next = STR_NONE;
    do {
        json_t *body = object(client);
        json_set_i64(body, "MaxResults", 60);
        json_set_str(body, "NextToken", next);
        json_t *page = client_json11(client, IDP, "ListUserPools", body), *pool;
        size_t i;
        json_array_foreach(json_object_get(page, "UserPools"), i, pool)
            if (str_is(json_str(pool, "Name"), name))
                return json_str(pool, "Id");
        next = json_str(page, "NextToken");
    } while (next.ptr);
    return STR_NONE;
}

struct str cli_require_api(struct client *client, const char *name)
{
    struct str id = rest_api_id(client, name);
    if (!id.ptr)
        fprintf(stderr, "gatehouse: no API is called %s; make one with `gatehouse api new %s --to URL`\n", name, name);
    return id;
}

/* ---- api new ---- */

static bool put_proxy_method(struct client *client, struct str api, struct str resource, const char *uri, bool greedy)
{
    struct str path = str_printf(client->arena, "/restapis/%.*s/resources/%.*s/methods/ANY", STR_FMT(api),
                                 STR_FMT(resource));
    json_t *method = object(client), *integration = object(client);
    json_set_str(method, "authorizationType", STR("NONE"));
    json_set_str(integration, "type", STR("HTTP_PROXY"));
    json_set_str(integration, "httpMethod", STR("ANY"));
    json_set_str(integration, "uri", str_of(uri));
    if (greedy) {
        json_object_set_new(method, "requestParameters", json_pack("{s:b}", "method.request.path.proxy", 1));
        json_object_set_new(integration, "requestParameters",
                            json_pack("{s:s}", "integration.request.path.proxy", "method.request.path.proxy"));
    }
    return client_rest(client, "apigateway", "PUT", path, method) &&
           client_rest(client, "apigateway", "PUT", str_concat(client->arena, path, STR("/integration")), integration);
}

static bool deploy(struct client *client, struct str api, const char *stage)
{
    json_t *body = object(client);
    json_set_str(body, "stageName", str_of(stage));
    return client_rest(client, "apigateway", "POST",
                       str_printf(client->arena, "/restapis/%.*s/deployments", STR_FMT(api)), body) != NULL;
}

static int api_new(struct client *client, const char *name, struct str to)
{
    if (!str_starts(to, STR("http://")) && !str_starts(to, STR("https://"))) {
        fprintf(stderr, "gatehouse: --to wants an address with its scheme: --to http://%.*s\n", STR_FMT(to));
        return 1;
    }
    while (to.len && to.ptr[to.len - 1] == '/')
        to.len--;
    if (rest_api_id(client, name).ptr) {
        fprintf(stderr, "gatehouse: there is an API called %s already\n", name);
        return 1;
    }
    json_t *body = object(client);
    json_set_str(body, "name", str_of(name));
    json_t *api = client_rest(client, "apigateway", "POST", STR("/restapis"), body);
    struct str id = json_str(api, "id"), root = json_str(api, "rootResourceId");
    if (!api)
        return 1;
    body = object(client);
    json_set_str(body, "pathPart", STR("{proxy+}"));
    json_t *proxy = client_rest(client, "apigateway", "POST",
                                str_printf(client->arena, "/restapis/%.*s/resources/%.*s", STR_FMT(id), STR_FMT(root)), body);
    bool ok = proxy && put_proxy_method(client, id, root, str_concat(client->arena, to, STR("/")).ptr, false) &&
              put_proxy_method(client, id, json_str(proxy, "id"),
                               str_concat(client->arena, to, STR("/{proxy}")).ptr, true) &&
              deploy(client, id, "live");
    if (!ok) {      /* half an API would be in the way of the next try */
        client_rest(client, "apigateway", "DELETE", str_printf(client->arena, "/restapis/%.*s", STR_FMT(id)), NULL);
        return 1;
    }
    printf("%.*s/_aws/execute-api/%.*s/live/\n", STR_FMT(client->url), STR_FMT(id));
    return 0;
}

int cli_api(int argc, char **argv)
{
    const char *to = cli_flag(argc, argv, "--to");
    if (argc < 2 || strcmp(argv[0], "new") != 0 || !to || !cli_flags_known(argc, argv, 2, "--to="))
        return cli_usage("api new NAME --to http://127.0.0.1:3000");
    struct arena *arena = arena_new(16384);
    struct client client;
    client_open(&client, arena);
    int code = api_new(&client, argv[1], str_of(to));
    arena_free(arena);
    return code;
}

/* ---- pool new ---- */

static bool protect(struct client *client, struct str api, const char *pool_name, struct str pool_arn)
{
    json_t *body = object(client), *resource, *method;
    json_set_str(body, "name", str_of(pool_name));
    json_set_str(body, "type", STR("COGNITO_USER_POOLS"));
    json_set_str(body, "identitySource", STR("method.request.header.Authorization"));
    json_object_set_new(body, "providerARNs", json_pack("[s%]", pool_arn.ptr, pool_arn.len));
    struct str base = str_printf(client->arena, "/restapis/%.*s", STR_FMT(api));
    json_t *authorizer = client_rest(client, "apigateway", "POST",
                                     str_concat(client->arena, base, STR("/authorizers")), body);
    json_t *resources = authorizer ? client_rest(client, "apigateway", "GET",
        str_concat(client->arena, base, STR("/resources?embed=methods&limit=500")), NULL) : NULL;
    size_t i;
    const char *verb;
    if (!resources)
        return false;
    json_array_foreach(json_object_get(resources, "item"), i, resource) {
        json_object_foreach(json_object_get(resource, "resourceMethods"), verb, method) {
            json_t *patch = object(client);
            json_object_set_new(patch, "patchOperations",
                json_pack("[{s:s,s:s,s:s},{s:s,s:s,s:s}]", "op", "replace", "path", "/authorizationType", "value",
                          "COGNITO_USER_POOLS", "op", "replace", "path", "/authorizerId", "value",
                          json_string_value(json_object_get(authorizer, "id"))));
            if (!client_rest(client, "apigateway", "PATCH",
                             str_printf(client->arena, "%.*s/resources/%s/methods/%s", STR_FMT(base),
                                        json_string_value(json_object_get(resource, "id")), verb), patch))
                return false;
        }
    }
    return deploy(client, api, "live");
}

static struct str make_client(struct client *client, struct str pool, const char *name)
{
    json_t *body = object(client);
    json_set_str(body, "UserPoolId", pool);
    json_set_str(body, "ClientName", str_of(name));
    json_object_set_new(body, "ExplicitAuthFlows",
                        json_pack("[s,s,s,s]", "ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH",
                                  "ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"));
    json_t *answer = client_json11(client, IDP, "CreateUserPoolClient", body);
    return json_str(json_object_get(answer, "UserPoolClient"), "ClientId");
}

/* The invitation carries the password to the outbox, where `gatehouse token` finds it. */
static bool make_user(struct client *client, struct str pool, const char *user, struct str email, struct str password)
{
    json_t *body = object(client);
    json_set_str(body, "UserPoolId", pool);
    json_set_str(body, "Username", str_of(user));
    json_set_str(body, "TemporaryPassword", password);
    json_object_set_new(body, "DesiredDeliveryMediums", json_pack("[s]", "EMAIL"));
    json_object_set_new(body, "UserAttributes",
                        json_pack("[{s:s,s:s%},{s:s,s:s}]", "Name", "email", "Value", email.ptr, email.len, "Name",
                                  "email_verified", "Value", "true"));
    if (!client_json11(client, IDP, "AdminCreateUser", body))
        return false;
    body = object(client);
    json_set_str(body, "UserPoolId", pool);
    json_set_str(body, "Username", str_of(user));
    json_set_str(body, "Password", password);
    json_set_flag(body, "Permanent", true);
    return client_json11(client, IDP, "AdminSetUserPassword", body) != NULL;
}

static int pool_new(struct client *client, const char *name, const char *api)
{
    struct str api_id = api ? cli_require_api(client, api) : STR_NONE;
    if (api && !api_id.ptr)
        return 1;
    if (cli_pool_id(client, name).ptr) {
        fprintf(stderr, "gatehouse: there is a user pool called %s already\n", name);
        return 1;
    }
    json_t *body = object(client);
    json_set_str(body, "PoolName", str_of(name));
    json_object_set_new(body, "AutoVerifiedAttributes", json_pack("[s]", "email"));
    json_t *pool = json_object_get(client_json11(client, IDP, "CreateUserPool", body), "UserPool");
    if (!pool)
        return 1;
    struct str id = json_str(pool, "Id"), app = make_client(client, id, name);
    struct str password = str_printf(client->arena, "Aa1!%.*s",
                                     STR_FMT(id_random(&client->env, client->arena, 12, ID_ALNUM)));
    const char *user = "test";
    if (!app.ptr || !make_user(client, id, user, str_printf(client->arena, "%s@%s.example", user, name), password) ||
        (api && !protect(client, api_id, name, json_str(pool, "Arn"))))
        return 1;
    printf("pool     %.*s\nclient   %.*s\nuser     %s\npassword %.*s\n", STR_FMT(id), STR_FMT(app), user,
           STR_FMT(password));
    if (api)
        printf("%s now asks for a token: curl -H \"Authorization: $(gatehouse token %s %s)\" …\n", api, name, user);
    return 0;
}

int cli_pool(int argc, char **argv)
{
    if (argc >= 1 && strcmp(argv[0], "keys") == 0)
        return cli_pool_keys(argc - 1, argv + 1);
    if (argc >= 1 && strcmp(argv[0], "new") != 0)
        return cli_pool_more(argc, argv);
    if (argc < 2 || strcmp(argv[0], "new") != 0 || !cli_flags_known(argc, argv, 2, "--protect="))
        return cli_usage("pool new NAME [--protect API]");
    struct arena *arena = arena_new(16384);
    struct client client;
    client_open(&client, arena);
    int code = pool_new(&client, argv[1], cli_flag(argc, argv, "--protect"));
    arena_free(arena);
    return code;
}

/* ---- token ---- */

/* Dev mode: the password of the newest invitation to the user's address. */
static struct str invited_password(struct client *client, struct str pool, const char *user)
{
    json_t *body = object(client), *attribute, *message;
    json_set_str(body, "UserPoolId", pool);
    json_set_str(body, "Username", str_of(user));
    json_t *found = client_json11(client, IDP, "AdminGetUser", body);
    struct str email = STR_NONE, password = STR_NONE, text, why;
    size_t i;
    json_array_foreach(json_object_get(found, "UserAttributes"), i, attribute)
        if (str_is(json_str(attribute, "Name"), "email"))
            email = json_str(attribute, "Value");
    if (!email.ptr || client_send(client, "cognito-idp", "GET",
                                  str_printf(client->arena, "/_gatehouse/outbox?to=%.*s", STR_FMT(email)), NULL, STR_NONE,
                                  &text) != 200)
        return STR_NONE;
    json_array_foreach(json_parse(client->arena, text, &why), i, message)
        if (json_str(message, "code").ptr)
            password = json_str(message, "code");
    return password;
}

static int token(struct client *client, const char *pool_name, const char *user, struct str password, bool access)
{
    struct str pool = cli_pool_id(client, pool_name);
    if (!pool.ptr) {
        fprintf(stderr, "gatehouse: no user pool is called %s\n", pool_name);
        return 1;
    }
    json_t *body = object(client);
    json_set_str(body, "UserPoolId", pool);
    json_t *list = client_json11(client, IDP, "ListUserPoolClients", body);
    struct str app = json_str(json_array_get(json_object_get(list, "UserPoolClients"), 0), "ClientId");
    if (!password.ptr)
        password = invited_password(client, pool, user);
    if (!app.ptr || !password.ptr) {
        fprintf(stderr, "gatehouse: %s\n",
                app.ptr ? "no invitation in the outbox holds a password of that user: give one with --password"
                        : "the pool has no client");
        return 1;
    }
    body = object(client);
    json_set_str(body, "UserPoolId", pool);
    json_set_str(body, "ClientId", app);
    json_set_str(body, "AuthFlow", STR("ADMIN_USER_PASSWORD_AUTH"));
    json_t *parameters = json_object();
    json_set_str(parameters, "USERNAME", str_of(user));
    json_set_str(parameters, "PASSWORD", password);
    json_object_set_new(body, "AuthParameters", parameters);
    json_t *answer = client_json11(client, IDP, "AdminInitiateAuth", body);
    struct str made = json_str(json_object_get(answer, "AuthenticationResult"), access ? "AccessToken" : "IdToken");
    if (!made.ptr) {
        struct str challenge = json_str(answer, "ChallengeName");
        if (challenge.ptr)
            fprintf(stderr, "gatehouse: %s must answer %.*s first\n", user, STR_FMT(challenge));
        return 1;
    }
    printf("%.*s\n", STR_FMT(made));
    return 0;
}

int cli_token(int argc, char **argv)
{
    if (argc < 2 || !cli_flags_known(argc, argv, 2, "--password= --access"))
        return cli_usage("token POOL USER [--password P] [--access]");
    bool access = false;
    for (int i = 2; i < argc; i++)
        access = access || strcmp(argv[i], "--access") == 0;
    struct arena *arena = arena_new(16384);
    struct client client;
    client_open(&client, arena);
    int code = token(&client, argv[0], argv[1], str_of(cli_flag(argc, argv, "--password")), access);
    arena_free(arena);
    return code;
}

/* ---- why ---- */

/* A line a step with its cost, then what the step noted. */
static void print_trace(const json_t *record)
{
    const json_t *step, *note;
    size_t i, n;
    printf("%s %s on %s, stage %s: %lld after %lld µs (%lld µs of them waiting for the backend)\n",
           json_str(record, "method").ptr, json_str(record, "path").ptr, json_str(record, "api").ptr,
           json_str(record, "stage").ptr, (long long)json_i64(record, "status", 0), (long long)json_i64(record, "us", 0),
           (long long)json_i64(record, "integrationUs", 0));
    json_array_foreach(json_object_get(record, "steps"), i, step) {
        printf("  %-12s %7lld µs%s\n", json_str(step, "step").ptr, (long long)json_i64(step, "us", 0),
               json_flag(step, "failed", false) ? "  refused here" : "");
        json_array_foreach(json_object_get(step, "notes"), n, note)
            printf("  %12s %s: %s\n", "", json_str(note, "what").ptr, json_str(note, "detail").ptr);
    }
}

/* The file must not be there yet: a fixture that somebody has corrected is not written over. */
static int save_fixture(struct client *client, const char *trace, const char *path)
{
    struct str text, why;
    int status = client_send(client, "apigateway", "GET", str_printf(client->arena, "/_gatehouse/why/%s/fixture", trace),
                             NULL, STR_NONE, &text);
    if (status != 200) {
        struct str message = status ? json_str(json_parse(client->arena, text, &why), "message") : STR_NONE;
        fprintf(stderr, "gatehouse: %.*s\n", STR_FMT(message.ptr ? message : text));
        return 1;
    }
    FILE *file = fopen(path, "wx");
    bool good = file && fwrite(text.ptr, 1, text.len, file) == text.len && fputc('\n', file) != EOF;
    good = file && fclose(file) == 0 && good;
    if (!good)
        fprintf(stderr, "gatehouse: cannot write %s: %m\n", path);
    else
        printf("%s holds what the request's templates were given and gave; secrets are replaced\n", path);
    return good ? 0 : 1;
}

int cli_why(int argc, char **argv)
{
    if (argc < 1 || !cli_flags_known(argc, argv, 1, "--json --save-fixture="))
        return cli_usage("why TRACE [--json | --save-fixture FILE]   (the id in an answer's x-gatehouse-trace header)");
    struct arena *arena = arena_new(16384);
    struct client client;
    struct str text, why;
    client_open(&client, arena);
    if (cli_flag(argc, argv, "--save-fixture")) {
        int code = save_fixture(&client, argv[0], cli_flag(argc, argv, "--save-fixture"));
        arena_free(arena);
        return code;
    }
    int status = client_send(&client, "apigateway", "GET", str_printf(arena, "/_gatehouse/why/%s", argv[0]), NULL,
                             STR_NONE, &text);
    json_t *answer = status ? json_parse(arena, text, &why) : NULL, *record = status == 200 ? answer : NULL;
    struct str message = json_str(answer, "message");
    if (!record)
        fprintf(stderr, "gatehouse: %.*s\n", STR_FMT(message.ptr ? message : text));
    else if (argc > 1 && strcmp(argv[1], "--json") == 0)
        printf("%.*s\n", STR_FMT(text));
    else
        print_trace(record);
    arena_free(arena);
    return record ? 0 : 1;
}

/* ---- env ---- */

/* Older releases of the AWS CLI don't know AWS_ENDPOINT_URL, hence the function. */
static void print_env(const struct client *client)
{
    printf("export AWS_ENDPOINT_URL=%.*s\n", STR_FMT(client->url));
    printf("export AWS_ACCESS_KEY_ID=%.*s AWS_SECRET_ACCESS_KEY=%.*s AWS_DEFAULT_REGION=%.*s AWS_REGION=%.*s\n",
           STR_FMT(client->key_id), STR_FMT(client->secret), STR_FMT(client->region), STR_FMT(client->region));
    puts("aws() { command aws --endpoint-url \"$AWS_ENDPOINT_URL\" \"$@\"; }");
    puts("[ -z \"$BASH_VERSION\" ] || export -f aws");
}

static int write_profile(struct client *client)
{
    const char *home = getenv("HOME"), *file = getenv("AWS_CONFIG_FILE");
    char line[256];
    if (!file || !*file) {
        mkdir(str_printf(client->arena, "%s/.aws", home ? home : ".").ptr, 0700);
        file = str_printf(client->arena, "%s/.aws/config", home ? home : ".").ptr;
    }
    int fd = open(file, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);     /* a secret goes into it */
    FILE *config = fd < 0 ? NULL : fdopen(fd, "a+");
    if (!config) {
        fprintf(stderr, "gatehouse: cannot write %s: %m\n", file);
        return 1;
    }
    rewind(config);
    while (fgets(line, sizeof line, config)) {
        if (strncmp(line, "[profile gatehouse]", 19) == 0) {
            fclose(config);
            fprintf(stderr, "gatehouse: %s has a profile called gatehouse already\n", file);
            return 1;
        }
    }
    fprintf(config, "\n[profile gatehouse]\nendpoint_url = %.*s\nregion = %.*s\naws_access_key_id = %.*s\naws_secret_access_key = %.*s\n",
            STR_FMT(client->url), STR_FMT(client->region), STR_FMT(client->key_id), STR_FMT(client->secret));
    fclose(config);
    printf("%s has a profile called gatehouse now: aws --profile gatehouse …\n", file);
    return 0;
}

int cli_env(int argc, char **argv)
{
    if (!cli_flags_known(argc, argv, 0, "--write"))
        return cli_usage("env [--write]   (prints what to set; --write adds a profile to AWS's config file instead)");
    struct arena *arena = arena_new(4096);
    struct client client;
    int code = 0;
    client_open(&client, arena);
    if (argc > 0 && strcmp(argv[0], "--write") == 0)
        code = write_profile(&client);
    else
        print_env(&client);
    arena_free(arena);
    return code;
}

int cli_capabilities(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    struct arena *arena = arena_new(65536);
    printf("%.*s\n", STR_FMT(management_capabilities(arena)));
    arena_free(arena);
    return 0;
}

void cli_greet(const struct options *options)
{
    bool elsewhere = !str_is(options->base_url, CLIENT_DEFAULT_URL);
    printf("Gatehouse listens on %.*s and keeps everything in %.*s.\n\n"
           "In another terminal (build/release/gatehouse is the program; an alias helps):\n"
           "%s%.*s%s"
           "  gatehouse api new hello --to http://127.0.0.1:3000   an API in front of what you run on port 3000\n"
           "  gatehouse pool new shop --protect hello              sign-in for it, with a test user\n"
           "  curl -H \"Authorization: $(gatehouse token shop test)\" URL\n"
           "  gatehouse why TRACE                                  the id is in x-gatehouse-trace\n"
           "  eval \"$(gatehouse env)\"; aws cognito-idp list-user-pools --max-results 10\n\n",
           STR_FMT(options->base_url), STR_FMT(options->data), elsewhere ? "  export AWS_ENDPOINT_URL=" : "",
           elsewhere ? (int)options->base_url.len : 0, options->base_url.ptr, elsewhere ? "\n" : "");
    fflush(stdout);
}
