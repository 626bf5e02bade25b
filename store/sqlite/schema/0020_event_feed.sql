-- +goose Up
-- compatible-from: 6
-- The feed of events needs no change here: there is one writer, so ids are in the order of commits. PostgreSQL's migration
-- with this number adds the transaction.

-- +goose Down
