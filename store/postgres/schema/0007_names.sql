-- +goose Up
-- compatible-from: 6
-- The usernames by what they are compared with (passwd/names.Skeletons); fold and name are digests. A row with an empty
-- twin is the one account that a new name may not be similar to; accounts that were similar before have their id there.
CREATE TABLE jotgate_name (
  fold text NOT NULL,
  twin text NOT NULL,
  user_id text NOT NULL,
  name text NOT NULL,
  PRIMARY KEY (fold, twin)
);
CREATE INDEX jotgate_name_user ON jotgate_name (user_id);

-- How far work in the background has come.
CREATE TABLE jotgate_progress (
  job text PRIMARY KEY,
  position text NOT NULL
);

-- +goose Down
DROP TABLE jotgate_progress;
DROP TABLE jotgate_name;
