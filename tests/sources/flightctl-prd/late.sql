-- Three rows through a connection in New York: now() lands in created_at as its wall clock, hours before UTC's. With the
-- column's zone set so, a tail that runs shows all three, each once:
--   ffb2c954-6ee5-4b8c-b3c5-65bae47f8f64
--   1888e77e-006a-473a-951a-79061dec51f4   (its transaction began two seconds before)
--   e52a8214-1713-4d16-8f7c-7b221992f8e4   (without a device)
BEGIN;
SET LOCAL TIME ZONE 'America/New_York';
INSERT INTO certificate_renewal_events (id, device_id, event_type, reason)
VALUES ('ffb2c954-6ee5-4b8c-b3c5-65bae47f8f64', 'fb407890-5a87-4143-b342-7f060543852b', 'renewal_start', 'proactive');
INSERT INTO certificate_renewal_events (id, device_id, event_type, error_message, created_at)
VALUES ('1888e77e-006a-473a-951a-79061dec51f4', '8118805c-42c7-4973-af60-86522599549b', 'renewal_failed', 'context deadline exceeded', LOCALTIMESTAMP - interval '2 seconds');
INSERT INTO certificate_renewal_events (id, event_type, new_cert_expiration)
VALUES ('e52a8214-1713-4d16-8f7c-7b221992f8e4', 'renewal_success', '2028-11-20 00:00:00');
COMMIT;
