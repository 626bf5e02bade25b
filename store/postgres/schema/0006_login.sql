-- +goose Up
-- compatible-from: 6
-- (An older version would log users in without their second factor.)
-- What was used and cannot be used again: pending logins and codes. A row is deleted after it expires.
CREATE TABLE jotgate_spent (
  id text NOT NULL PRIMARY KEY,
  expires bigint NOT NULL
);
CREATE INDEX jotgate_spent_expires ON jotgate_spent (expires);

-- Since when a user should have a second factor, by the first login that found none.
CREATE TABLE jotgate_grace (
  user_id text NOT NULL PRIMARY KEY,
  since bigint NOT NULL
);

-- Resets of second factors by staff: who asked, why, and from when on the factors no longer count.
CREATE TABLE jotgate_factor_reset (
  user_id text NOT NULL PRIMARY KEY,
  requester text NOT NULL,
  reason text NOT NULL,
  due bigint NOT NULL
);

-- Settings that must not change after their first use.
CREATE TABLE jotgate_setting (
  name text NOT NULL PRIMARY KEY,
  value text NOT NULL
);

-- How and when the user authenticated; amr is separated by spaces. 0 and '' are not known.
ALTER TABLE jotgate_session ADD COLUMN auth_time bigint NOT NULL DEFAULT 0;
ALTER TABLE jotgate_session ADD COLUMN amr text NOT NULL DEFAULT '';
ALTER TABLE jotgate_session ADD COLUMN acr text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE jotgate_session DROP COLUMN acr;
ALTER TABLE jotgate_session DROP COLUMN amr;
ALTER TABLE jotgate_session DROP COLUMN auth_time;
DROP TABLE jotgate_setting;
DROP TABLE jotgate_factor_reset;
DROP TABLE jotgate_grace;
DROP TABLE jotgate_spent;
