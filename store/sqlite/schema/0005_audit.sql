-- +goose Up
-- The history of this database: cursors of the revocation feed name it.
CREATE TABLE jotgate_epoch (
  epoch text NOT NULL
);
INSERT INTO jotgate_epoch (epoch) VALUES (lower(hex(randomblob(8))));

-- +goose Down
DROP TABLE jotgate_epoch;
