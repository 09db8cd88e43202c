#include "identity/triggers/trigger.h"

#include "core/invoke.h"
#include "core/job.h"
#include "core/log.h"
#include "identity/pools/options.h"
#include "identity/state.h"
#include "identity/triggers/run.h"

/* At once, on all pools: fewer than may wait without keeping their thread (core/job.h), since what a trigger does may
 * need our threads. */
enum { ANSWER_MEMBERS = 8, AT_ONCE = JOB_STAND_INS - 32 };
static atomic_int under_way;

/* What a response's members must be, where they are not null. Members that are not named here are not read. */
enum member_kind { MEMBER_END, MEMBER_FLAG, MEMBER_TEXT, MEMBER_TEXTS /* object of strings */, MEMBER_LIST /* of strings */ };
struct answer_member {
    const char *name;
    enum member_kind kind;
};

#define CONFIG(member) offsetof(struct idp_LambdaConfigType, member)
static const struct {
    const char *name;
    size_t function; /* where LambdaConfig has the ARN; 0 is none of them: see trigger_function */
    bool of_config;
    struct answer_member answer[ANSWER_MEMBERS];
} triggers[] = {
    [TRIGGER_PRE_SIGN_UP] = { "PreSignUp", CONFIG(pre_sign_up), true,
                              { { "autoConfirmUser", MEMBER_FLAG },
                                { "autoVerifyEmail", MEMBER_FLAG },
                                { "autoVerifyPhone", MEMBER_FLAG } } },
    [TRIGGER_POST_CONFIRMATION] = { "PostConfirmation", CONFIG(post_confirmation), true, { { 0 } } },
    [TRIGGER_PRE_AUTHENTICATION] = { "PreAuthentication", CONFIG(pre_authentication), true, { { 0 } } },
    [TRIGGER_POST_AUTHENTICATION] = { "PostAuthentication", CONFIG(post_authentication), true, { { 0 } } },
    [TRIGGER_CUSTOM_MESSAGE] = { "CustomMessage", CONFIG(custom_message), true,
                                 { { "smsMessage", MEMBER_TEXT },
                                   { "emailMessage", MEMBER_TEXT },
                                   { "emailSubject", MEMBER_TEXT } } },
    [TRIGGER_USER_MIGRATION] = { "UserMigration", CONFIG(user_migration), true,
                                 { { "userAttributes", MEMBER_TEXTS },
                                   { "finalUserStatus", MEMBER_TEXT },
                                   { "messageAction", MEMBER_TEXT },
                                   { "desiredDeliveryMediums", MEMBER_LIST },
                                   { "forceAliasCreation", MEMBER_FLAG },
                                   { "enableSMSMFA", MEMBER_FLAG } } },
    [TRIGGER_PRE_TOKEN_GENERATION] = { "PreTokenGeneration", 0, false, { { 0 } } },
    [TRIGGER_DEFINE_AUTH_CHALLENGE] = { "DefineAuthChallenge", CONFIG(define_auth_challenge), true,
                                        { { "challengeName", MEMBER_TEXT },
                                          { "issueTokens", MEMBER_FLAG },
                                          { "failAuthentication", MEMBER_FLAG } } },
    [TRIGGER_CREATE_AUTH_CHALLENGE] = { "CreateAuthChallenge", CONFIG(create_auth_challenge), true,
                                        { { "publicChallengeParameters", MEMBER_TEXTS },
                                          { "privateChallengeParameters", MEMBER_TEXTS },
                                          { "challengeMetadata", MEMBER_TEXT } } },
    [TRIGGER_VERIFY_AUTH_CHALLENGE_RESPONSE] = { "VerifyAuthChallengeResponse", CONFIG(verify_auth_challenge_response),
                                                 true, { { "answerCorrect", MEMBER_FLAG } } },
    [TRIGGER_CUSTOM_EMAIL_SENDER] = { "CustomEmailSender", 0, false, { { 0 } } },
    [TRIGGER_CUSTOM_SMS_SENDER] = { "CustomSMSSender", 0, false, { { 0 } } },
};
_Static_assert(COUNT(triggers) == TRIGGERS, "each trigger has a row");

const char *trigger_name(enum trigger trigger)
{
    return triggers[trigger].name;
}

