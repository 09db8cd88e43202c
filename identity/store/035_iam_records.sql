-- Identity providers (iam_entity holds their names and tags): what else is known of each.
CREATE TABLE iam_provider (
    id TEXT PRIMARY KEY,     -- of the entity
    doc TEXT NOT NULL        -- client ids and thumbprints, or metadata
);

-- Private keys with which a SAML provider's encrypted assertions are opened.
CREATE TABLE iam_provider_key (
    id TEXT PRIMARY KEY,
    provider TEXT NOT NULL,
    pem TEXT NOT NULL,       -- sealed
    created_us BIGINT NOT NULL
);
CREATE INDEX iam_provider_key_of ON iam_provider_key (provider);

-- The last time that a user, a role or a root user asked for something: written some seconds later.
CREATE TABLE iam_last_access (
    owner TEXT NOT NULL,     -- id of the user or role; the account for its root user
    service TEXT NOT NULL,   -- "iam"
    action TEXT NOT NULL,    -- "GetRole"
    region TEXT NOT NULL,
    at_s BIGINT NOT NULL,
    PRIMARY KEY (owner, service, action)
);

CREATE TABLE iam_key_last_access (
    key_id TEXT PRIMARY KEY,
    service TEXT NOT NULL,
    region TEXT NOT NULL,
    at_s BIGINT NOT NULL
);

-- Reports on the above, as they were when they were asked for.
CREATE TABLE iam_access_report (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    doc TEXT NOT NULL
);
CREATE INDEX iam_access_report_age ON iam_access_report (account, created_us);
