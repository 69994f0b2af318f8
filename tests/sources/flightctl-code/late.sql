-- Three rows as the service writes them: created_at is the start of the writer's transaction, ids are random. The second
-- has been open for two seconds when the first is already visible. A tail that runs shows all three, each once:
--   b850b212-19df-4c2d-a75a-70e85ede9924
--   e4dc9de8-d946-4f80-a938-65a7ae082b2c   (created before the one above, seen after it)
--   97481767-fcff-4463-b385-cce6087fc773
-- The success carries the reason 'proactive' over from the first; the millisecond keeps them in order where all three are sent
-- as one transaction.
INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, reason, old_cert_expiration)
VALUES ('b850b212-19df-4c2d-a75a-70e85ede9924', '1ea14f9f-2f35-5be6-8660-1c784f31b297', '00000000-0000-0000-0000-000000000000', 'renewal_start', 'proactive', '2027-11-20 12:00:02');
INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, error_message, created_at)
VALUES ('e4dc9de8-d946-4f80-a938-65a7ae082b2c', '0bced0d7-1b78-5577-a4c7-e26861d3ebf2', '00000000-0000-0000-0000-000000000000', 'renewal_failed', 'context deadline exceeded', LOCALTIMESTAMP - interval '2 seconds');
INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, old_cert_expiration, new_cert_expiration, created_at)
VALUES ('97481767-fcff-4463-b385-cce6087fc773', '1ea14f9f-2f35-5be6-8660-1c784f31b297', '00000000-0000-0000-0000-000000000000', 'renewal_success', '2027-11-20 12:00:02', '2028-11-20 00:00:00', LOCALTIMESTAMP + interval '1 millisecond');
