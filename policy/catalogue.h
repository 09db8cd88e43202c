/* Actions, resource types and condition keys of AWS's services, as its Service Authorization Reference lists
 * them (services.json, which holds our services and those that policies beside them commonly name). */
#pragma once

#include "core/json_tree.h"

enum key_type { KEY_STRING, KEY_ARN, KEY_BOOL, KEY_DATE, KEY_NUMERIC, KEY_IP };

/* The table: read when somebody asks first, kept. */
const struct jt *catalogue(void);

bool catalogue_has_service(struct str service); /* case counts */
/* One or two letters off; or absent. */
struct str catalogue_nearest_service(struct str service);
struct str catalogue_nearest_action(struct str service, struct str action);

/* Calls fn with the service and name of each action that "lambda:Get*", "lambda:*" or "*" covers; false from
 * fn ends it. False: it covers none (of the services that are here). */
typedef bool catalogue_action(struct str service, struct str name, void *ctx);
bool catalogue_each_action(struct str pattern, catalogue_action *fn, void *ctx);

/* "aws:SourceIp", "lambda:Layer", "aws:RequestTag/team". False: the service ("aws": global keys) has no such
 * key. */
bool catalogue_key(struct str key, enum key_type *type, bool *multivalued);

/* Could the ARN, with wild cards and variables, be one of the service's? Services whose ARNs are not known:
 * yes. */
bool catalogue_has_resource(struct arena *arena, struct str service, struct str arn);
/* Whether the service's ARNs always, or never, say a region and an account. */
struct catalogue_parts {
    bool region_always, region_never, account_never;
};
struct catalogue_parts catalogue_parts(struct str service);
