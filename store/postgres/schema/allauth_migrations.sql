-- What tells a Django beside that the tables of allauth.sql are done; run after it, if Django notes its migrations here. An
-- app of its own with the label account is left alone.
INSERT INTO django_migrations (app, name, applied)
SELECT 'account', name, now() FROM (
  SELECT 1 AS place, '0001_initial' AS name UNION ALL
  SELECT 2 AS place, '0002_email_max_length' AS name UNION ALL
  SELECT 3 AS place, '0003_alter_emailaddress_create_unique_verified_email' AS name UNION ALL
  SELECT 4 AS place, '0004_alter_emailaddress_drop_unique_email' AS name UNION ALL
  SELECT 5 AS place, '0005_emailaddress_idx_upper_email' AS name UNION ALL
  SELECT 6 AS place, '0006_emailaddress_lower' AS name UNION ALL
  SELECT 7 AS place, '0007_emailaddress_idx_email' AS name UNION ALL
  SELECT 8 AS place, '0008_emailaddress_unique_primary_email_fixup' AS name UNION ALL
  SELECT 9 AS place, '0009_emailaddress_unique_primary_email' AS name
) AS done
WHERE NOT EXISTS (SELECT 1 FROM django_migrations AS d WHERE d.app = 'account')
ORDER BY place;
