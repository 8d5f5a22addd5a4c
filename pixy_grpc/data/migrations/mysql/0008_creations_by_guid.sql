CREATE INDEX creations_by_guid ON creations (guid)
