-- Three rows as the application writes them: the timestamp is the start of the writer's transaction, ids are random. A tail
-- that runs shows all three, each once:
--   0ab7dc88-b187-4ce7-9b8a-53c1175654a0
--   e6187292-c08c-4a1c-b149-ac97242984c5   (renewal_failed; its transaction began two seconds before)
--   dba16989-17bc-46db-9854-b4427ce53e46
INSERT INTO audit_logs (id, event_type, event_category, user_id, action, result)
VALUES ('0ab7dc88-b187-4ce7-9b8a-53c1175654a0', 'user_login', 'authentication', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'create', 'success');
INSERT INTO audit_logs (id, event_type, event_category, severity, user_id, resource_type, resource_id, resource_identifier, action, result, error_message, "timestamp")
VALUES ('e6187292-c08c-4a1c-b149-ac97242984c5', 'certificate_issued', 'certificate', 'error', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'request', '9864161e-2388-43b6-877d-6f26b95cc0f8', 'REQ-20261102-00007', 'create', 'failure', 'ADCS request timed out after 30 s', now() - interval '2 seconds');
INSERT INTO audit_logs (id, event_type, event_category, user_id, resource_type, resource_id, resource_identifier, action, result)
VALUES ('dba16989-17bc-46db-9854-b4427ce53e46', 'certificate_downloaded', 'certificate', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'certificate', 'd9b5c32d-ba1a-47a1-8c0e-8e072f50fa5c', '6100000003', 'download', 'success');
