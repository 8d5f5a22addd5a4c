CREATE INDEX IF NOT EXISTS image_terms_by_image ON image_terms (image_id, term)
