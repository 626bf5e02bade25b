-- +goose Up
-- compatible-from: 5
-- A digest of each user's stored password, from the first login, or the first token without a session, that jotgate saw. If
-- the stored password has another digest later, something other than jotgate changed it.
CREATE TABLE jotgate_password (
  user_id text PRIMARY KEY,
  digest text NOT NULL
);

-- +goose Down
DROP TABLE jotgate_password;
