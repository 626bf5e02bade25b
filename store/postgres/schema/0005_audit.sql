-- +goose Up
-- compatible-from: 4
-- The history of this database: cursors of the revocation feed name it.
CREATE TABLE jotgate_epoch (
  epoch text NOT NULL
);
INSERT INTO jotgate_epoch (epoch) VALUES (left(md5(random()::text || clock_timestamp()::text), 16));

-- The transaction that inserted the entry. Entries become visible in the order
-- of commits, which is neither that of seq nor that of any clock.
ALTER TABLE jotgate_revocation ADD COLUMN txid bigint NOT NULL DEFAULT txid_current();
CREATE INDEX jotgate_revocation_txid ON jotgate_revocation (txid);

-- What a request was about, and how many events a row stands for.
ALTER TABLE jotgate_event ADD COLUMN outcome text NOT NULL DEFAULT '';
ALTER TABLE jotgate_event ADD COLUMN endpoint text NOT NULL DEFAULT '';
ALTER TABLE jotgate_event ADD COLUMN subject text NOT NULL DEFAULT '';
ALTER TABLE jotgate_event ADD COLUMN count bigint NOT NULL DEFAULT 1;

-- +goose Down
ALTER TABLE jotgate_event DROP COLUMN count;
ALTER TABLE jotgate_event DROP COLUMN subject;
ALTER TABLE jotgate_event DROP COLUMN endpoint;
ALTER TABLE jotgate_event DROP COLUMN outcome;
ALTER TABLE jotgate_revocation DROP COLUMN txid;
DROP TABLE jotgate_epoch;
