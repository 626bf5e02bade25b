-- +goose Up
-- compatible-from: 5
-- Accounts that their owners have deleted and can still restore: they are inactive until they are deleted at expires. The
-- columns are those of jotgate_pending; the row is settled by a link in an e-mail.
CREATE TABLE jotgate_deletion (
  user_id text NOT NULL,
  purpose text NOT NULL CHECK (purpose = 'deletion'),
  email text NOT NULL,
  nonce text NOT NULL,
  created bigint NOT NULL,
  expires bigint NOT NULL,
  PRIMARY KEY (user_id, purpose, email)
);
CREATE INDEX jotgate_deletion_expires ON jotgate_deletion (expires);

-- +goose Down
DROP TABLE jotgate_deletion;
