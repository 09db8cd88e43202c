-- Functions of all accounts and regions. doc holds the rest of a resource as the JSON of its API shape.
CREATE TABLE functions (
    account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,
    next_version BIGINT NOT NULL,   -- never used again, also after a version was deleted
    reserved BIGINT,                -- concurrency; NULL: none reserved
    tags TEXT NOT NULL,             -- JSON object
    PRIMARY KEY (account, region, name));

-- version is $LATEST (number 0) or the number; variables is the environment, sealed; code names the package.
CREATE TABLE function_versions (
    account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL,
    number BIGINT NOT NULL, code TEXT NOT NULL, code_size BIGINT NOT NULL, doc TEXT NOT NULL, variables TEXT,
    PRIMARY KEY (account, region, name, version));
CREATE INDEX function_versions_code ON function_versions (code);

CREATE TABLE function_aliases (
    account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, alias TEXT NOT NULL,
    version TEXT NOT NULL, doc TEXT NOT NULL,
    PRIMARY KEY (account, region, name, alias));

-- One resource policy each for a function, a version, an alias (qualifier '' is the function's own); doc is a list of statements.
CREATE TABLE function_policies (
    account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, qualifier TEXT NOT NULL,
    revision TEXT NOT NULL, doc TEXT NOT NULL,
    PRIMARY KEY (account, region, name, qualifier));

CREATE TABLE function_event_configs (
    account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL, qualifier TEXT NOT NULL, doc TEXT NOT NULL,
    PRIMARY KEY (account, region, name, qualifier));

-- Event invocations that were accepted and not finished: they outlive the process.
CREATE TABLE function_events (
    id TEXT NOT NULL PRIMARY KEY, account TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,
    qualifier TEXT, payload TEXT NOT NULL, trace TEXT, accepted_us BIGINT NOT NULL, due_us BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    claimed BIGINT NOT NULL);       -- 1: a process runs it; put back to 0 when the server starts
CREATE INDEX function_events_due ON function_events (claimed, due_us);
