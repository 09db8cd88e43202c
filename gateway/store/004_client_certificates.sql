-- Certificates that stages show to their backends. doc: what GetClientCertificate answers; key: PEM, sealed.
CREATE TABLE client_certificates (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    doc TEXT NOT NULL,
    key TEXT NOT NULL
);
CREATE INDEX client_certificates_owner ON client_certificates (account, region, id);
