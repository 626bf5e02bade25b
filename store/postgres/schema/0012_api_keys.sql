-- +goose Up
-- compatible-from: 5
-- API keys (package apikey). The digest is the SHA-256 of the whole key. scopes and networks are separated by spaces; times
-- are microseconds of Unix time. Only used and used_address change often, and no index has them.
CREATE TABLE jotgate_api_key (
  id text NOT NULL PRIMARY KEY,
  digest text NOT NULL,
  user_id text NOT NULL,
  name text NOT NULL,
  scopes text NOT NULL,
  networks text NOT NULL,
  created bigint NOT NULL,
  expires bigint,
  used bigint,
  used_address text NOT NULL DEFAULT '',
  replacement text NOT NULL DEFAULT '',
  reminded boolean NOT NULL DEFAULT false,
  revoked bigint
) WITH (fillfactor = 80);
CREATE INDEX jotgate_api_key_user ON jotgate_api_key (user_id, created);
CREATE INDEX jotgate_api_key_expires ON jotgate_api_key (expires) WHERE expires IS NOT NULL;
CREATE INDEX jotgate_api_key_revoked ON jotgate_api_key (revoked) WHERE revoked IS NOT NULL;

-- +goose Down
DROP TABLE jotgate_api_key;
