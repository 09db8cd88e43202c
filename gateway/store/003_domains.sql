-- Custom domains. doc: what GetDomainName answers, and id, account, region. A name belongs to one
-- account only: "The domain name you provided already exists."
CREATE TABLE domain_names (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL UNIQUE,
    doc TEXT NOT NULL
);

-- base_path: "" is AWS's "(none)".
CREATE TABLE domain_mappings (
    domain_id TEXT NOT NULL,
    base_path TEXT NOT NULL,
    rest_api_id TEXT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (domain_id, base_path)
);
CREATE INDEX domain_mappings_api ON domain_mappings (rest_api_id);

CREATE TABLE domain_rules (
    domain_id TEXT NOT NULL,
    id TEXT NOT NULL,
    priority BIGINT NOT NULL,
    rest_api_id TEXT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (domain_id, id)
);
CREATE INDEX domain_rules_api ON domain_rules (rest_api_id);

-- Who may reach a private domain: arn is the association's.
CREATE TABLE domain_associations (
    arn TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    domain_id TEXT NOT NULL,
    doc TEXT NOT NULL
);
