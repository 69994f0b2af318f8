-- The same three tables as on PostgreSQL. A UUID is its 16 bytes, so that it sorts and compares as there. An instant is
-- an INTEGER: microseconds since 1970-01-01 UTC, the two ends of the 64-bit range standing for the infinities.
CREATE TABLE organizations (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name TEXT
) STRICT;
CREATE INDEX idx_organizations_name ON organizations (name);

CREATE TABLE devices (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    org_id BLOB NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
    name TEXT
) STRICT;
CREATE INDEX idx_devices_org_id ON devices (org_id);
CREATE INDEX idx_devices_name ON devices (name);

CREATE TABLE certificate_renewal_events (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    device_id BLOB NOT NULL REFERENCES devices(id) ON DELETE CASCADE,
    org_id BLOB NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
    event_type TEXT NOT NULL,
    reason TEXT,
    old_cert_expiration INTEGER,
    new_cert_expiration INTEGER,
    error_message TEXT,
    created_at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000000 AS INTEGER))
) STRICT;
CREATE INDEX idx_cert_renewal_events_device_id ON certificate_renewal_events (device_id);
CREATE INDEX idx_cert_renewal_events_org_id ON certificate_renewal_events (org_id);
CREATE INDEX idx_cert_renewal_events_created_at ON certificate_renewal_events (created_at);
CREATE INDEX idx_cert_renewal_events_event_type ON certificate_renewal_events (event_type);
