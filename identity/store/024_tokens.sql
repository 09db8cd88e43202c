-- Secrets of app clients, at most two, the older first: [{"id":…,"sealed":…,"created_us":…}]. They stood alone before.
ALTER TABLE pool_clients ADD COLUMN secrets TEXT;
UPDATE pool_clients
    SET secrets = '[{"id":"' || id || '--' || created_us || '","sealed":"' || secret || '","created_us":' || created_us || '}]',
        secret = NULL
    WHERE secret IS NOT NULL;

-- When a signing key begins to sign (seconds): the last one that has begun signs, one that has not yet is only listed.
ALTER TABLE pool_keys ADD COLUMN from_s BIGINT;
UPDATE pool_keys SET from_s = 0 WHERE pool IS NOT NULL;
