/* The query protocol (IAM, STS): a form comes in, XML goes out. */
#pragma once

#include "wire/model.h"

/* form: "Action=CreateUser&Tags.member.1.Key=a&…". Fills in the struct of `shape`. False: *why. */
bool query_decode(struct arena *arena, const struct shape *shape, struct str form, void *out,
                  struct str *why);

/* <CreateUserResponse xmlns="…"><CreateUserResult>…</CreateUserResult><ResponseMetadata>… */
struct str query_encode(struct arena *arena, const struct service *service, const struct operation *operation,
                        const void *out, struct str request_id);
/* <ErrorResponse xmlns="…"><Error><Type>Sender</Type>… */
struct str query_error(struct arena *arena, const struct service *service, const char *code,
                       bool server_fault, struct str message, struct str request_id);

void xml_escape(struct strbuf *xml, struct str text);
