/* The permissions policies that users, groups and roles carry, and what each of them reaches. */
#pragma once

#include "identity/iam/iam.h"
#include "policy/document.h"

struct carried {
    struct str name, arn;          /* arn: absent for an inline policy */
    const struct entity *owner;    /* to whom it is attached: the user, or a group of theirs */
    struct policy policy;
};
struct carried_list {
    size_t n;
    struct carried *items;
};

/* A user's include those of the user's groups. */
gh_err carried_by(struct call *call, const struct entity *entity, struct carried_list *out);
/* One managed policy by itself. */
gh_err carried_managed(struct call *call, struct str arn, struct carried_list *out);

/* "It only applies permissions policy logic": resources and conditions are not looked at, but a deny of the whole
 * service counts. */
bool carried_reaches(const struct carried_list *list, struct str service);
bool policy_grants_service(const struct policy *policy, struct str service);
bool carried_grants(const struct carried_list *list, struct str service, struct str action);
/* The namespaces that the policies write out, each once, and those of service_at when one says '*'. */
size_t carried_services(struct arena *arena, const struct carried_list *list, struct str **out);

/* The user, group or role of this ARN. NoSuchEntity, InvalidInput. */
gh_err carrier_find(struct call *call, struct str arn, struct entity *out);
