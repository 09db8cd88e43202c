-- What users are searched by (identity/store/user_search.c): the searchable standard attributes in lower case, each
-- with an index; statuses, and who was created or changed when.
ALTER TABLE pool_users ADD COLUMN by_email TEXT;
ALTER TABLE pool_users ADD COLUMN by_phone_number TEXT;
ALTER TABLE pool_users ADD COLUMN by_name TEXT;
ALTER TABLE pool_users ADD COLUMN by_given_name TEXT;
ALTER TABLE pool_users ADD COLUMN by_family_name TEXT;
ALTER TABLE pool_users ADD COLUMN by_preferred_username TEXT;
-- Of users who were there before; the one place that reads a document in SQL.
UPDATE pool_users SET
    by_email = lower(doc ->> '$.attributes.email'),
    by_phone_number = lower(doc ->> '$.attributes.phone_number'),
    by_name = lower(doc ->> '$.attributes.name'),
    by_given_name = lower(doc ->> '$.attributes.given_name'),
    by_family_name = lower(doc ->> '$.attributes.family_name'),
    by_preferred_username = lower(doc ->> '$.attributes.preferred_username');
CREATE INDEX pool_users_by_email ON pool_users (pool, by_email, folded) WHERE by_email IS NOT NULL;
CREATE INDEX pool_users_by_phone_number ON pool_users (pool, by_phone_number, folded) WHERE by_phone_number IS NOT NULL;
CREATE INDEX pool_users_by_name ON pool_users (pool, by_name, folded) WHERE by_name IS NOT NULL;
CREATE INDEX pool_users_by_given_name ON pool_users (pool, by_given_name, folded) WHERE by_given_name IS NOT NULL;
CREATE INDEX pool_users_by_family_name ON pool_users (pool, by_family_name, folded) WHERE by_family_name IS NOT NULL;
CREATE INDEX pool_users_by_preferred_username ON pool_users (pool, by_preferred_username, folded)
    WHERE by_preferred_username IS NOT NULL;
CREATE INDEX pool_users_by_status ON pool_users (pool, status, folded);
CREATE INDEX pool_users_disabled ON pool_users (pool, folded) WHERE enabled = 0;
