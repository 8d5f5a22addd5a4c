CREATE TABLE IF NOT EXISTS image_contents (
  image_id INTEGER PRIMARY KEY,
  store_key TEXT NOT NULL,
  content_type TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  block_digests BLOB NOT NULL,
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  generator TEXT NOT NULL,
  model TEXT NOT NULL
)
