-- +goose Up
-- compatible-from: 1
-- Times are microseconds since 1970 in UTC; user ids are text (UserID).

-- One row per login. Nothing that a refresh changes is indexed: expires_day changes once a day, so that a refresh
-- rewrites one row and no index.
CREATE TABLE jotgate_session (
  id text NOT NULL PRIMARY KEY,
  user_id text NOT NULL,
  created bigint NOT NULL,
  last_seen bigint NOT NULL,
  address text NOT NULL,
  user_agent text NOT NULL,
  jti text NOT NULL,
  previous_jti text NOT NULL,
  rotated bigint,
  expires bigint NOT NULL,
  expires_day integer NOT NULL,
  ended bigint,
  end_reason text NOT NULL DEFAULT ''
) WITH (fillfactor = 70);
CREATE INDEX jotgate_session_user ON jotgate_session (user_id) WHERE ended IS NULL;
CREATE INDEX jotgate_session_expires ON jotgate_session (expires_day);
CREATE INDEX jotgate_session_ended ON jotgate_session (ended) WHERE ended IS NOT NULL;

-- What was revoked, in order; followed by every gate.
CREATE TABLE jotgate_revocation (
  seq bigint NOT NULL PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  session text NOT NULL DEFAULT '',
  user_id text NOT NULL DEFAULT '',
  not_before bigint,
  made bigint NOT NULL
);
CREATE INDEX jotgate_revocation_made ON jotgate_revocation (made);

-- Signing keys; the private part is encrypted before it gets here.
CREATE TABLE jotgate_key (
  id text NOT NULL PRIMARY KEY,
  algorithm text NOT NULL,
  state text NOT NULL CHECK (state IN ('next', 'current', 'retired')),
  created bigint NOT NULL,
  switched bigint,
  retired bigint,
  sealed bytea NOT NULL
);
CREATE UNIQUE INDEX jotgate_key_current ON jotgate_key (state) WHERE state = 'current';

-- The audit trail.
CREATE TABLE jotgate_event (
  id bigint NOT NULL PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  made bigint NOT NULL,
  event text NOT NULL,
  user_id text NOT NULL DEFAULT '',
  session text NOT NULL DEFAULT '',
  address text NOT NULL DEFAULT '',
  user_agent text NOT NULL DEFAULT '',
  detail text NOT NULL DEFAULT ''
);
CREATE INDEX jotgate_event_user ON jotgate_event (user_id, id);
CREATE INDEX jotgate_event_made ON jotgate_event (made);

-- Failed logins in a row, by a key that the throttle chooses.
CREATE TABLE jotgate_failure (
  key text NOT NULL PRIMARY KEY,
  count integer NOT NULL,
  latest bigint NOT NULL
);
CREATE INDEX jotgate_failure_latest ON jotgate_failure (latest);

-- Networks an account has logged in from.
CREATE TABLE jotgate_network (
  user_id text NOT NULL,
  network text NOT NULL,
  latest bigint NOT NULL,
  PRIMARY KEY (user_id, network)
);
CREATE INDEX jotgate_network_latest ON jotgate_network (latest);

-- Letters to send: whom and what about, never a link or a token.
CREATE TABLE jotgate_outbox (
  id bigint NOT NULL PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  kind text NOT NULL,
  user_id text NOT NULL,
  recipient text NOT NULL,
  language text NOT NULL,
  detail text NOT NULL,
  created bigint NOT NULL,
  due bigint NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  reason text NOT NULL DEFAULT ''
);
CREATE INDEX jotgate_outbox_due ON jotgate_outbox (due);

-- +goose Down
DROP TABLE jotgate_outbox;
DROP TABLE jotgate_network;
DROP TABLE jotgate_failure;
DROP TABLE jotgate_event;
DROP TABLE jotgate_key;
DROP TABLE jotgate_revocation;
DROP TABLE jotgate_session;
