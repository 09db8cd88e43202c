/* Triggers of a user pool: a function here, or a webhook, that is asked or told in the middle of an operation.
 *
 * "Except for custom sender Lambda functions, Amazon Cognito calls Lambda functions synchronously. ... it must respond
 * within 5 seconds. If it doesn't and if the call can be retried, Amazon Cognito retries the call. After three
 * unsuccessful attempts, the function times out." All tries have the same event. For job threads: they wait. */
#pragma once

#include "identity/pools/client.h"
#include "identity/store/user.h"

enum trigger {
    TRIGGER_PRE_SIGN_UP,
    TRIGGER_POST_CONFIRMATION,
    TRIGGER_PRE_AUTHENTICATION,
    TRIGGER_POST_AUTHENTICATION,
    TRIGGER_CUSTOM_MESSAGE,
    TRIGGER_USER_MIGRATION,
    TRIGGER_PRE_TOKEN_GENERATION,
    TRIGGER_DEFINE_AUTH_CHALLENGE,
    TRIGGER_CREATE_AUTH_CHALLENGE,
    TRIGGER_VERIFY_AUTH_CHALLENGE_RESPONSE,
    TRIGGER_CUSTOM_EMAIL_SENDER,
    TRIGGER_CUSTOM_SMS_SENDER,
    TRIGGERS,
};

/* As LambdaConfig names it: "PreSignUp". Static text. */
const char *trigger_name(enum trigger trigger);
/* The function's ARN in LambdaConfig; absent: none. */
struct str trigger_function(const struct pool *pool, enum trigger trigger);
bool trigger_is_set(const struct pool *pool, enum trigger trigger);
/* Of PreTokenGeneration: "V1_0" unless PreTokenGenerationConfig, or the option for a webhook, says otherwise. */
struct str trigger_token_version(const struct pool *pool);

struct trigger_event {
    enum trigger trigger;
    const char *source;          /* "PreSignUp_SignUp" */
    const char *version;         /* of the event; NULL: "1" */
    const struct pool *pool;
    const struct client *client; /* NULL: an administrator's doing, CLIENT_ID_NOT_APPLICABLE */
    struct str user_name;
    json_t *request, *response;  /* borrowed; response: as it is before the trigger changes it */
};

/* Runs it and waits. *response: the answer's response, an object whose members are of the trigger's types or null.
 * Errors, in Cognito's words:
 *   UserLambdaValidationException   the function threw: "PreSignUp failed with error Invite only."
 *   UnexpectedLambdaException       it could not be run: "PreSignUp invocation failed due to error ..."
 *   InvalidLambdaResponseException  its answer is no such object: "Unrecognizable lambda output" */
gh_err trigger_run(struct call *call, const struct trigger_event *event, json_t **response);
/* Tells it, and does not hear of it: custom senders. Queued durably before this returns; a failure is logged. */
void trigger_tell(struct call *call, const struct trigger_event *event);

/* ---- what events are made of; each lives in the call's arena ---- */

/* The user's attributes as strings, with sub and cognito:user_status. A user who is not there yet (status absent): as
 * they are. sub absent, nobody: {}. */
json_t *trigger_user_attributes(struct call *call, const struct user *user);
/* { "userAttributes": ..., "clientMetadata": metadata if there is any }: what most requests begin with. */
json_t *trigger_request(struct call *call, const struct user *user, const json_t *metadata);

/* InvalidParameterException, FeatureUnavailableInTierException: what AWS refuses in a LambdaConfig (config.c). */
gh_err trigger_check_config(struct call *call, const struct idp_UserPoolType *doc);
