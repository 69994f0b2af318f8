-- Three rows as the service writes them; a tail that runs shows all three, each once:
--   d923ec43-0e52-4dd5-92f3-5bf5544b4326
--   80e20934-a31d-4434-b442-c8856bc3d6d9   (its transaction began two seconds before)
--   2b126356-8f6c-4719-ae75-518303c13e43   (the instant of the first: both are in one transaction's now())
BEGIN;
INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, reason)
VALUES ('d923ec43-0e52-4dd5-92f3-5bf5544b4326', 'e5551791-92f5-46b1-99ba-2f0b5dc68757', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_start', 'proactive');
INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, reason, error_message, created_at)
VALUES ('80e20934-a31d-4434-b442-c8856bc3d6d9', '507674dd-2496-4d92-8ce0-4ded2c37b517', 'a9d4448f-deb3-441d-a6de-e94d65f502d7', 'recovery_failed', 'expired', 'device fingerprint does not match', LOCALTIMESTAMP - interval '2 seconds');
INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, reason, new_cert_expiration)
VALUES ('2b126356-8f6c-4719-ae75-518303c13e43', 'f8e14bba-7996-4ad7-a95f-b5e0c7bbebd1', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_success', 'proactive', '2028-11-20 00:00:00');
COMMIT;
