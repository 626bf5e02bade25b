-- +goose Up
-- compatible-from: 3
-- Tokens without a session (no sid), as Django issues them, are void if they were issued before this time or in the same
-- second. claim is what the user claim of the token holds, id or username; a row is kept for good.
CREATE TABLE jotgate_not_before (
  claim text NOT NULL CHECK (claim IN ('id', 'username')),
  value text NOT NULL,
  not_before bigint NOT NULL,
  PRIMARY KEY (claim, value)
);

-- A digest of the stored password that the session was begun with; '' is not known. token_expires is the exp of a token
-- that another issuer made and the session was adopted for, 0 without one: a row must outlive it.
ALTER TABLE jotgate_session ADD COLUMN password_digest text NOT NULL DEFAULT '';
ALTER TABLE jotgate_session ADD COLUMN token_expires bigint NOT NULL DEFAULT 0;

-- Ended sessions stay until their tokens expire, as live ones do.
DROP INDEX jotgate_session_ended;

-- Says that only tokens without a session are revoked.
ALTER TABLE jotgate_revocation ADD COLUMN sessionless boolean NOT NULL DEFAULT FALSE;

-- +goose Down
ALTER TABLE jotgate_revocation DROP COLUMN sessionless;
CREATE INDEX jotgate_session_ended ON jotgate_session (ended) WHERE ended IS NOT NULL;
ALTER TABLE jotgate_session DROP COLUMN token_expires;
ALTER TABLE jotgate_session DROP COLUMN password_digest;
DROP TABLE jotgate_not_before;
