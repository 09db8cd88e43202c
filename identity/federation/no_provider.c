#include "identity/iam/providers/provider.h"

/* Until there are records of SAML providers. */
__attribute__((weak)) bool saml_provider_find(struct call *call, struct str arn, struct saml_provider *out)
{
    (void)call, (void)arn, (void)out;
    return false;
}
