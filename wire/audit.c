#include "wire/audit.h"

#include "core/json.h"
#include "wire/call.h"

void audit_note(struct call *call, const char *key, json_t *value)
{
    if (!call->audit) {
        json_decref(value);
        return;
    }
    if (!call->audit->additional)
        call->audit->additional = json_own(call->arena, json_object());
    json_object_set_new(call->audit->additional, key, value);
}

void audit_note_str(struct call *call, const char *key, struct str value)
{
    if (value.ptr)
        audit_note(call, key, json_of(value));
}

void audit_identity(struct call *call, json_t *identity)
{
    json_own(call->arena, identity);
    if (call->audit)
        call->audit->identity = identity;
}

void audit_account(struct call *call, struct str account)
{
    if (call->audit)
        call->audit->account = account;
}
