-- Import jobs of user pools: how far they are stands beside what they are, and changes in the transaction that
-- imports. upload: whose pieces are the file; absent before anything was uploaded.
CREATE TABLE pool_imports (
    pool TEXT NOT NULL,
    id TEXT NOT NULL,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    status TEXT NOT NULL,
    upload TEXT,
    bytes BIGINT NOT NULL,      -- of the file, done
    line BIGINT NOT NULL,       -- the last one done
    imported BIGINT NOT NULL,
    skipped BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (pool, id)
);
CREATE INDEX pool_imports_by_age ON pool_imports (pool, created_us, id);
CREATE INDEX pool_imports_by_status ON pool_imports (status, created_us);

-- The file, in base64, in pieces of one size but for the last.
CREATE TABLE pool_import_pieces (
    pool TEXT NOT NULL,
    job TEXT NOT NULL,
    upload TEXT NOT NULL,
    seq BIGINT NOT NULL,
    bytes TEXT NOT NULL,
    PRIMARY KEY (job, upload, seq)
);
CREATE INDEX pool_import_pieces_of_pool ON pool_import_pieces (pool);

CREATE TABLE pool_import_log (
    pool TEXT NOT NULL,
    job TEXT NOT NULL,
    line BIGINT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (job, line)
);
CREATE INDEX pool_import_log_of_pool ON pool_import_log (pool);
