-- Rows that tell Django that the tables of allauth_social.sql exist; run after it, if Django records its migrations here. An
-- application with the label socialaccount that is not allauth's is left alone.
INSERT INTO django_migrations (app, name, applied)
SELECT 'socialaccount', name, strftime('%Y-%m-%d %H:%M:%S', 'now') FROM (
  SELECT 1 AS place, '0001_initial' AS name UNION ALL
  SELECT 2 AS place, '0002_token_max_lengths' AS name UNION ALL
  SELECT 3 AS place, '0003_extra_data_default_dict' AS name UNION ALL
  SELECT 4 AS place, '0004_app_provider_id_settings' AS name UNION ALL
  SELECT 5 AS place, '0005_socialtoken_nullable_app' AS name UNION ALL
  SELECT 6 AS place, '0006_alter_socialaccount_extra_data' AS name
) AS done
WHERE NOT EXISTS (SELECT 1 FROM django_migrations AS d WHERE d.app = 'socialaccount')
ORDER BY place;