struct str trigger_function(const struct pool *pool, enum trigger trigger)
{
    const struct idp_LambdaConfigType *config = pool->doc->lambda_config;
    if (!config)
        return STR_NONE;
    if (triggers[trigger].of_config)
        return *(const struct str *)(const void *)((const char *)config + triggers[trigger].function);
    if (trigger == TRIGGER_CUSTOM_EMAIL_SENDER)
        return config->custom_email_sender ? config->custom_email_sender->lambda_arn : STR_NONE;
    if (trigger == TRIGGER_CUSTOM_SMS_SENDER)
        return config->custom_sms_sender ? config->custom_sms_sender->lambda_arn : STR_NONE;
    return config->pre_token_generation_config ? config->pre_token_generation_config->lambda_arn
                                               : config->pre_token_generation;
}

bool trigger_is_set(const struct pool *pool, enum trigger trigger)
{
    return trigger_function(pool, trigger).len || trigger_webhook(pool, trigger).len;
}

struct str trigger_token_version(const struct pool *pool)
{
    const struct idp_LambdaConfigType *config = pool->doc->lambda_config;
    struct str version = trigger_webhook(pool, TRIGGER_PRE_TOKEN_GENERATION).len
                             ? option_text(pool->more, "webhookTokenVersion")
                         : config && config->pre_token_generation_config
                             ? config->pre_token_generation_config->lambda_version
                             : STR_NONE;
    return version.ptr ? version : STR("V1_0");
}

/* ---- the event ---- */

static json_t *copy_or_empty(json_t *object)
{
    return object ? json_incref(object) : json_object();
}

static struct str event_text(struct call *call, const struct trigger_event *event)
{
    json_t *text = json_own(call->arena, json_object());
    json_t *caller = json_object();
    json_set_str(text, "version", str_of(event->version ? event->version : "1"));
    json_set_str(text, "triggerSource", str_of(event->source));
    json_set_str(text, "region", event->pool->region);
    json_set_str(text, "userPoolId", event->pool->id);
    json_object_set_new(text, "userName", json_of(event->user_name));
    json_set_str(caller, "awsSdkVersion", STR("aws-sdk-unknown-unknown"));
    json_set_str(caller, "clientId", event->client ? event->client->id : STR("CLIENT_ID_NOT_APPLICABLE"));
    json_object_set_new(text, "callerContext", caller);
    json_object_set_new(text, "request", copy_or_empty(event->request));
    json_object_set_new(text, "response", copy_or_empty(event->response));
    return json_print(call->arena, text);
}

json_t *trigger_user_attributes(struct call *call, const struct user *user)
{
    json_t *attributes = json_own(call->arena, json_object());
    if (!user || !user->sub.ptr)
        return attributes;
    if (user->status.ptr) {
        json_set_str(attributes, "sub", user->sub);
        json_set_str(attributes, "cognito:user_status", user->status);
    }
    json_object_update(attributes, user->attributes);
    return attributes;
}

json_t *trigger_request(struct call *call, const struct user *user, const json_t *metadata)
{
    json_t *request = json_own(call->arena, json_object());
    json_object_set(request, "userAttributes", trigger_user_attributes(call, user));
    if (metadata)
        json_object_set(request, "clientMetadata", (json_t *)metadata);
    return request;
}

/* ---- one try ---- */

static gh_err unexpected(struct call *call, const struct trigger_event *event, struct str what)
{
    return gh_fail(call->arena, &idp_UnexpectedLambdaException, "%s invocation failed due to error %.*s.",
                   trigger_name(event->trigger), STR_FMT(what));
}

gh_err trigger_threw(struct call *call, const struct trigger_event *event, struct str answer)
{
    struct str text = json_str(json_parse(call->arena, answer, NULL), "errorMessage");
    return gh_fail(call->arena, &idp_UserLambdaValidationException, "%s failed with error %.*s.",
                   trigger_name(event->trigger), STR_FMT(text.ptr ? text : answer));
}

