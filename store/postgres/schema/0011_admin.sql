-- +goose Up
-- compatible-from: 6
-- Changes by administrators: who made them, to what, what was changed ({"field": [before, after]}), and as a part of which
-- job. For any other event they are empty.
ALTER TABLE jotgate_event ADD COLUMN actor text NOT NULL DEFAULT '';
ALTER TABLE jotgate_event ADD COLUMN target text NOT NULL DEFAULT '';
ALTER TABLE jotgate_event ADD COLUMN changes text NOT NULL DEFAULT '';
ALTER TABLE jotgate_event ADD COLUMN parent bigint NOT NULL DEFAULT 0;
CREATE INDEX jotgate_event_actor ON jotgate_event (actor, id) WHERE actor <> '';
CREATE INDEX jotgate_event_parent ON jotgate_event (parent, id) WHERE parent <> 0;

-- Actions on many users. Each slice is a transaction that also stores how far the job has come.
CREATE TABLE jotgate_job (
  id bigint NOT NULL PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  actor text NOT NULL,
  action text NOT NULL,
  selection text NOT NULL,
  state text NOT NULL CHECK (state IN ('running', 'done', 'undoing', 'undone')),
  position text NOT NULL,
  total integer NOT NULL,
  done integer NOT NULL,
  skipped integer NOT NULL,
  undone integer NOT NULL,
  parent bigint NOT NULL,
  created bigint NOT NULL,
  updated bigint NOT NULL
);

-- Sessions, newest first.
CREATE INDEX jotgate_session_created ON jotgate_session (created, id);

-- Who impersonates the user of the session, otherwise ''.
ALTER TABLE jotgate_session ADD COLUMN actor text NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE jotgate_session DROP COLUMN actor;
DROP INDEX jotgate_session_created;
DROP TABLE jotgate_job;
DROP INDEX jotgate_event_parent;
DROP INDEX jotgate_event_actor;
ALTER TABLE jotgate_event DROP COLUMN parent;
ALTER TABLE jotgate_event DROP COLUMN changes;
ALTER TABLE jotgate_event DROP COLUMN target;
ALTER TABLE jotgate_event DROP COLUMN actor;
