-- +goose Up
-- compatible-from: 6
-- Counters of rates that nodes share (package throttle/shared): a digest of the scope, the rate and the client, the requests
-- of each sixtieth of the period, and when they have all expired, in microseconds of Unix time.
CREATE TABLE jotgate_rate (
  id text PRIMARY KEY,
  slots text NOT NULL,
  expires bigint NOT NULL
);
CREATE INDEX jotgate_rate_expires ON jotgate_rate (expires);

-- +goose Down
DROP TABLE jotgate_rate;
