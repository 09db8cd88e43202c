#include "gateway/gateway_response.h"

/* Statuses, texts and x-amzn-ErrorType as recorded or reported (reference/apigateway-rest.md, 2).
 * In the order of enum response_type. */
const struct response_kind response_kinds[] = {
    { "ACCESS_DENIED", 403, "User is not authorized to access this resource", "AccessDeniedException", "Message" },
    { "API_CONFIGURATION_ERROR", 500, "Internal server error", "InternalServerErrorException", "message", true },
    { "AUTHORIZER_CONFIGURATION_ERROR", 500, NULL, "AuthorizerConfigurationException", "message" },
    { "AUTHORIZER_FAILURE", 500, NULL, "AuthorizerConfigurationException", "message" },
    { "BAD_REQUEST_BODY", 400, "Invalid request body", "BadRequestException", "message" },
    { "BAD_REQUEST_PARAMETERS", 400, "Missing required request parameters", "BadRequestException", "message" },
    { "DEFAULT_4XX", 400, NULL, "BadRequestException", "message" },
    { "DEFAULT_5XX", 500, NULL, "InternalServerErrorException", "message" },
    { "EXPIRED_TOKEN", 403, "The security token included in the request is expired", "ExpiredTokenException",
      "message" },
    { "INTEGRATION_FAILURE", 504, "Network error communicating with endpoint", "InternalServerErrorException",
      "message", true },
    { "INTEGRATION_TIMEOUT", 504, "Endpoint request timed out", "InternalServerErrorException", "message", true },
    { "INVALID_API_KEY", 403, "Forbidden", "ForbiddenException", "message" },
    { "INVALID_SIGNATURE", 403,
      "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
      "Key and signing method. Consult the service documentation for details.",
      "InvalidSignatureException", "message" },
    { "MISSING_AUTHENTICATION_TOKEN", 403, "Missing Authentication Token", "MissingAuthenticationTokenException",
      "message" },
    { "QUOTA_EXCEEDED", 429, "Limit Exceeded", "LimitExceededException", "message" },
    { "REQUEST_TOO_LARGE", 413, "HTTP content length exceeded 10485760 bytes.", "RequestTooLargeException",
      "message", false, true },
    { "RESOURCE_NOT_FOUND", 404, "Not Found", "NotFoundException", "message" },
    { "THROTTLED", 429, "Too Many Requests", "TooManyRequestsException", "message" },
    { "UNAUTHORIZED", 401, "Unauthorized", "UnauthorizedException", "message" },
    { "UNSUPPORTED_MEDIA_TYPE", 415, "Unsupported Media Type", "BadRequestException", "message" },
    { "WAF_FILTERED", 403, "Forbidden", "ForbiddenException", "message" },
    { "", 403, "Forbidden", "ForbiddenException", "message", false, true },
};

int response_type_of(struct str name)
{
    for (int i = 0; i < RESPONSE_FIXED; i++)
        if (str_is(name, response_kinds[i].name))
            return i;
    return -1;
}
