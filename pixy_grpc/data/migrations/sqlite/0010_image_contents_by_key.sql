CREATE INDEX IF NOT EXISTS image_contents_by_key ON image_contents (store_key)
