CREATE TABLE IF NOT EXISTS image_terms (
  term VARBINARY(161) NOT NULL,
  image_id INT NOT NULL,
  PRIMARY KEY (term, image_id),
  KEY image_terms_by_image (image_id, term)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
