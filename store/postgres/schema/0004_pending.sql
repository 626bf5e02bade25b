-- +goose Up
-- compatible-from: 4
-- What waits for its link to be followed. The nonce enters the link's signature; no link can be made of it without the
-- secret key. An account awaits activation only while it has a row here.
CREATE TABLE jotgate_pending (
  user_id text NOT NULL,
  purpose text NOT NULL CHECK (purpose IN ('activation', 'email_change', 'email_undo', 'unverified')),
  email text NOT NULL,
  nonce text NOT NULL,
  created bigint NOT NULL,
  expires bigint,
  PRIMARY KEY (user_id, purpose, email)
);
CREATE INDEX jotgate_pending_expires ON jotgate_pending (expires) WHERE expires IS NOT NULL;

-- +goose Down
DROP TABLE jotgate_pending;
