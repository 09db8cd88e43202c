-- API keys and usage plans belong to an account and a region, not to an API.
-- doc: what GetApiKey answers, without the value. name, customer: what lists are searched by.
CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    name TEXT NOT NULL,
    customer TEXT NOT NULL,
    doc TEXT NOT NULL
);
CREATE INDEX api_keys_owner ON api_keys (account, region, created_us, id);

-- The values of a key: one, two while it is rotated. mac: HMAC-SHA-256 of account, region and value,
-- what a request is looked up by. sealed: the value itself, for GetApiKey. ends_us: 0, or from when
-- on it is no key any more. serial: the newest is the greatest.
CREATE TABLE api_key_values (
    mac TEXT NOT NULL PRIMARY KEY,
    key_id TEXT NOT NULL,
    sealed TEXT NOT NULL,
    ends_us BIGINT NOT NULL,
    serial BIGINT NOT NULL
);
CREATE INDEX api_key_values_key ON api_key_values (key_id, serial);

-- doc: what GetUsagePlan answers.
CREATE TABLE usage_plans (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    doc TEXT NOT NULL
);
CREATE INDEX usage_plans_owner ON usage_plans (account, region, created_us, id);

CREATE TABLE usage_plan_keys (
    plan_id TEXT NOT NULL,
    key_id TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    PRIMARY KEY (plan_id, key_id)
);
CREATE INDEX usage_plan_keys_key ON usage_plan_keys (key_id, plan_id);

-- What was served of a plan to a key on a day (days since 1970 UTC), and what its quota had left then.
CREATE TABLE usage_days (
    plan_id TEXT NOT NULL,
    key_id TEXT NOT NULL,
    day BIGINT NOT NULL,
    used BIGINT NOT NULL,
    remaining BIGINT NOT NULL,
    PRIMARY KEY (plan_id, key_id, day)
);

-- The quota of the period that begins on day `starts`. remaining: what nobody has taken yet. Requests
-- are taken from here in portions before they are served, so that a kill forgets none of them.
CREATE TABLE usage_quotas (
    plan_id TEXT NOT NULL,
    key_id TEXT NOT NULL,
    period TEXT NOT NULL,
    starts BIGINT NOT NULL,
    quota BIGINT NOT NULL,
    remaining BIGINT NOT NULL,
    PRIMARY KEY (plan_id, key_id)
);

-- doc: what UpdateAccount has set.
CREATE TABLE gateway_accounts (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (account, region)
);
