CREATE INDEX IF NOT EXISTS creations_by_guid ON creations (guid)
