/* What happened at a user's sign-ins and account, while threat protection is AUDIT or ENFORCED: AdminListUserAuthEvents.
 *
 * A row's document has the model's members (EventType, EventResponse, EventRisk, ChallengeResponses,
 * EventContextData, EventFeedback), and of ours "agent" and "print": the browser's name without its numbers, and
 * what its context data says of the device, so that the next sign-in can be compared with it. Kept for two years as
 * on AWS, or as the pool's option authEventDays says. A sign-in's event has the id that its tokens carry as event_id. */
#pragma once

#include "core/json.h"
#include "identity/protection/risk_config.h"
#include "identity/store/protection.h"
#include "identity/store/user.h"

/* Where a request comes from, as far as it can be told. */
struct whence {
    struct str ip, agent;    /* absent: not known */
    struct str print, zone;  /* of the context data of Amplify's library, when it can be read */
};
/* Of a call without a signature: its own address and browser. "You can provide a user's IP address only when the client
 * has a secret and EnablePropagateAdditionalUserContextData." */
struct whence whence_of_user(struct call *call, const struct client *client, const struct idp_UserContextDataType *given);
/* Of an administrator's: what it says of the person. */
struct whence whence_of_admin(struct call *call, const struct idp_ContextDataType *given);

/* "Chrome 120, Windows"; the first word of what is none of the known. */
struct str agent_device(struct arena *arena, struct str agent);
struct str agent_without_numbers(struct arena *arena, struct str agent);

/* A document to be filled: type "SignIn", "SignUp", "ForgotPassword", "PasswordChange", "ResendCode"; response "Pass",
 * "Fail". risk: {"RiskDecision", "RiskLevel", "CompromisedCredentialsDetected"} or NULL. */
json_t *auth_event_new(struct call *call, const struct whence *whence, const char *type, const char *response,
                       const json_t *risk);
void auth_event_challenge(json_t *event, const char *name, bool right); /* "Password", "Mfa" */
/* Into the transaction. id absent: a fresh one. */
void auth_event_put(struct call *call, struct tx *tx, const struct pool *pool, struct str sub, struct str id,
                    const json_t *event);
/* To whoever collects the log, once it is committed. */
void auth_event_deliver(struct call *call, const struct pool *pool, const struct user *user, const json_t *event);
/* For operations beside signing in, when threat protection is on: a transaction of its own. */
gh_err auth_event_note(struct call *call, const struct client *client, const struct user *user,
                       const struct idp_UserContextDataType *given, const char *type);

/* Whoever has it may say of this event whether it was the user: UpdateAuthEventFeedback. Good for a week. */
struct str feedback_token(struct call *call, struct str pool, struct str sub, struct str event);
