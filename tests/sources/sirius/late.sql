-- A buffer that is flushed: the rows are ten seconds old when they appear, in the order of their ids. A tail that runs, by id,
-- shows all three, each once, and none of them at the newest end if anything newer is there:
--   162
--   163   (older than the one before it)
--   164
INSERT INTO events (event_id, "timestamp", service, subcomponent, event_type, severity, title, description, entity_type, entity_id, created_at) VALUES
    ('evt_late_1', now() - interval '10 seconds', 'sirius-scanner', 'discovery', 'host_discovered', 'info', 'Host 10.5.0.1 discovered', '', 'host', '10.5.0.1', now() - interval '10 seconds'),
    ('evt_late_2', now() - interval '12 seconds', 'sirius-scanner', 'nmap', 'scan_failed', 'error', 'Scan scan-9c11 failed', 'timeout', 'scan', 'scan-9c11', now() - interval '12 seconds'),
    ('evt_late_3', now() - interval '9 seconds', 'sirius-api', '', 'host_created', 'info', 'Host 10.5.0.1 created', '', 'host', '10.5.0.1', now() - interval '9 seconds');
