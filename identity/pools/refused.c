/* Members that would need enforcing and are not enforced yet: refused by name rather than ignored. */
#include "identity/identity.h"

#define POOL(op)                                                                                             \
    op ".LambdaConfig.InboundFederation", op ".DcrConfiguration",                                            \
        op ".KeyConfiguration.KeyType=CUSTOMER_MANAGED_KEY", op ".IssuerConfiguration.Type=UPDATED",         \
        op ".SmsConfiguration.EumsSms"

#define CLIENT(op)                                                                                           \
    op ".AnalyticsConfiguration"

const char *const identity_refused_idp[] = {
    POOL("CreateUserPool"),
    POOL("UpdateUserPool"),
    CLIENT("CreateUserPoolClient"),
    CLIENT("UpdateUserPoolClient"),
    "CreateUserPoolDomain.Routing",
    "UpdateUserPoolDomain.Routing",
    "DescribeManagedLoginBranding.ReturnMergedResources",
    "DescribeManagedLoginBrandingByClient.ReturnMergedResources",
    "SetLogDeliveryConfiguration.LogConfigurations.S3Configuration",
    "SetLogDeliveryConfiguration.LogConfigurations.FirehoseConfiguration",
    "GetDerivedToken.SubjectTokenProviderName",
    "GetDerivedToken.ActorTokenProviderName",
    "GetDerivedToken.SubjectTokenType=SAML2",
    "GetDerivedToken.ActorTokenType=SAML2",
    NULL,
};

const char *const identity_accepted[] = {
    "CreateOpenIDConnectProvider.ThumbprintList: kept and shown; the certificates of an issuer are checked against the "
    "authorities that this machine trusts",
    "SetSecurityTokenServicePreferences: kept and shown in the summary; session tokens are good in every region anyway",
    "PutAccountProperties: kept and shown; the switches are those of a service that does not run here",
    "CreateIdentityProvider: the record is kept and checked, links and mappings too; nobody signs in through "
    "it before there are sign-in pages",
    "CreateUserPoolDomain: the name is kept for the pool; nothing is served under it before there are "
    "sign-in pages",
    "CreateLoginProfile, ChangePassword: the password is hashed, checked against the policy and kept; nobody signs in with "
    "it before there is a console",
    "UploadSSHPublicKey, UploadSigningCertificate, UploadServerCertificate: checked and kept as records; no service here "
    "takes them",
    "SetUICustomization, CreateManagedLoginBranding, CreateTerms: kept for the sign-in pages",
    "SetUserPoolClientSessionConfiguration: kept for the sessions of the sign-in pages, which may be reused so long; "
    "RevokeAssociatedSessions=LINKED reaches such a session when there is one",
    "CreateUserImportJob.CloudWatchLogsRoleArn: kept and shown; the log is here, which takes no role",
    "CreateUserPoolClient.AllowedOAuthFlowsUserPoolClient, CallbackURLs, LogoutURLs: kept and checked; the endpoints of "
    "OAuth are not there before there are sign-in pages (GetClientToken and GetDerivedToken heed AllowedOAuthScopes)",
    NULL,
};