static gh_err function_try(struct call *call, const struct trigger_event *event, struct str text, enum invoke_mode mode,
                           int timeout_ms, struct str *answer, bool *again)
{
    const struct identity *identity = call->module;
    struct invocation invocation = {
        .arena = call->arena,
        .account = event->pool->account,
        .region = event->pool->region,
        .function = trigger_function(event->pool, event->trigger),
        .payload = text,
        .caller = { .service = STR("cognito-idp.amazonaws.com"),
                    .source_arn = event->pool->doc->arn,
                    .source_account = event->pool->account },
        .mode = mode,
        .timeout_ms = timeout_ms,
    };
    invoke_and_wait(identity->invoker, &invocation);
    switch (invocation.result) {
    case INVOKE_OK:
        *answer = invocation.answer;
        return NULL;
    case INVOKE_FUNCTION_ERROR:
        return trigger_threw(call, event, invocation.answer);
    case INVOKE_NOT_FOUND:
        return unexpected(call, event, STR("ResourceNotFoundException"));
    case INVOKE_DENIED:
        return unexpected(call, event, STR("AccessDeniedException"));
    case INVOKE_THROTTLED:
        *again = true;
        return unexpected(call, event, STR("TooManyRequestsException"));
    case INVOKE_TIMED_OUT:
        *again = true;
        return unexpected(call, event, STR("Socket timeout while invoking Lambda function"));
    case INVOKE_FAILED:
        break;
    }
    *again = true;
    log_at(LOG_WARN, "a trigger could not be run", { "trigger", str_of(trigger_name(event->trigger)) },
           { "pool", event->pool->id }, { "why", invocation.message });
    return unexpected(call, event, STR("ServiceException"));
}

static gh_err try_thrice(struct call *call, const struct trigger_event *event, enum invoke_mode mode, struct str *answer)
{
    const struct webhook_try hook = {
        .url = trigger_webhook(event->pool, event->trigger),
        .id = id_uuid(call->env, call->arena),
        .text = event_text(call, event),
        .timeout_ms = (int)option_count(event->pool->more, "triggerTimeoutMs", TRIGGER_TIMEOUT_MS),
    };
    gh_err err = NULL;
    bool again = true;
    for (int i = 0; i < TRIGGER_TRIES && again; i++) {
        again = false;
        err = hook.url.len ? webhook_try(call, event, &hook, answer, &again)
                           : function_try(call, event, hook.text, mode, hook.timeout_ms, answer, &again);
    }
    return err;
}

static gh_err call_out(struct call *call, const struct trigger_event *event, enum invoke_mode mode, struct str *answer)
{
    gh_err err = atomic_fetch_add(&under_way, 1) < AT_ONCE ? try_thrice(call, event, mode, answer)
                                                           : unexpected(call, event, STR("TooManyRequestsException"));
    atomic_fetch_sub(&under_way, 1);
    return err;
}

/* ---- the answer ---- */

static bool all_texts(const json_t *value)
{
    if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++)
            if (!json_is_string(json_array_get(value, i)))
                return false;
        return true;
    }
    const char *name;
    json_t *item;
    json_object_foreach((json_t *)value, name, item)
        if (!json_is_string(item))
            return false;
    return true;
}

static bool is_of_kind(const json_t *value, enum member_kind kind)
{
    switch (kind) {
    case MEMBER_FLAG:
        return json_is_boolean(value);
    case MEMBER_TEXT:
        return json_is_string(value);
    case MEMBER_TEXTS:
        return json_is_object(value) && all_texts(value);
    case MEMBER_LIST:
        return json_is_array(value) && all_texts(value);
    case MEMBER_END:
        break;
    }
    return true;
}

json_t *trigger_read_answer(struct arena *arena, enum trigger trigger, struct str answer)
{
    json_t *response = json_object_get(json_parse(arena, answer, NULL), "response");
    if (!json_is_object(response))
        return NULL;
    for (const struct answer_member *member = triggers[trigger].answer; member->name; member++) {
        const json_t *value = json_object_get(response, member->name);
        if (value && !json_is_null(value) && !is_of_kind(value, member->kind))
            return NULL;
    }
    return response;
}

gh_err trigger_run(struct call *call, const struct trigger_event *event, json_t **response)
{
    struct str answer = STR_NONE;
    gh_err err = call_out(call, event, INVOKE_NOW, &answer);
    if (err)
        return err;
    *response = trigger_read_answer(call->arena, event->trigger, answer);
    if (*response)
        return NULL;
    return gh_fail(call->arena, &idp_InvalidLambdaResponseException, "Unrecognizable lambda output");
}

void trigger_tell(struct call *call, const struct trigger_event *event)
{
    struct str answer = STR_NONE;
    gh_err err = call_out(call, event, INVOKE_AS_EVENT, &answer);
    if (err)
        log_at(LOG_ERROR, "a trigger was not told", { "trigger", str_of(trigger_name(event->trigger)) },
               { "pool", event->pool->id }, { "why", err->message });
}
