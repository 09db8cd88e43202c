-- Service and resource control policies of an account.
CREATE TABLE guard_rail (
    account TEXT NOT NULL,
    kind TEXT NOT NULL,      -- service, resource
    name TEXT NOT NULL,
    document TEXT NOT NULL,  -- empty: FullAWSAccess, detached
    changed_us BIGINT NOT NULL,
    PRIMARY KEY (account, kind, name)
);
