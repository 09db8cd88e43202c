-- SAML assertions that were used, until nobody would take them anyway.
CREATE TABLE sts_saml_spent (
    issuer TEXT NOT NULL,
    id TEXT NOT NULL,
    until_s BIGINT NOT NULL,
    PRIMARY KEY (issuer, id)
);
CREATE INDEX sts_saml_spent_until ON sts_saml_spent (until_s);
-- Keys that sign an account's outbound web identity tokens; sealed.
CREATE TABLE sts_outbound_key (
    account TEXT NOT NULL,
    alg TEXT NOT NULL,
    kid TEXT NOT NULL,
    private TEXT NOT NULL,
    PRIMARY KEY (account, alg)
);
