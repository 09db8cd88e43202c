-- Devices that users have confirmed: a name, a password of their own (its SRP verifier, sealed), and whether the
-- user wants them remembered.
CREATE TABLE pool_devices (
    pool TEXT NOT NULL,
    sub TEXT NOT NULL,
    device TEXT NOT NULL,       -- DeviceKey
    device_group TEXT NOT NULL, -- DeviceGroupKey: what the client hashed with
    name TEXT,
    salt TEXT NOT NULL,         -- hex
    verifier TEXT NOT NULL,     -- sealed
    remembered BIGINT NOT NULL,
    created_us BIGINT NOT NULL,
    modified_us BIGINT NOT NULL,
    used_us BIGINT NOT NULL,    -- its last sign-in
    ip TEXT,
    sdk TEXT,
    PRIMARY KEY (pool, sub, device)
);
