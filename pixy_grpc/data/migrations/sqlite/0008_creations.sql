CREATE TABLE IF NOT EXISTS creations (
  caller BLOB NOT NULL,
  request_id TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  guid TEXT NOT NULL,
  created_at TEXT NOT NULL,
  PRIMARY KEY (caller, request_id)
) WITHOUT ROWID
