/* CUSTOM_AUTH: three functions of the pool decide what is asked, and whether that was enough.
 *
 * DefineAuthChallenge says what comes next, knowing how all before went; CreateAuthChallenge makes a
 * CUSTOM_CHALLENGE; VerifyAuthChallengeResponse judges its answer. A wrong answer is no error by itself:
 * Define hears of it. What Create keeps to itself travels sealed in the Session, and each Session is answered
 * once, rightly or wrongly. */
#include "core/json.h"
#include "identity/signin/sign_in.h"
#include "identity/signin/tables.h"
#include "identity/triggers/trigger.h"

static const char ME[] = "CUSTOM_CHALLENGE";

/* "SRP_A, PASSWORD_VERIFIER, SMS_MFA, ..." : what Define may ask besides a challenge of its own. */
static const char *const built_in[] = {
    "CUSTOM_CHALLENGE", "PASSWORD_VERIFIER",       "SMS_MFA", "EMAIL_OTP", "SOFTWARE_TOKEN_MFA",
    "DEVICE_SRP_AUTH",  "DEVICE_PASSWORD_VERIFIER"
};

static bool is_custom(const struct sign_in *s)
{
    return str_is(json_str(s->state, "flow"), "CUSTOM_AUTH");
}

/* Our part of the state: {"session": what Define is told, "seen": how many of `passed` are in it, "private"}.
 */
static json_t *mine(struct sign_in *s)
{
    json_t *own = sign_in_recall(s, ME);
    if (!own) {
        own = json_pack("{s:[],s:i}", "session", "seen", 0);
        sign_in_keep(s, ME, own);
    }
    return own;
}

static void tell(struct sign_in *s, const char *challenge, bool result, struct str metadata)
{
    json_t *entry = json_object();
    json_set_str(entry, "challengeName", str_of(challenge));
    json_set_flag(entry, "challengeResult", result);
    json_object_set_new(entry, "challengeMetadata", json_of(metadata));
    json_array_append_new(json_object_get(mine(s), "session"), entry);
}

/* What the engine has let pass since Define was asked last. */
static void tell_of_passed(struct sign_in *s)
{
    json_t *passed = json_object_get(s->state, "passed");
    size_t seen = (size_t)json_i64(mine(s), "seen", 0);
    for (; seen < json_array_size(passed); seen++) {
        const char *name = json_string_value(json_array_get(passed, seen));
        if (strcmp(name, ME) != 0)
            tell(s, name, true, STR_NONE);
    }
    json_set_i64(mine(s), "seen", (int64_t)seen);
}

/* "ClientMetadata of InitiateAuth isn't passed" to these three. */
static json_t *request_of(const struct sign_in *s, bool answering)
{
    json_t *request = trigger_request(s->call, &s->user, answering ? s->metadata : NULL);
    if (!s->user.sub.ptr)
        json_set_flag(request, "userNotFound", true);
    return request;
}

static gh_err run(struct sign_in *s, enum trigger trigger, const char *source, json_t *request,
                  json_t *before, json_t **response)
{
    if (!trigger_is_set(&s->client.pool, trigger))
        return gh_fail(s->call->arena, &idp_InvalidParameterException,
                       "Custom auth lambda trigger is not configured for the user pool.");
    struct str typed = json_str(s->state, "name");
    const struct trigger_event event = {
        .trigger = trigger,
        .source = source,
        .pool = &s->client.pool,
        .client = &s->client,
        .user_name = s->user.sub.ptr ? s->user.username : typed,
        .request = request,
        .response = json_own(s->call->arena, before),
    };
    return trigger_run(s->call, &event, response);
}

static gh_err unusable(const struct sign_in *s)
{
    return gh_fail(s->call->arena, &idp_InvalidLambdaResponseException, "Unrecognizable lambda output");
}

