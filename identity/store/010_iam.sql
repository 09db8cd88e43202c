-- IAM: users, groups, roles, managed policies, instance profiles, per account. Names are unique
-- without regard to case (name_key is lower case); what belongs to an entity hangs on its id, so
-- that renaming moves nothing.
CREATE TABLE iam_entity (
    account TEXT NOT NULL,
    kind TEXT NOT NULL,      -- user, group, role, policy, instance-profile
    name_key TEXT NOT NULL,
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    id TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (account, kind, name_key)
);
CREATE UNIQUE INDEX iam_entity_id ON iam_entity (id);

CREATE TABLE iam_inline_policy (
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (owner, name)
);

CREATE TABLE iam_attachment (
    owner TEXT NOT NULL,
    kind TEXT NOT NULL,      -- of the owner; 'boundary' marks a permissions boundary
    account TEXT NOT NULL,
    policy_arn TEXT NOT NULL,
    PRIMARY KEY (owner, kind, policy_arn)
);
CREATE INDEX iam_attachment_policy ON iam_attachment (account, policy_arn);

CREATE TABLE iam_policy_version (
    policy TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_us BIGINT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (policy, version)
);

-- Users in groups, roles in instance profiles.
CREATE TABLE iam_member (
    parent TEXT NOT NULL,
    member TEXT NOT NULL,
    PRIMARY KEY (parent, member)
);
CREATE INDEX iam_member_of ON iam_member (member);

CREATE TABLE iam_access_key (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    owner TEXT NOT NULL,     -- user id, or the account for root
    secret TEXT NOT NULL,    -- sealed
    status TEXT NOT NULL,
    created_us BIGINT NOT NULL
);
CREATE INDEX iam_access_key_owner ON iam_access_key (owner);

CREATE TABLE iam_service_credential (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    service TEXT NOT NULL,
    service_user_name TEXT NOT NULL,
    secret TEXT NOT NULL,    -- sealed
    status TEXT NOT NULL,
    created_us BIGINT NOT NULL
);
CREATE INDEX iam_service_credential_owner ON iam_service_credential (owner);

-- What is set once per account (alias, password policy), and service-linked roles being deleted.
CREATE TABLE iam_account (
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (account, name)
);
