#include "identity/triggers/sender.h"

#include "core/json.h"
#include "core/log.h"
#include "identity/triggers/envelope.h"
#include "identity/triggers/wording.h"

static enum trigger sender_of(const struct message_order *order)
{
    return message_is_mail(order) ? TRIGGER_CUSTOM_EMAIL_SENDER : TRIGGER_CUSTOM_SMS_SENDER;
}

bool trigger_sends(const struct pool *pool, const struct message_order *order)
{
    return trigger_is_set(pool, sender_of(order));
}

void trigger_send_message(struct call *call, const struct pool *pool, const struct user *user,
                          const struct message_order *order)
{
    enum trigger trigger = sender_of(order);
    struct str code = STR_NONE;
    gh_err err = order->code.ptr ? envelope_seal_code(call, pool, order->code, &code) : NULL;
    if (err) {
        log_at(LOG_ERROR, "a code could not be encrypted for its sender", { "pool", pool->id }, { "why", err->message });
        return;
    }
    json_t *request = json_own(call->arena, json_object());
    json_set_str(request, "type", message_is_mail(order) ? STR("customEmailSenderRequestV1") : STR("customSMSSenderRequestV1"));
    json_object_set_new(request, "code", json_of(code));
    json_object_set_new(request, "clientMetadata",
                        order->metadata ? json_incref((json_t *)order->metadata) : json_null());
    json_t *attributes = trigger_user_attributes(call, user);
    if (order->to.ptr) /* "another address than the user's present one": where it must go */
        json_set_str(attributes, order->attribute, order->to);
    json_object_set(request, "userAttributes", attributes);
    trigger_tell(call, &(struct trigger_event){
                           .trigger = trigger,
                           .source = wording_source(call, trigger, order),
                           .pool = pool,
                           .client = order->client,
                           .user_name = user->username,
                           .request = request,
                       });
}
