DROP TABLE certificate_renewal_events;
-- The search index, where it was made: its triggers went with the events.
DROP TABLE IF EXISTS certificate_renewal_events_search;
DROP TABLE devices;
DROP TABLE organizations;
