-- What is set up for a pool beside its own document: identity providers and their identifiers, links of users to
-- them, domains, branding, terms, log delivery, the signing certificate. owner: whom the record hangs on
-- (app client, provider, user), or ''.
CREATE TABLE pool_records (
    pool TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    owner TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (pool, kind, name)
);
CREATE INDEX pool_records_of_owner ON pool_records (pool, owner, kind);
-- "Domain already associated with another user pool."
CREATE UNIQUE INDEX pool_records_domains ON pool_records (name) WHERE kind = 'domain';

-- Requests a second that an account allows itself, by API category; no row: the default.
CREATE TABLE account_limits (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    category TEXT NOT NULL,
    per_second BIGINT NOT NULL,
    PRIMARY KEY (account, region, category)
);
