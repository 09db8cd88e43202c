-- What a sign-in has besides its columns (how it was proven, on which device), as JSON.
ALTER TABLE pool_sessions ADD COLUMN doc TEXT;

-- Wrong answers within one sign-in, by its id: a handful, then its session is dead.
CREATE TABLE pool_tries (
    id TEXT PRIMARY KEY,
    tries BIGINT NOT NULL,
    until_s BIGINT NOT NULL
);
CREATE INDEX pool_tries_until ON pool_tries (until_s);
