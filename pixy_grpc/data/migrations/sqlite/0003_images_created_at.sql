CREATE INDEX IF NOT EXISTS Images_I2 ON images (created_at)
