-- allauth's table of second factors as its migrations mfa 0001 to 0003 create it. Run in one transaction, and only if
-- there is no mfa_authenticator. The placeholders are those of allauth.sql, and so is the reason for ON DELETE CASCADE.

CREATE TABLE "mfa_authenticator" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "type" varchar(20) NOT NULL, "data" text NOT NULL CHECK ((JSON_VALID("data") OR "data" IS NULL)), "user_id" {type} NOT NULL REFERENCES {users} ({id}) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED, "created_at" datetime NOT NULL, "last_used_at" datetime NULL);
CREATE INDEX "mfa_authenticator_user_id_0c3a50c0" ON "mfa_authenticator" ("user_id");
CREATE UNIQUE INDEX "unique_authenticator_type" ON "mfa_authenticator" ("user_id", "type") WHERE "type" IN ('totp', 'recovery_codes');
INSERT INTO jotgate_setting (name, value) VALUES ('mfa_format', 'sealed');
