CREATE TABLE IF NOT EXISTS image_contents (
  image_id INT NOT NULL,
  store_key VARCHAR(300) NOT NULL,
  content_type VARCHAR(255) NOT NULL,
  size_bytes BIGINT NOT NULL,
  sha256 CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  block_digests MEDIUMBLOB NOT NULL,
  width INT NOT NULL,
  height INT NOT NULL,
  generator VARCHAR(255) NOT NULL,
  model VARCHAR(255) NOT NULL,
  PRIMARY KEY (image_id),
  KEY image_contents_by_key (store_key)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
