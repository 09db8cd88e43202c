/* Making custom domains live: the table of all of them is made anew and swapped in on every loop. */
#pragma once

#include "gateway/state.h"
#include "wire/call.h"

/* Job threads. Returns when all loops serve what is committed now. */
gh_err gateway_publish_domains(struct gateway *gateway, struct call *call);
/* Would the domain get its certificate and truststore? Else BadRequestException. Fills
 * mutualTlsAuthentication.truststoreWarnings of `domain`. */
gh_err gateway_check_domain(struct gateway *gateway, struct call *call, json_t *domain);

/* At the start, before the loops run. False: *why. */
bool gateway_load_domains(struct gateway *gateway, struct str *why);
