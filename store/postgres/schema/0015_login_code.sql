-- +goose Up
-- compatible-from: 6
-- Codes for logins by e-mail, one for an address, whether or not an account has it. address is a digest of the address; the
-- code is made from id with the secret key and not stored. An older version neither makes nor accepts such codes.
CREATE TABLE jotgate_login_code (
  address text NOT NULL PRIMARY KEY,
  id text NOT NULL,
  user_id text NOT NULL,
  attempts integer NOT NULL,
  expires bigint NOT NULL
);
CREATE INDEX jotgate_login_code_expires ON jotgate_login_code (expires);

-- +goose Down
DROP TABLE jotgate_login_code;
