-- Identity pools (cognito-identity). doc: as DescribeIdentityPool answers; roles: what SetIdentityPoolRoles was given.
CREATE TABLE identity_pools (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    doc TEXT NOT NULL,
    roles TEXT
);
CREATE INDEX identity_pools_of_account ON identity_pools (account, region, id);

-- SetPrincipalTagAttributeMap, a row a provider.
CREATE TABLE identity_pool_tag_maps (
    pool TEXT NOT NULL,
    provider TEXT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (pool, provider)
);

-- merged_into: the identity that took over this one's logins.
CREATE TABLE identity_pool_identities (
    id TEXT PRIMARY KEY,
    pool TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    modified_us BIGINT NOT NULL,
    disabled BIGINT NOT NULL,
    merged_into TEXT
);
CREATE INDEX identity_pool_identities_of_pool ON identity_pool_identities (pool, id);
CREATE INDEX identity_pool_identities_merged ON identity_pool_identities (merged_into) WHERE merged_into IS NOT NULL;

-- Who somebody is at a provider, and the identity that this is. developer: the application's own user names, which
-- are no provider's whatever the developer provider is called.
CREATE TABLE identity_pool_logins (
    pool TEXT NOT NULL,
    developer BIGINT NOT NULL,
    provider TEXT NOT NULL,
    subject TEXT NOT NULL,
    identity TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    PRIMARY KEY (pool, developer, provider, subject)
);
CREATE INDEX identity_pool_logins_of_identity ON identity_pool_logins (identity, developer, provider, subject);

-- What the tokens of all identity pools are signed with.
CREATE TABLE identity_pool_keys (
    kid TEXT PRIMARY KEY,
    modulus TEXT NOT NULL,
    exponent TEXT NOT NULL,
    sealed TEXT NOT NULL,
    created_us BIGINT NOT NULL
);
