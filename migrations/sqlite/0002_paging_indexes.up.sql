-- A page is "the next 200 rows in (created_at, id) order, of these organisations, types or devices". With the filter's
-- columns in front and the order behind them, a page reads about as many index entries as it shows rows, at any
-- depth. With the single-column indexes alone, a rare type means reading the table backwards until 200 are found.
CREATE INDEX idx_cert_renewal_events_page ON certificate_renewal_events (created_at DESC, id DESC);
CREATE INDEX idx_cert_renewal_events_org_page ON certificate_renewal_events (org_id DESC, created_at DESC, id DESC);
CREATE INDEX idx_cert_renewal_events_type_page ON certificate_renewal_events (event_type DESC, created_at DESC, id DESC);
CREATE INDEX idx_cert_renewal_events_org_type_page ON certificate_renewal_events (org_id DESC, event_type DESC, created_at DESC, id DESC);
CREATE INDEX idx_cert_renewal_events_device_page ON certificate_renewal_events (device_id DESC, created_at DESC, id DESC);
