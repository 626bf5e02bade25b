-- An index of trigrams of auth_user, for searches by a part of a name or an address. Its rows are in auth_user alone; the
-- triggers keep the index equal to it. A change of the password or of last_login does not write it.
DROP TRIGGER IF EXISTS jotgate_user_search_insert;
DROP TRIGGER IF EXISTS jotgate_user_search_delete;
DROP TRIGGER IF EXISTS jotgate_user_search_update;
DROP TABLE IF EXISTS jotgate_user_search;
CREATE VIRTUAL TABLE jotgate_user_search USING fts5(username, email, first_name, last_name, content='auth_user', content_rowid='id', tokenize='trigram');
INSERT INTO jotgate_user_search (jotgate_user_search) VALUES ('rebuild');
CREATE TRIGGER jotgate_user_search_insert AFTER INSERT ON auth_user BEGIN
  INSERT INTO jotgate_user_search (rowid, username, email, first_name, last_name) VALUES (new.id, new.username, new.email, new.first_name, new.last_name);
END;
CREATE TRIGGER jotgate_user_search_delete AFTER DELETE ON auth_user BEGIN
  INSERT INTO jotgate_user_search (jotgate_user_search, rowid, username, email, first_name, last_name) VALUES ('delete', old.id, old.username, old.email, old.first_name, old.last_name);
END;
CREATE TRIGGER jotgate_user_search_update AFTER UPDATE OF id, username, email, first_name, last_name ON auth_user BEGIN
  INSERT INTO jotgate_user_search (jotgate_user_search, rowid, username, email, first_name, last_name) VALUES ('delete', old.id, old.username, old.email, old.first_name, old.last_name);
  INSERT INTO jotgate_user_search (rowid, username, email, first_name, last_name) VALUES (new.id, new.username, new.email, new.first_name, new.last_name);
END;