/* "issueTokens", "failAuthentication", or the name of the next challenge. */
gh_err custom_due(struct sign_in *s, const char **due)
{
    json_t *response;
    if (!is_custom(s))
        return NULL;
    tell_of_passed(s);
    bool answering = json_object_get(s->state, "asked") != NULL;
    json_t *request = request_of(s, answering);
    json_object_set(request, "session", json_object_get(mine(s), "session"));
    gh_err err =
        run(s, TRIGGER_DEFINE_AUTH_CHALLENGE, "DefineAuthChallenge_Authentication", request,
            json_pack("{s:n,s:n,s:n}", "challengeName", "issueTokens", "failAuthentication"), &response);
    if (err)
        return err;
    struct str name = json_str(response, "challengeName");
    if (json_flag(response, "failAuthentication", false))
        return sign_in_refused(s);
    if (json_flag(response, "issueTokens", false))
        return NULL;
    for (size_t i = 0; i < COUNT(built_in); i++)
        if (str_is(name, built_in[i]) && challenge_named(name)) {
            *due = built_in[i];
            return NULL;
        }
    return unusable(s);
}

gh_err custom_begin(struct sign_in *s)
{
    struct str first = sign_in_given(s, "CHALLENGE_NAME");
    if (!trigger_is_set(&s->client.pool, TRIGGER_DEFINE_AUTH_CHALLENGE))
        return gh_fail(s->call->arena, &idp_InvalidParameterException,
                       "Custom auth lambda trigger is not configured for the user pool.");
    if (first.ptr && !str_is(first, "SRP_A"))
        return gh_fail(s->call->arena, &idp_InvalidParameterException, "Invalid challenge name: %.*s",
                       STR_FMT(first));
    gh_err err = sign_in_find_user(s);
    if (!err && s->user.sub.ptr)
        err = sign_in_check_user(s);
    if (err)
        return err;
    if (first.ptr) {
        struct str number;
        err = sign_in_need(s, "SRP_A", &number);
        tell(s, "SRP_A", true, STR_NONE);
    }
    return err ? err : sign_in_next(s);
}

/* Public parameters go to the client, private ones to Verify. "values must be strings" */
gh_err custom_start(struct sign_in *s)
{
    json_t *response, *value;
    const char *name;
    json_t *request = request_of(s, json_object_get(mine(s), "asked") != NULL);
    json_set_str(request, "challengeName", str_of(ME));
    json_object_set(request, "session", json_object_get(mine(s), "session"));
    gh_err err = run(s, TRIGGER_CREATE_AUTH_CHALLENGE, "CreateAuthChallenge_Authentication", request,
                     json_pack("{s:n,s:n,s:n}", "publicChallengeParameters", "privateChallengeParameters",
                               "challengeMetadata"),
                     &response);
    if (err)
        return err;
    json_object_foreach(json_object_get(response, "publicChallengeParameters"), name, value)
        if (json_is_string(value) && strcmp(name, "USERNAME") != 0)
            sign_in_parameter(s, name, json_value_str(value));
    sign_in_parameter(s, "USERNAME", s->user.sub.ptr ? s->user.username : json_str(s->state, "name"));
    json_t *private = json_object_get(response, "privateChallengeParameters");
    json_object_set_new(mine(s), "private",
                        json_is_object(private) ? json_deep_copy(private) : json_object());
    json_object_set_new(mine(s), "metadata", json_of(json_str(response, "challengeMetadata")));
    json_set_flag(mine(s), "asked", true);
    return NULL;
}

gh_err custom_answer(struct sign_in *s)
{
    json_t *response;
    struct str answer;
    gh_err err = sign_in_need(s, "ANSWER", &answer);
    if (!err)
        err = sign_in_spend(s);
    if (err)
        return err;
    json_t *request = request_of(s, true);
    json_object_set(request, "privateChallengeParameters", json_object_get(mine(s), "private"));
    json_set_str(request, "challengeAnswer", answer);
    err = run(s, TRIGGER_VERIFY_AUTH_CHALLENGE_RESPONSE, "VerifyAuthChallengeResponse_Authentication",
              request, json_pack("{s:n}", "answerCorrect"), &response);
    if (err)
        return err;
    bool right = json_flag(response, "answerCorrect", false);
    tell(s, ME, right, json_str(mine(s), "metadata"));
    return right ? sign_in_passed(s, ME) : sign_in_next(s);
}
