-- Imports of whole pools that are under way. The pool's own row comes last, so that nobody sees half a pool.
CREATE TABLE pool_transfers (
    pool TEXT PRIMARY KEY,
    id TEXT NOT NULL,
    next_part BIGINT NOT NULL,
    began_us BIGINT NOT NULL,
    doc TEXT NOT NULL
);
