-- +goose Up
-- compatible-from: 6
-- The session at a provider that a session here began with: the id of the provider, and digests of its claims sub and sid,
-- by which a logout token names it. All are empty for other sessions. An older version leaves them empty.
ALTER TABLE jotgate_session ADD COLUMN provider text NOT NULL DEFAULT '';
ALTER TABLE jotgate_session ADD COLUMN provider_subject text NOT NULL DEFAULT '';
ALTER TABLE jotgate_session ADD COLUMN provider_session text NOT NULL DEFAULT '';
CREATE INDEX jotgate_session_provider_subject ON jotgate_session (provider_subject) WHERE ended IS NULL AND provider_subject <> '';
CREATE INDEX jotgate_session_provider_session ON jotgate_session (provider_session) WHERE ended IS NULL AND provider_session <> '';

-- +goose Down
DROP INDEX jotgate_session_provider_session;
DROP INDEX jotgate_session_provider_subject;
ALTER TABLE jotgate_session DROP COLUMN provider_session;
ALTER TABLE jotgate_session DROP COLUMN provider_subject;
ALTER TABLE jotgate_session DROP COLUMN provider;
