-- User pools. Columns are what is searched by; the rest of a resource is its JSON in `doc`.
CREATE TABLE pools (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    doc TEXT NOT NULL
);
CREATE INDEX pools_of_account ON pools (account, region, id);

-- Signing keys: pool absent means in stock, made ahead of need. purpose: 'id' or 'access'.
CREATE TABLE pool_keys (
    kid TEXT PRIMARY KEY,
    pool TEXT,
    purpose TEXT,
    modulus TEXT NOT NULL,
    exponent TEXT NOT NULL,
    sealed TEXT NOT NULL
);
CREATE INDEX pool_keys_of_pool ON pool_keys (pool);

CREATE TABLE pool_clients (
    id TEXT PRIMARY KEY,
    pool TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    secret TEXT,            -- sealed; absent: public client
    doc TEXT NOT NULL
);
CREATE INDEX pool_clients_of_pool ON pool_clients (pool, id);

-- folded: the username as it is compared (lower case in case-insensitive pools).
CREATE TABLE pool_users (
    pool TEXT NOT NULL,
    folded TEXT NOT NULL,
    sub TEXT NOT NULL,
    username TEXT NOT NULL,
    status TEXT NOT NULL,
    enabled BIGINT NOT NULL,
    created_us BIGINT NOT NULL,
    modified_us BIGINT NOT NULL,
    password_us BIGINT NOT NULL,
    salt TEXT,              -- hex
    verifier TEXT,          -- sealed SRP verifier
    password TEXT,          -- argon2id, PHC string
    doc TEXT NOT NULL,      -- {"attributes": {name: value}}
    PRIMARY KEY (pool, folded)
);
CREATE UNIQUE INDEX pool_users_by_sub ON pool_users (pool, sub);

-- Other names a user signs in by: e-mail, phone number, preferred user name.
CREATE TABLE pool_aliases (
    pool TEXT NOT NULL,
    value TEXT NOT NULL,    -- folded as the pool compares
    attribute TEXT NOT NULL,
    sub TEXT NOT NULL,
    PRIMARY KEY (pool, value)
);
CREATE INDEX pool_aliases_of_user ON pool_aliases (pool, sub);

-- Codes on their way to a person: a keyed hash, never the code.
CREATE TABLE pool_codes (
    pool TEXT NOT NULL,
    sub TEXT NOT NULL,
    purpose TEXT NOT NULL,  -- 'signup', 'forgot', 'verify:email', 'verify:phone_number'
    mac TEXT NOT NULL,
    attribute TEXT,         -- what was proven by receiving it
    sent_s BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    PRIMARY KEY (pool, sub, purpose)
);

CREATE TABLE pool_groups (
    pool TEXT NOT NULL,
    name TEXT NOT NULL,
    precedence BIGINT,
    role TEXT,
    doc TEXT NOT NULL,
    PRIMARY KEY (pool, name)
);
CREATE TABLE pool_members (
    pool TEXT NOT NULL,
    name TEXT NOT NULL,
    sub TEXT NOT NULL,
    PRIMARY KEY (pool, name, sub)
);
CREATE INDEX pool_members_of_user ON pool_members (pool, sub);

-- One row a sign-in: what a refresh token stands for. mac: keyed hash of the token.
CREATE TABLE pool_sessions (
    mac TEXT PRIMARY KEY,
    pool TEXT NOT NULL,
    client TEXT NOT NULL,
    sub TEXT NOT NULL,
    origin TEXT NOT NULL,
    event TEXT NOT NULL,
    auth_s BIGINT NOT NULL,
    expires_s BIGINT NOT NULL,
    revoked BIGINT NOT NULL
);
CREATE INDEX pool_sessions_of_user ON pool_sessions (pool, sub);

-- Sessions of challenges that were answered: each is good once.
CREATE TABLE pool_spent (
    mac TEXT PRIMARY KEY,
    until_s BIGINT NOT NULL
);

-- Tokens stop: all of a user that began before epoch_us; all of one sign-in.
CREATE TABLE pool_epochs (
    pool TEXT NOT NULL,
    sub TEXT NOT NULL,
    epoch_us BIGINT NOT NULL,
    PRIMARY KEY (pool, sub)
);
CREATE TABLE pool_revoked (
    origin TEXT PRIMARY KEY,
    pool TEXT NOT NULL,
    until_s BIGINT NOT NULL
);
CREATE INDEX pool_spent_until ON pool_spent (until_s);
CREATE INDEX pool_epochs_in_time ON pool_epochs (epoch_us);
CREATE INDEX pool_revoked_until ON pool_revoked (until_s);
