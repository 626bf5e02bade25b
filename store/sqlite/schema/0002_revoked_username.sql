-- +goose Up
-- compatible-from: 1
-- Tokens may know a user by the username.
ALTER TABLE jotgate_revocation ADD COLUMN username text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE jotgate_revocation DROP COLUMN username;
