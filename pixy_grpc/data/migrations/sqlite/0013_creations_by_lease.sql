CREATE INDEX IF NOT EXISTS creations_by_lease ON creations (state, lease_until)
