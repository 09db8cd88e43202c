-- Mails and text messages that dev mode keeps instead of sending. `sealed` is the message as JSON.
CREATE TABLE outbox (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    recipient TEXT NOT NULL,
    sent_us BIGINT NOT NULL,
    sealed TEXT NOT NULL
);
CREATE INDEX outbox_recipient ON outbox (recipient, sent_us);
