/* What becomes of a payload on its way through an integration that is no proxy: AWS's tables of Content-Type or
 * Accept, binaryMediaTypes and contentHandling ("Content type conversions in API Gateway"). */
#pragma once

#include "gateway/snapshot.h"

/*   binary    the payload's type is one of binaryMediaTypes
 *   wanted    CONTENT_AS_IS only: binary is wanted (a request: as the payload; an answer: as its Accept)
 *   *out      text is UTF-8: what is none becomes U+FFFD. Views the payload when nothing changes.
 *   *is_text  a template can read it
 * False: a text that has to become binary is not base64. */
bool content_convert(struct arena *arena, struct str payload, bool binary, bool wanted, enum content_handling handling,
                     struct str *out, bool *is_text);
