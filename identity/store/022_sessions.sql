-- Sign-ins over their life: when and from where they were last used, which device they are bound to, and how often
-- their refresh token was exchanged for the next one. rotated: when the latest exchanges were, microseconds, a JSON
-- array, oldest first.
ALTER TABLE pool_sessions ADD COLUMN active_s BIGINT NOT NULL DEFAULT 0;
ALTER TABLE pool_sessions ADD COLUMN seen TEXT;     -- {"ip", "agent"}
ALTER TABLE pool_sessions ADD COLUMN device TEXT;
ALTER TABLE pool_sessions ADD COLUMN generation BIGINT NOT NULL DEFAULT 0;
ALTER TABLE pool_sessions ADD COLUMN rotated TEXT;
CREATE INDEX pool_sessions_of_origin ON pool_sessions (origin);
CREATE INDEX pool_sessions_in_time ON pool_sessions (expires_s);
