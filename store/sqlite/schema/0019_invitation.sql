-- +goose Up
-- compatible-from: 6
-- Invitations by e-mail, one for an address: who may create an account although sign-up is closed. groups lists ids of groups
-- (JSON), made_by is the user who invited, '' for an operator. The link is made from nonce with the secret key and not stored.
CREATE TABLE jotgate_invitation (
  id integer PRIMARY KEY AUTOINCREMENT,
  email text NOT NULL UNIQUE,
  groups text NOT NULL,
  made_by text NOT NULL,
  nonce text NOT NULL,
  created bigint NOT NULL,
  expires bigint NOT NULL
);
CREATE INDEX jotgate_invitation_expires ON jotgate_invitation (expires);

-- +goose Down
DROP TABLE jotgate_invitation;
