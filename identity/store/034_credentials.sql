-- What users of an account prove themselves with, besides access keys. `owner` is the id of a user, or the account
-- for its root. Secrets are sealed or hashed.
CREATE TABLE iam_login_profile (
    owner TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    changed_us BIGINT NOT NULL,     -- when the password was set
    used_us BIGINT NOT NULL,        -- 0: never
    reset_required BIGINT NOT NULL,
    hash TEXT NOT NULL,
    before_it TEXT NOT NULL,        -- hashes of earlier passwords, the newest first: a JSON array
    failures BIGINT NOT NULL,       -- wrong passwords in a row
    failed_us BIGINT NOT NULL
);
CREATE INDEX iam_login_profile_account ON iam_login_profile (account);

CREATE TABLE iam_mfa_device (
    serial TEXT PRIMARY KEY,        -- an ARN
    account TEXT NOT NULL,
    owner TEXT,                     -- NULL: not assigned
    seed TEXT NOT NULL,             -- sealed
    created_us BIGINT NOT NULL,
    enabled_us BIGINT NOT NULL,     -- 0: not assigned
    last_step BIGINT NOT NULL,      -- of the last code taken: none up to it is taken again
    drift BIGINT NOT NULL,          -- steps that its clock is ahead of ours
    failures BIGINT NOT NULL,       -- wrong codes in a row
    failed_us BIGINT NOT NULL,
    tags TEXT NOT NULL              -- JSON
);
CREATE INDEX iam_mfa_device_account ON iam_mfa_device (account);
CREATE INDEX iam_mfa_device_owner ON iam_mfa_device (owner);

CREATE TABLE iam_ssh_key (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    body TEXT NOT NULL,             -- as it was uploaded
    fingerprint TEXT NOT NULL,
    status TEXT NOT NULL,
    created_us BIGINT NOT NULL
);
CREATE UNIQUE INDEX iam_ssh_key_owner ON iam_ssh_key (owner, fingerprint);

CREATE TABLE iam_signing_certificate (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    account TEXT NOT NULL,
    body TEXT NOT NULL,
    digest TEXT NOT NULL,           -- of the DER
    status TEXT NOT NULL,
    created_us BIGINT NOT NULL
);
CREATE INDEX iam_signing_certificate_owner ON iam_signing_certificate (owner);
CREATE UNIQUE INDEX iam_signing_certificate_digest ON iam_signing_certificate (account, digest);

-- What a server certificate has besides name, path and tags (iam_entity).
CREATE TABLE iam_server_certificate (
    id TEXT PRIMARY KEY,
    body TEXT NOT NULL,
    chain TEXT,
    private_key TEXT NOT NULL,      -- sealed
    expires_s BIGINT NOT NULL
);

CREATE TABLE iam_credential_report (
    account TEXT PRIMARY KEY,
    started_us BIGINT NOT NULL,
    made_us BIGINT NOT NULL,        -- 0: being made
    content TEXT NOT NULL
);
