-- The event table as Flight Control's story describes it, and the two tables that it refers to.
--
-- Flight Control's own "devices" has no "id" column, so there this reference cannot be made; this schema is for
-- databases that renewscope fills itself. Names may be missing (an event can name its device by id alone) and are not
-- unique: a device that is enrolled again keeps its name and gets a new id.
CREATE TABLE organizations (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    name TEXT
);
CREATE INDEX idx_organizations_name ON organizations (name);

CREATE TABLE devices (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    org_id UUID NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
    name TEXT
);
CREATE INDEX idx_devices_org_id ON devices (org_id);
CREATE INDEX idx_devices_name ON devices (name);

CREATE TABLE certificate_renewal_events (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    device_id UUID NOT NULL REFERENCES devices(id) ON DELETE CASCADE,
    org_id UUID NOT NULL REFERENCES organizations(id) ON DELETE CASCADE,
    event_type TEXT NOT NULL,
    reason TEXT,
    old_cert_expiration TIMESTAMP,
    new_cert_expiration TIMESTAMP,
    error_message TEXT,
    created_at TIMESTAMP NOT NULL DEFAULT NOW()
);
CREATE INDEX idx_cert_renewal_events_device_id ON certificate_renewal_events (device_id);
CREATE INDEX idx_cert_renewal_events_org_id ON certificate_renewal_events (org_id);
CREATE INDEX idx_cert_renewal_events_created_at ON certificate_renewal_events (created_at);
CREATE INDEX idx_cert_renewal_events_event_type ON certificate_renewal_events (event_type);
