-- Rows that tell Django that the table of allauth_mfa.sql exists; run after it, if Django records its migrations here. An
-- application with the label mfa that is not allauth's is left alone.
INSERT INTO django_migrations (app, name, applied)
SELECT 'mfa', name, now() FROM (
  SELECT 1 AS place, '0001_initial' AS name UNION ALL
  SELECT 2 AS place, '0002_authenticator_timestamps' AS name UNION ALL
  SELECT 3 AS place, '0003_authenticator_type_uniq' AS name
) AS done
WHERE NOT EXISTS (SELECT 1 FROM django_migrations AS d WHERE d.app = 'mfa')
ORDER BY place;
