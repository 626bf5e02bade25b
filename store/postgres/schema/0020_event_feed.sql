-- +goose Up
-- compatible-from: 6
-- The transaction that inserted the event, for the feed of events: ids are taken before a commit, so an event can become
-- visible after one with a higher id. Events of before have 0. Neither ALTER TABLE rewrites the table.
ALTER TABLE jotgate_event ADD COLUMN txid bigint NOT NULL DEFAULT 0;
ALTER TABLE jotgate_event ALTER COLUMN txid SET DEFAULT txid_current();
CREATE INDEX jotgate_event_txid ON jotgate_event (txid, id);

-- +goose Down
DROP INDEX jotgate_event_txid;
ALTER TABLE jotgate_event DROP COLUMN txid;
