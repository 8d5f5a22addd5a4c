CREATE INDEX IF NOT EXISTS Images_I1 ON images (filename)
