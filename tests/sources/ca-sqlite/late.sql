-- Rows of seconds that are stored already: the newest second twice, with an id below and one above those that are there, and the
-- second of the seven ties once more, as after the clock was set back. Their rowids are the newest. A tail that runs
-- shows all three, each once, in this order:
--   00000000-0000-4000-8000-000000000001
--   ffffffff-ffff-4fff-bfff-fffffffffff1
--   7421d9b8-a9f3-46e8-9ecd-a615a86609a5   (a day older than the newest row)
INSERT INTO audit_log (id, timestamp, operation, entity_type, entity_id, ip_address, status, details) VALUES
    ('00000000-0000-4000-8000-000000000001', 1794981605, 'certificate.renew', 'certificate', '2b9b2ec8-d809-4e66-baca-512c3b2a5684', '10.8.0.5', 'failure', '{"error":"KMS error: timeout","originalCertId":"6faa2cfd-19c9-4a7e-bf78-54e9225eef59","caId":"64d4e98c-da89-490d-b358-4629612ac68e"}'),
    ('ffffffff-ffff-4fff-bfff-fffffffffff1', 1794981605, 'audit.list', 'audit', NULL, '10.8.0.5', 'success', '{"resultCount":3}'),
    ('7421d9b8-a9f3-46e8-9ecd-a615a86609a5', 1794891600, 'certificate.download', 'certificate', '3ce35492-b44e-40a0-b9b5-48abb7563ef3', '10.8.0.5', 'success', '{"format":"pem"}');
