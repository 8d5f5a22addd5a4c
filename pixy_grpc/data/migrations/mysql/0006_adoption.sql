CREATE TABLE IF NOT EXISTS adoption (
  id INT NOT NULL,
  next_image INT NOT NULL,
  last_image INT NOT NULL,
  PRIMARY KEY (id),
  CHECK (id = 1)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
