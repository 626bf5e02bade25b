-- +goose Up
-- compatible-from: 5
-- The username by which the tokens of the session identify the user (USER_ID_FIELD = "username"), otherwise ''. A change
-- of that username ends the session: the next owner of the name may be another person.
ALTER TABLE jotgate_session ADD COLUMN username text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE jotgate_session DROP COLUMN username;
