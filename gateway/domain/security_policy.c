#include "gateway/domain/security_policy.h"

#define GCM_PFS \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:" \
    "ECDHE-RSA-AES256-GCM-SHA384"
#define CHACHA "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define CBC_PFS \
    "ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384"
#define RSA_KEYS "AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA256:AES256-SHA256"
#define SUITES_13 "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"

static const char NO_POST_QUANTUM[] = "a key exchange that resists quantum computers (OpenSSL 3.5 has it)";
static const char NO_FIPS[] = "a validated FIPS module";
static const char NO_TLS_1_0[] = "TLS 1.0 and 1.1, which are broken: use TLS_1_2";

static const struct security_policy policies[] = {
    { "TLS_1_0", { TLS1_2_VERSION, 0, NULL, NULL }, false, false, NO_TLS_1_0 },
    { "TLS_1_2", { TLS1_2_VERSION, 0, GCM_PFS ":" CHACHA ":" CBC_PFS ":" RSA_KEYS, SUITES_13 }, false, false, NULL },
    { "SecurityPolicy_TLS13_1_3_2025_09", { TLS1_3_VERSION, 0, NULL, SUITES_13 }, true, false, NULL },
    { "SecurityPolicy_TLS13_1_2_2021_06",
      { TLS1_2_VERSION, 0, GCM_PFS ":" CHACHA ":" CBC_PFS, SUITES_13 }, true, false, NULL },
    { "SecurityPolicy_TLS13_1_3_FIPS_2025_09", { TLS1_3_VERSION, 0, NULL, NULL }, true, false, NO_FIPS },
    { "SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09", { TLS1_2_VERSION, 0, NULL, NULL }, true, false, NO_POST_QUANTUM },
    { "SecurityPolicy_TLS13_1_2_PQ_2025_09", { TLS1_2_VERSION, 0, NULL, NULL }, true, false, NO_POST_QUANTUM },
    { "SecurityPolicy_TLS13_1_2_Ext2_PQ_2025_09", { TLS1_2_VERSION, 0, NULL, NULL }, true, false, NO_POST_QUANTUM },
    { "SecurityPolicy_TLS13_1_2_FIPS_PQ_2025_09", { TLS1_2_VERSION, 0, NULL, NULL }, true, false, NO_FIPS },
    { "SecurityPolicy_TLS13_1_2_FIPS_PFS_PQ_2025_09", { TLS1_2_VERSION, 0, NULL, NULL }, true, false, NO_FIPS },
    { "SecurityPolicy_TLS13_1_2_Ext2_FIPS_PQ_2025_09", { TLS1_2_VERSION, 0, NULL, NULL }, true, false, NO_FIPS },
    { "SecurityPolicy_TLS13_2025_EDGE", { TLS1_3_VERSION, 0, NULL, SUITES_13 }, true, true, NULL },
    { "SecurityPolicy_TLS12_PFS_2025_EDGE", { TLS1_2_VERSION, 0, GCM_PFS ":" CHACHA, SUITES_13 }, true, true, NULL },
    { "SecurityPolicy_TLS12_2018_EDGE",
      { TLS1_2_VERSION, 0, GCM_PFS ":" CHACHA ":" CBC_PFS ":" RSA_KEYS, SUITES_13 }, true, true, NULL },
};

const struct security_policy *security_policy_find(struct str name)
{
    for (size_t i = 0; i < COUNT(policies); i++)
        if (str_is(name, policies[i].name))
            return &policies[i];
    return NULL;
}
