-- +goose Up
-- compatible-from: 6
-- Webhooks (package webhook). The secrets are encrypted before they get here. types are separated by spaces; times are
-- microseconds of Unix time. An older version does not mark its events for them.
CREATE TABLE jotgate_webhook (
  id text NOT NULL PRIMARY KEY,
  url text NOT NULL,
  types text NOT NULL,
  created bigint NOT NULL,
  sealed text NOT NULL,
  previous text NOT NULL DEFAULT '',
  previous_until bigint,
  failing bigint,
  reason text NOT NULL DEFAULT '',
  disabled bigint
);

-- The messages to them.
CREATE TABLE jotgate_webhook_delivery (
  id text NOT NULL PRIMARY KEY,
  webhook text NOT NULL,
  event bigint NOT NULL,
  type text NOT NULL,
  body text NOT NULL,
  created bigint NOT NULL,
  due bigint NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  status integer NOT NULL DEFAULT 0,
  reason text NOT NULL DEFAULT '',
  done bigint,
  delivered boolean NOT NULL DEFAULT false
);
CREATE INDEX jotgate_webhook_delivery_due ON jotgate_webhook_delivery (webhook, due) WHERE done IS NULL;
CREATE INDEX jotgate_webhook_delivery_webhook ON jotgate_webhook_delivery (webhook, created);
CREATE INDEX jotgate_webhook_delivery_created ON jotgate_webhook_delivery (created);

-- Whether messages are to be made of the event.
ALTER TABLE jotgate_event ADD COLUMN relay boolean;
CREATE INDEX jotgate_event_relay ON jotgate_event (made) WHERE relay;

-- +goose Down
DROP INDEX jotgate_event_relay;
ALTER TABLE jotgate_event DROP COLUMN relay;
DROP TABLE jotgate_webhook_delivery;
DROP TABLE jotgate_webhook;
