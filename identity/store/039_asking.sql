-- What principals asked for, and what their policies said: for --enforce=soft and `gatehouse policy suggest`.
CREATE TABLE iam_asking (
    owner TEXT NOT NULL,      -- id of the user or role; the account for its root user
    action TEXT NOT NULL,     -- "lambda:InvokeFunction"
    resource TEXT NOT NULL,   -- as it was asked for
    passed_to TEXT NOT NULL,  -- iam:PassRole: the service; else ""
    account TEXT NOT NULL,
    principal TEXT NOT NULL,  -- ARN of the user or role
    allowed BIGINT NOT NULL,  -- how often
    spared BIGINT NOT NULL,   -- would have been refused
    refused BIGINT NOT NULL,
    reason TEXT NOT NULL,     -- of the last that was not allowed: "no identity-based policy allows …"; or ""
    at_s BIGINT NOT NULL,
    PRIMARY KEY (owner, action, resource, passed_to)
);
CREATE INDEX iam_asking_denied ON iam_asking (account, at_s);
