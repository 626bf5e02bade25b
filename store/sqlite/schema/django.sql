-- Django's tables exactly as its migrate makes them: apps auth and contenttypes, Django 3.2 to 6.1.
-- Run in one transaction, and only where there is no table of users yet. The rows of django_migrations
-- tell a Django that is put beside jotgate later that these tables are done.

CREATE TABLE IF NOT EXISTS "django_content_type" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "app_label" varchar(100) NOT NULL, "model" varchar(100) NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS "django_content_type_app_label_model_76bd3d3b_uniq" ON "django_content_type" ("app_label", "model");

CREATE TABLE IF NOT EXISTS "auth_permission" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "content_type_id" integer NOT NULL REFERENCES "django_content_type" ("id") DEFERRABLE INITIALLY DEFERRED, "codename" varchar(100) NOT NULL, "name" varchar(255) NOT NULL);
CREATE INDEX IF NOT EXISTS "auth_permission_content_type_id_2f476e4b" ON "auth_permission" ("content_type_id");
CREATE UNIQUE INDEX IF NOT EXISTS "auth_permission_content_type_id_codename_01ab375a_uniq" ON "auth_permission" ("content_type_id", "codename");

CREATE TABLE IF NOT EXISTS "auth_group" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(150) NOT NULL UNIQUE);

CREATE TABLE IF NOT EXISTS "auth_user" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "password" varchar(128) NOT NULL, "last_login" datetime NULL, "is_superuser" bool NOT NULL, "username" varchar(150) NOT NULL UNIQUE, "last_name" varchar(150) NOT NULL, "email" varchar(254) NOT NULL, "is_staff" bool NOT NULL, "is_active" bool NOT NULL, "date_joined" datetime NOT NULL, "first_name" varchar(150) NOT NULL);

CREATE TABLE IF NOT EXISTS "auth_group_permissions" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "group_id" integer NOT NULL REFERENCES "auth_group" ("id") DEFERRABLE INITIALLY DEFERRED, "permission_id" integer NOT NULL REFERENCES "auth_permission" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE INDEX IF NOT EXISTS "auth_group_permissions_group_id_b120cbf9" ON "auth_group_permissions" ("group_id");
CREATE UNIQUE INDEX IF NOT EXISTS "auth_group_permissions_group_id_permission_id_0cd325b0_uniq" ON "auth_group_permissions" ("group_id", "permission_id");
CREATE INDEX IF NOT EXISTS "auth_group_permissions_permission_id_84c5c92e" ON "auth_group_permissions" ("permission_id");

CREATE TABLE IF NOT EXISTS "auth_user_groups" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "user_id" integer NOT NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED, "group_id" integer NOT NULL REFERENCES "auth_group" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE INDEX IF NOT EXISTS "auth_user_groups_group_id_97559544" ON "auth_user_groups" ("group_id");
CREATE INDEX IF NOT EXISTS "auth_user_groups_user_id_6a12ed8b" ON "auth_user_groups" ("user_id");
CREATE UNIQUE INDEX IF NOT EXISTS "auth_user_groups_user_id_group_id_94350c0c_uniq" ON "auth_user_groups" ("user_id", "group_id");

CREATE TABLE IF NOT EXISTS "auth_user_user_permissions" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "user_id" integer NOT NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED, "permission_id" integer NOT NULL REFERENCES "auth_permission" ("id") DEFERRABLE INITIALLY DEFERRED);
CREATE INDEX IF NOT EXISTS "auth_user_user_permissions_permission_id_1fbb5f2c" ON "auth_user_user_permissions" ("permission_id");
CREATE INDEX IF NOT EXISTS "auth_user_user_permissions_user_id_a95ead1b" ON "auth_user_user_permissions" ("user_id");
CREATE UNIQUE INDEX IF NOT EXISTS "auth_user_user_permissions_user_id_permission_id_14a6b632_uniq" ON "auth_user_user_permissions" ("user_id", "permission_id");

CREATE TABLE IF NOT EXISTS "django_migrations" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "app" varchar(255) NOT NULL, "name" varchar(255) NOT NULL, "applied" datetime NOT NULL);

INSERT INTO django_content_type (app_label, model) VALUES
  ('auth', 'group'), ('auth', 'permission'), ('auth', 'user'), ('contenttypes', 'contenttype')
ON CONFLICT DO NOTHING;

INSERT INTO auth_permission (content_type_id, codename, name)
SELECT ct.id, verb.column1 || '_' || ct.model, 'Can ' || verb.column1 || ' ' || title.column2
FROM (VALUES ('permission', 'permission', 1), ('group', 'group', 2), ('user', 'user', 3), ('contenttype', 'content type', 4)) AS title
JOIN django_content_type AS ct ON ct.model = title.column1 AND ct.app_label IN ('auth', 'contenttypes')
CROSS JOIN (VALUES ('add', 1), ('change', 2), ('delete', 3), ('view', 4)) AS verb
WHERE true
ORDER BY title.column3, verb.column2
ON CONFLICT DO NOTHING;

INSERT INTO django_migrations (app, name, applied)
SELECT app, name, strftime('%Y-%m-%d %H:%M:%S', 'now') FROM (
  SELECT 1 AS place, 'contenttypes' AS app, '0001_initial' AS name UNION ALL
  SELECT 2 AS place, 'contenttypes' AS app, '0002_remove_content_type_name' AS name UNION ALL
  SELECT 3 AS place, 'auth' AS app, '0001_initial' AS name UNION ALL
  SELECT 4 AS place, 'auth' AS app, '0002_alter_permission_name_max_length' AS name UNION ALL
  SELECT 5 AS place, 'auth' AS app, '0003_alter_user_email_max_length' AS name UNION ALL
  SELECT 6 AS place, 'auth' AS app, '0004_alter_user_username_opts' AS name UNION ALL
  SELECT 7 AS place, 'auth' AS app, '0005_alter_user_last_login_null' AS name UNION ALL
  SELECT 8 AS place, 'auth' AS app, '0006_require_contenttypes_0002' AS name UNION ALL
  SELECT 9 AS place, 'auth' AS app, '0007_alter_validators_add_error_messages' AS name UNION ALL
  SELECT 10 AS place, 'auth' AS app, '0008_alter_user_username_max_length' AS name UNION ALL
  SELECT 11 AS place, 'auth' AS app, '0009_alter_user_last_name_max_length' AS name UNION ALL
  SELECT 12 AS place, 'auth' AS app, '0010_alter_group_name_max_length' AS name UNION ALL
  SELECT 13 AS place, 'auth' AS app, '0011_update_proxy_permissions' AS name UNION ALL
  SELECT 14 AS place, 'auth' AS app, '0012_alter_user_first_name_max_length' AS name
) AS done
WHERE NOT EXISTS (SELECT 1 FROM django_migrations AS d WHERE d.app = done.app AND d.name = done.name)
ORDER BY place;
