-- +goose Up
-- compatible-from: 6
-- jotgate_session.actor is the session (32 characters) and the id of the member of staff who acts for the user. An older
-- version keeps the claim act of a token that it refreshes, but also extends that session, and cannot read its cookie.
CREATE INDEX jotgate_session_actor ON jotgate_session (substr(actor, 1, 32)) WHERE ended IS NULL AND actor <> '';

-- +goose Down
DROP INDEX jotgate_session_actor;
