#include "gateway/options.h"

static const struct option_spec specs[] = {
    { "watchWindowSeconds", OPTION_COUNT, 1, 86400, NULL,
      "after a deployment its errors are watched for so long; above watchErrorPercent the stage goes back to the "
      "deployment before it (not set: nothing is watched)" },
    { "watchErrorPercent", OPTION_NUMBER, 0, 100, NULL,
      "answers with status 5xx, in percent, that a watched deployment may give (not set: 5)" },
    { "watchMinRequests", OPTION_COUNT, 1, 1000000000, NULL,
      "a watched deployment is judged from so many requests on (not set: 20)" },
    { "authorizerTimeoutMs", OPTION_COUNT, 50, 900000, NULL,
      "how long a Lambda authorizer may take, in milliseconds (not set: 10000, as on AWS; with --limits aws it cannot be more)" },
    { "streamIdleSeconds", OPTION_COUNT, 1, 86400, NULL,
      "an answer streamed with responseTransferMode STREAM ends when its integration sends nothing for so long "
      "(not set: 300, of an EDGE API 30)" },
    { "rateLimitHeaders", OPTION_TEXT, 0, 16, "off|draft",
      "draft: answers say in RateLimit-Limit, RateLimit-Remaining and RateLimit-Reset (seconds) how near the nearest "
      "limit is, and 429 when to come again in Retry-After (not set: off, as on AWS)" },
    { "recordRequests", OPTION_FLAG, 0, 0, NULL,
      "the newest requests are kept in memory without their credentials, for `gatehouse replay` (not set: none are)" },
    { "cacheETag", OPTION_FLAG, 0, 0, NULL,
      "cached answers have a strong ETag, and If-None-Match is answered with 304 (not set: as the endpoint says)" },
    { "cacheAge", OPTION_FLAG, 0, 0, NULL, "cached answers have an Age header (not set: none, as on AWS)" },
    { "cacheStaleWhileRevalidate", OPTION_COUNT, 0, 3600, NULL,
      "seconds after its time in which a cached answer is still given while one request fetches a new one (not set: "
      "none)" },
    { "cacheVaryByClaims", OPTION_TEXT, 0, 1024, NULL,
      "names of claims or of the authorizer's context, separated by commas: each value of them has cached answers of "
      "its own (not set: whoever may call gets what is cached)" },
};

const struct option_table gw_options = { specs, COUNT(specs) };
