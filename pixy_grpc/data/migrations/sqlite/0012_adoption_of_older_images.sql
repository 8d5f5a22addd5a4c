INSERT INTO adoption (id, next_image, last_image)
SELECT 1, 1, older.last_image
FROM (SELECT COALESCE(MAX(id), 0) AS last_image FROM images) older
WHERE NOT EXISTS (SELECT 1 FROM adoption)
