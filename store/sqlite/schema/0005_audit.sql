-- +goose Up
-- compatible-from: 4
-- The history of this database: cursors of the revocation feed name it.
CREATE TABLE jotgate_epoch (
  epoch text NOT NULL
);
INSERT INTO jotgate_epoch (epoch) VALUES (lower(hex(randomblob(8))));

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
DROP TABLE jotgate_epoch;
