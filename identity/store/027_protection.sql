-- What guards accounts: failures that lock, attempts an hour, risk configurations, what happened at sign-ins.

-- Everything of a pool that AWS's document has no place for, an object: {"options": {...}}.
ALTER TABLE pools ADD COLUMN more TEXT;

-- Wrong passwords in a row. who: the user's sub; of nobody, a keyed hash of the name.
CREATE TABLE pool_failures (
    pool TEXT NOT NULL,
    who TEXT NOT NULL,
    failures BIGINT NOT NULL,
    last_us BIGINT NOT NULL,
    forget_us BIGINT NOT NULL, -- nothing counts after it
    PRIMARY KEY (pool, who)
);
CREATE INDEX pool_failures_forget ON pool_failures (forget_us);

-- Attempts at what is capped by the hour, of which since_s is the start.
CREATE TABLE pool_attempts (
    pool TEXT NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    since_s BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    PRIMARY KEY (pool, who, what)
);
CREATE INDEX pool_attempts_in_time ON pool_attempts (since_s);

CREATE INDEX pool_codes_sent ON pool_codes (sent_s);

-- client: '' for the pool's own.
CREATE TABLE pool_risk (
    pool TEXT NOT NULL,
    client TEXT NOT NULL,
    modified_us BIGINT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (pool, client)
);

CREATE TABLE pool_auth_events (
    pool TEXT NOT NULL,
    sub TEXT NOT NULL,
    id TEXT NOT NULL,
    at_us BIGINT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (pool, sub, id)
);
CREATE INDEX pool_auth_events_in_time ON pool_auth_events (pool, sub, at_us);
