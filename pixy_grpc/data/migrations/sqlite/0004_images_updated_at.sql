CREATE INDEX IF NOT EXISTS Images_I3 ON images (updated_at)
