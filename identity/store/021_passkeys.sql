-- Passkeys of users. id: the credential's, base64url; nobody else in the pool may have it. counter: the
-- authenticator's, as it was at the last sign-in. doc: the public key and what is shown, as JSON.
CREATE TABLE pool_passkeys (
    pool TEXT NOT NULL,
    id TEXT NOT NULL,
    sub TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    used_us BIGINT NOT NULL,
    counter BIGINT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (pool, id)
);
CREATE INDEX pool_passkeys_of_user ON pool_passkeys (pool, sub, created_us);
