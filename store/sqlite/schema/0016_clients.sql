-- +goose Up
-- compatible-from: 6
-- Clients (package oauth): programs that get access tokens with a secret or a signed assertion. Each acts for a service
-- account, user_id, which no login accepts. Its access tokens have session as sid. The secrets are SHA-256 digests; keys is
-- a JWK Set. Times are microseconds of Unix time. An older version creates no clients, and a service account has no usable
-- password there.
CREATE TABLE jotgate_client (
  id text NOT NULL PRIMARY KEY,
  user_id text NOT NULL UNIQUE,
  scopes text NOT NULL,
  session text NOT NULL,
  secret text NOT NULL DEFAULT '',
  former_secret text NOT NULL DEFAULT '',
  former_until bigint,
  keys text NOT NULL DEFAULT '',
  created bigint NOT NULL,
  disabled bigint
) WITHOUT ROWID;

-- +goose Down
DROP TABLE jotgate_client;
