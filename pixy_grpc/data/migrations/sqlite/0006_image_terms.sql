CREATE TABLE IF NOT EXISTS image_terms (
  term BLOB NOT NULL,
  image_id INTEGER NOT NULL,
  PRIMARY KEY (term, image_id)
) WITHOUT ROWID
