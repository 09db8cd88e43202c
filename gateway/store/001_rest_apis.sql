-- REST APIs. The whole draft of an API is one JSON document (gateway/store/deployment.h says how it
-- looks): operations change one node of it inside a write transaction, and a deployment is a copy.
CREATE TABLE rest_apis (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    doc TEXT NOT NULL
);
CREATE INDEX rest_apis_owner ON rest_apis (account, region, created_us, id);

-- doc: what GetDeployment answers. api: the API as it was, never changed again.
CREATE TABLE rest_deployments (
    api_id TEXT NOT NULL,
    id TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    doc TEXT NOT NULL,
    api TEXT NOT NULL,
    PRIMARY KEY (api_id, id)
);

-- doc: what GetStage answers.
CREATE TABLE rest_stages (
    api_id TEXT NOT NULL,
    name TEXT NOT NULL,
    deployment_id TEXT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (api_id, name)
);

-- Documentation is no part of what is served, and an API may have 2,000 parts: a table of its own.
-- kind: 'part' (id is the part's) or 'version' (id is the version's name).
CREATE TABLE rest_documentation (
    api_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (api_id, kind, id)
);

CREATE TABLE vpc_links (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    doc TEXT NOT NULL
);
