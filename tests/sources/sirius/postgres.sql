-- Sirius' events: a generic event table. It has no certificate events, organizations, reasons or expiries, and no checks.

CREATE TABLE events (
    id           bigserial PRIMARY KEY,
    event_id     varchar(255) NOT NULL,
    "timestamp"  timestamptz NOT NULL DEFAULT now(),
    service      varchar(100) NOT NULL,
    subcomponent varchar(100),
    event_type   varchar(50) NOT NULL,
    severity     varchar(20) NOT NULL,
    title        varchar(255) NOT NULL,
    description  text,
    metadata     jsonb,
    entity_type  varchar(50),
    entity_id    varchar(255),
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX idx_events_event_id ON events (event_id);
CREATE INDEX idx_events_timestamp ON events ("timestamp" DESC);
CREATE INDEX idx_events_service ON events (service);
CREATE INDEX idx_events_type ON events (event_type);
CREATE INDEX idx_events_severity ON events (severity);
CREATE INDEX idx_events_entity ON events (entity_type, entity_id);

-- One scan from start to end, as the logging client stores it: unset text is an empty string.
INSERT INTO events (id, event_id, "timestamp", service, subcomponent, event_type, severity, title, description, metadata, entity_type, entity_id, created_at) VALUES
    (1, 'evt_1795161600_8050', '2026-11-20 08:00:00.114201+00', 'sirius-scanner', 'orchestrator', 'scan_started', 'info', 'Scan scan-7f31 started', '', '{"scan_id": "scan-7f31", "template": "quick", "targets": ["10.0.0.0/24"]}', 'scan', 'scan-7f31', '2026-11-20 08:00:00.114201+00'),
    (2, 'evt_1795161601_15969', '2026-11-20 08:00:01.201411+00', 'sirius-scanner', 'discovery', 'host_discovered', 'info', 'Host 10.0.0.1 discovered', '', '{"scan_id": "scan-7f31", "ports": [22, 443]}', 'host', '10.0.0.1', '2026-11-20 08:00:01.201411+00'),
    (3, 'evt_1795161602_23888', '2026-11-20 08:00:02.202411+00', 'sirius-scanner', 'discovery', 'host_discovered', 'info', 'Host 10.0.0.2 discovered', '', '{"scan_id": "scan-7f31", "ports": [22, 443]}', 'host', '10.0.0.2', '2026-11-20 08:00:02.202411+00'),
    (4, 'evt_1795161603_31807', '2026-11-20 08:00:03.203411+00', 'sirius-scanner', 'discovery', 'host_discovered', 'info', 'Host 10.0.0.3 discovered', '', '{"scan_id": "scan-7f31", "ports": [22, 443]}', 'host', '10.0.0.3', '2026-11-20 08:00:03.203411+00'),
    (5, 'evt_1795161604_39726', '2026-11-20 08:00:04.204411+00', 'sirius-scanner', 'discovery', 'host_discovered', 'info', 'Host 10.0.0.4 discovered', '', '{"scan_id": "scan-7f31", "ports": [22, 443]}', 'host', '10.0.0.4', '2026-11-20 08:00:04.204411+00'),
    (6, 'evt_1795161605_47645', '2026-11-20 08:00:05.205411+00', 'sirius-scanner', 'discovery', 'host_discovered', 'info', 'Host 10.0.0.5 discovered', '', '{"scan_id": "scan-7f31", "ports": [22, 443]}', 'host', '10.0.0.5', '2026-11-20 08:00:05.205411+00'),
    (7, 'evt_1795161606_55564', '2026-11-20 08:00:06.206411+00', 'sirius-scanner', 'discovery', 'host_discovered', 'info', 'Host 10.0.0.6 discovered', '', '{"scan_id": "scan-7f31", "ports": [22, 443]}', 'host', '10.0.0.6', '2026-11-20 08:00:06.206411+00'),
    (8, 'evt_1795161607_63483', '2026-11-20 08:00:07.207411+00', 'sirius-scanner', 'discovery', 'host_discovered', 'info', 'Host 10.0.0.7 discovered', '', '{"scan_id": "scan-7f31", "ports": [22, 443]}', 'host', '10.0.0.7', '2026-11-20 08:00:07.207411+00'),
    (9, 'evt_1795161608_71402', '2026-11-20 08:00:08.208411+00', 'sirius-scanner', 'discovery', 'host_discovered', 'info', 'Host 10.0.0.8 discovered', '', '{"scan_id": "scan-7f31", "ports": [22, 443]}', 'host', '10.0.0.8', '2026-11-20 08:00:08.208411+00'),
    (10, 'evt_1795161661_79321', '2026-11-20 08:01:01+00', 'sirius-scanner', 'portscan', 'ports_discovered', 'info', '1 open ports on 10.0.0.1', '', '{"ports": [{"number": 22, "proto": "tcp"}, {"number": 443, "proto": "tcp", "tls": {"subject": "CN=edge", "chain": [{"depth": 0}, {"depth": 1}]}}]}', 'host', '10.0.0.1', '2026-11-20 08:01:01+00'),
    (11, 'evt_1795161662_87240', '2026-11-20 08:01:02+00', 'sirius-scanner', 'portscan', 'ports_discovered', 'info', '2 open ports on 10.0.0.2', '', '{"ports": [{"number": 22, "proto": "tcp"}, {"number": 443, "proto": "tcp", "tls": {"subject": "CN=edge", "chain": [{"depth": 0}, {"depth": 1}]}}]}', 'host', '10.0.0.2', '2026-11-20 08:01:02+00'),
    (12, 'evt_1795161663_95159', '2026-11-20 08:01:03+00', 'sirius-scanner', 'portscan', 'ports_discovered', 'info', '3 open ports on 10.0.0.3', '', '{"ports": [{"number": 22, "proto": "tcp"}, {"number": 443, "proto": "tcp", "tls": {"subject": "CN=edge", "chain": [{"depth": 0}, {"depth": 1}]}}]}', 'host', '10.0.0.3', '2026-11-20 08:01:03+00'),
    (13, 'evt_1795161720_103078', '2026-11-20 08:02:00.500000+00', 'sirius-scanner', 'vuln', 'vulnerabilities_found', 'warning', '3 vulnerabilities on 10.0.0.2', 'CVE-2026-0001, CVE-2026-0002, CVE-2026-0003', '{"count": 3, "severities": {"high": 1, "medium": 2}}', 'host', '10.0.0.2', '2026-11-20 08:02:00.500000+00'),
    (14, 'evt_1795161730_110997', '2026-11-20 08:02:10+00', 'sirius-api', '', 'vulnerability_created', 'info', 'CVE-2026-0001 created', '', NULL, 'vulnerability', 'CVE-2026-0001', '2026-11-20 08:02:10+00'),
    (15, 'evt_1795161730_118916', '2026-11-20 08:02:10+00', 'sirius-api', '', 'vulnerability_updated', 'info', 'CVE-2026-0002 updated', '', NULL, 'vulnerability', 'CVE-2026-0002', '2026-11-20 08:02:10+00'),
    (16, 'evt_1795161730_126835', '2026-11-20 08:02:10+00', 'sirius-api', 'hosts', 'host_updated', 'info', '10.0.0.2 updated', '', '{}', 'host', '10.0.0.2', '2026-11-20 08:02:10+00'),
    (17, 'evt_1795161780_134754', '2026-11-20 08:03:00+00', 'sirius-scanner', 'orchestrator', 'scan_completed', 'info', 'Scan scan-7f31 completed', 'Scanned 8 hosts in 3m', '{"duration_ms": 180000}', 'scan', 'scan-7f31', '2026-11-20 08:03:00+00');

-- Paused, resumed, failed. An error is its title and its description; of an error without a description, the title.
INSERT INTO events (id, event_id, "timestamp", service, subcomponent, event_type, severity, title, description, metadata, entity_type, entity_id, created_at) VALUES
    (18, 'evt_1795165200_142673', '2026-11-20 09:00:00+00', 'sirius-scanner', 'orchestrator', 'scan_started', 'info', 'Scan scan-8a02 started', '', NULL, 'scan', 'scan-8a02', '2026-11-20 09:00:00+00'),
    (19, 'evt_1795165210_150592', '2026-11-20 09:00:10+00', 'sirius-scanner', 'orchestrator', 'scan_paused', 'warning', 'Scan scan-8a02 paused', 'by operator', NULL, 'scan', 'scan-8a02', '2026-11-20 09:00:10+00'),
    (20, 'evt_1795165510_158511', '2026-11-20 09:05:10+00', 'sirius-scanner', 'orchestrator', 'scan_resumed', 'info', 'Scan scan-8a02 resumed', '', NULL, 'scan', 'scan-8a02', '2026-11-20 09:05:10+00'),
    (21, 'evt_1795165560_166430', '2026-11-20 09:06:00.000001+00', 'sirius-scanner', 'nmap', 'scan_failed', 'error', 'Scan scan-8a02 failed', E'nmap exited with status 1:\nQUITTING!\n\tfailed to resolve "edge-0173.example.test"', '{"exit": 1}', 'scan', 'scan-8a02', '2026-11-20 09:06:00.000001+00'),
    (22, 'evt_1795165560_174349', '2026-11-20 09:06:00.000002+00', 'sirius-scanner', 'nmap', 'scan_failed', 'error', 'Scan scan-8a03 failed', '', NULL, 'scan', 'scan-8a03', '2026-11-20 09:06:00.000002+00'),
    (23, 'evt_1795165560_182268', '2026-11-20 09:06:00.000003+00', 'sirius-scanner', '', 'scan_failed', 'critical', 'Scanner lost its database', 'dial tcp 10.1.0.4:5432: connect: connection refused', NULL, '', '', '2026-11-20 09:06:00.000003+00'),
    (24, 'evt_1795165560_190187', '2026-11-20 09:06:00.000004+00', 'sirius-scanner', 'nmap', 'scan_failed', 'error', '', 'connect: no route to host', NULL, 'scan', 'scan-8a04', '2026-11-20 09:06:00.000004+00');

-- Two services buffer on their own, so ids are not in the order of the timestamps: rows stored ten seconds late, between others.
INSERT INTO events (id, event_id, "timestamp", service, subcomponent, event_type, severity, title, description, metadata, entity_type, entity_id, created_at) VALUES
    (25, 'evt_1795168820_198106', '2026-11-20 10:00:20+00', 'sirius-api', 'hosts', 'host_created', 'info', 'Host 10.2.0.20', '', NULL, 'host', '10.2.0.20', '2026-11-20 10:00:20+00'),
    (26, 'evt_1795168821_206025', '2026-11-20 10:00:21.001000+00', 'sirius-api', 'hosts', 'host_created', 'info', 'Host 10.2.0.21', '', NULL, 'host', '10.2.0.21', '2026-11-20 10:00:21.001000+00'),
    (27, 'evt_1795168822_213944', '2026-11-20 10:00:22.002000+00', 'sirius-api', 'hosts', 'host_created', 'info', 'Host 10.2.0.22', '', NULL, 'host', '10.2.0.22', '2026-11-20 10:00:22.002000+00'),
    (28, 'evt_1795168811_221863', '2026-11-20 10:00:11.003000+00', 'sirius-scanner', 'discovery', 'host_discovered', 'info', 'Host 10.2.0.11', '', NULL, 'host', '10.2.0.11', '2026-11-20 10:00:11.003000+00'),
    (29, 'evt_1795168812_229782', '2026-11-20 10:00:12.004000+00', 'sirius-scanner', 'discovery', 'host_discovered', 'info', 'Host 10.2.0.12', '', NULL, 'host', '10.2.0.12', '2026-11-20 10:00:12.004000+00'),
    (30, 'evt_1795168813_237701', '2026-11-20 10:00:13.005000+00', 'sirius-scanner', 'discovery', 'host_discovered', 'info', 'Host 10.2.0.13', '', NULL, 'host', '10.2.0.13', '2026-11-20 10:00:13.005000+00'),
    (31, 'evt_1795168823_245620', '2026-11-20 10:00:23.006000+00', 'sirius-api', 'hosts', 'host_created', 'info', 'Host 10.2.0.23', '', NULL, 'host', '10.2.0.23', '2026-11-20 10:00:23.006000+00'),
    (32, 'evt_1795168824_253539', '2026-11-20 10:00:24.007000+00', 'sirius-api', 'hosts', 'host_created', 'info', 'Host 10.2.0.24', '', NULL, 'host', '10.2.0.24', '2026-11-20 10:00:24.007000+00'),
    (33, 'evt_1795168814_261458', '2026-11-20 10:00:14.008000+00', 'sirius-scanner', 'discovery', 'host_discovered', 'info', 'Host 10.2.0.14', '', NULL, 'host', '10.2.0.14', '2026-11-20 10:00:14.008000+00'),
    (34, 'evt_1795168830_269377', '2026-11-20 10:00:30.009000+00', 'sirius-api', 'hosts', 'host_created', 'info', 'Host 10.2.0.30', '', NULL, 'host', '10.2.0.30', '2026-11-20 10:00:30.009000+00');

-- One instant, several rows; the ids decide. Then a gap: a batch that collided on event_id took its numbers with it.
INSERT INTO events (id, event_id, "timestamp", service, subcomponent, event_type, severity, title, description, metadata, entity_type, entity_id, created_at) VALUES
    (35, 'evt_1795172400_277296', '2026-11-20 11:00:00.123456+00', 'sirius-api', 'hosts', 'host_deleted', 'info', '10.3.0.0 deleted', '', NULL, 'host', '10.3.0.0', '2026-11-20 11:00:00.123456+00'),
    (36, 'evt_1795172400_285215', '2026-11-20 11:00:00.123456+00', 'sirius-api', 'hosts', 'host_deleted', 'info', '10.3.0.1 deleted', '', NULL, 'host', '10.3.0.1', '2026-11-20 11:00:00.123456+00'),
    (37, 'evt_1795172400_293134', '2026-11-20 11:00:00.123456+00', 'sirius-api', 'hosts', 'host_deleted', 'info', '10.3.0.2 deleted', '', NULL, 'host', '10.3.0.2', '2026-11-20 11:00:00.123456+00'),
    (38, 'evt_1795172400_301053', '2026-11-20 11:00:00.123456+00', 'sirius-api', 'hosts', 'host_deleted', 'info', '10.3.0.3 deleted', '', NULL, 'host', '10.3.0.3', '2026-11-20 11:00:00.123456+00'),
    (39, 'evt_1795172400_308972', '2026-11-20 11:00:00.123456+00', 'sirius-api', 'hosts', 'host_deleted', 'info', '10.3.0.4 deleted', '', NULL, 'host', '10.3.0.4', '2026-11-20 11:00:00.123456+00'),
    (40, 'evt_1795172400_316891', '2026-11-20 11:00:00.123456+00', 'sirius-api', 'hosts', 'host_deleted', 'info', '10.3.0.5 deleted', '', NULL, 'host', '10.3.0.5', '2026-11-20 11:00:00.123456+00'),
    (141, 'evt_1795172430_116710', '2026-11-20 11:00:30+00', 'sirius-api', 'hosts', 'host_deleted', 'info', '10.3.0.9 deleted', '', NULL, 'host', '10.3.0.9', '2026-11-20 11:00:30+00');

-- Custom types and severities; nothing restricts either.
INSERT INTO events (id, event_id, "timestamp", service, subcomponent, event_type, severity, title, description, metadata, entity_type, entity_id, created_at) VALUES
    (142, 'evt_1795176000_124629', '2026-11-20 12:00:00+00', 'agent-manager', '', 'agent_heartbeat_missed', 'warning', 'Agent agent-12 silent', 'last seen 4m ago', '{"agent": "agent-12"}', 'agent', 'agent-12', '2026-11-20 12:00:00+00'),
    (143, 'evt_1795176001_132548', '2026-11-20 12:00:01+00', 'agent-manager', '', 'certificate_renewal_failed', 'error', 'Agent certificate not renewed', 'x509: certificate has expired', NULL, 'agent', 'agent-12', '2026-11-20 12:00:01+00'),
    (144, 'evt_1795176002_140467', '2026-11-20 12:00:02+00', 'agent-manager', '', 'template.sync', 'notice', 'Templates synchronised', '', NULL, '', '', '2026-11-20 12:00:02+00');

-- Written by hand, with NULL where the client has an empty string; a timestamp with an offset, and one before 2000.
INSERT INTO events (id, event_id, "timestamp", service, subcomponent, event_type, severity, title, description, metadata, entity_type, entity_id, created_at) VALUES
    (145, 'evt_1795170600_148386', '2026-11-20 12:30:00+02', 'import', NULL, 'host_created', 'info', 'Imported 10.9.0.1', NULL, NULL, NULL, '10.9.0.1', '2026-11-20 12:30:00+02'),
    (146, 'evt_1795170600_156305', '2026-11-20 05:30:00-05', 'import', NULL, 'host_created', 'error', 'Imported 10.9.0.2', NULL, NULL, NULL, NULL, '2026-11-20 05:30:00-05'),
    (147, 'evt_946684799_164224', '1999-12-31 23:59:59.999999+00', 'import', NULL, 'host_created', 'info', 'Imported from the archive', NULL, NULL, 'host', '10.9.0.3', '1999-12-31 23:59:59.999999+00');

-- Hostile text in titles, descriptions, ids and metadata.
INSERT INTO events (id, event_id, "timestamp", service, subcomponent, event_type, severity, title, description, metadata, entity_type, entity_id, created_at) VALUES
    (148, 'evt_1795179600_172143', '2026-11-20 13:00:00+00', 'plugin', '', 'scan_failed', 'error', E'\u001B[31mred\u001B[0m title', E'\u001B[31mCSR denied\u001B[0m by \u001B]0;owned\u0007approver \u009B2J\u001B[2J\u001B[H', '{"a": {"b": {"c": [1, [2, [3, {"d": null}]]]}}, "\u001b[2J": "\u001b]52;c;ZXZpbA==\u0007", "rtl": "\u202eevil\u202c"}', 'host', '10.4.0.1', '2026-11-20 13:00:00+00'),
    (149, 'evt_1795179601_180062', '2026-11-20 13:00:01+00', 'plugin', '', 'scan_failed', 'critical', 'Direction', E'approver \u202Emoc.elpmaxe\u202C said \u2066no\u2069, \uFEFFzero\u200Bwidth, line\u2028separator', '[]', 'host', E'\u202E1.0.4.01', '2026-11-20 13:00:01+00'),
    (150, 'evt_1795179602_187981', '2026-11-20 13:00:02+00', 'plugin', '', 'scan_failed', 'error', 'Tabs and lines', E'tpm2:\terror\t0x9a2\r\n\tTPM_RC_POLICY_FAIL\r\n\n\n   indented, then a lone return\rover', '"text"', 'host', E'10.4.0.3\t', '2026-11-20 13:00:02+00'),
    (151, 'evt_1795179603_195900', '2026-11-20 13:00:03+00', 'plugin', '', 'scan_failed', 'error', 'Letters', E'🔥 signer outage 👩\u200D🔧 naïve café Ünïcode 証明書 é', '12.5', 'host', 'ホスト-4', '2026-11-20 13:00:03+00'),
    (152, 'evt_1795179604_203819', '2026-11-20 13:00:04+00', 'plugin', '', 'scan_failed', 'error', 'Ten kilobytes', E'panic: runtime error\n' || repeat(E'goroutine 17 [select]: github.com/SiriusScan/go-api/sirius/logging.flush()\n', 140), NULL, 'host', '10.4.0.5', '2026-11-20 13:00:04+00'),
    (153, 'evt_1795179605_211738', '2026-11-20 13:00:05+00', 'plugin', '', 'host_updated', 'info', '''); DROP TABLE events; --', 'informational text is no error', 'null', 'host', '%_\', '2026-11-20 13:00:05+00');

-- The ordinary end of the day.
INSERT INTO events (id, event_id, "timestamp", service, subcomponent, event_type, severity, title, description, metadata, entity_type, entity_id, created_at) VALUES
    (154, 'evt_1795183200_219657', '2026-11-20 14:00:00+00', 'sirius-api', 'hosts', 'host_updated', 'info', '10.0.0.1 updated', '', '{"fields": ["os"]}', 'host', '10.0.0.1', '2026-11-20 14:00:00+00'),
    (155, 'evt_1795183201_227576', '2026-11-20 14:00:01.377000+00', 'sirius-api', 'hosts', 'host_updated', 'info', '10.0.0.2 updated', '', '{"fields": ["os"]}', 'host', '10.0.0.2', '2026-11-20 14:00:01.377000+00'),
    (156, 'evt_1795183202_235495', '2026-11-20 14:00:02.754000+00', 'sirius-api', 'hosts', 'host_updated', 'info', '10.0.0.3 updated', '', '{"fields": ["os"]}', 'host', '10.0.0.3', '2026-11-20 14:00:02.754000+00'),
    (157, 'evt_1795183203_243414', '2026-11-20 14:00:03.131000+00', 'sirius-api', 'hosts', 'host_updated', 'info', '10.0.0.4 updated', '', '{"fields": ["os"]}', 'host', '10.0.0.4', '2026-11-20 14:00:03.131000+00'),
    (158, 'evt_1795183204_251333', '2026-11-20 14:00:04.508000+00', 'sirius-api', 'hosts', 'host_updated', 'info', '10.0.0.5 updated', '', '{"fields": ["os"]}', 'host', '10.0.0.5', '2026-11-20 14:00:04.508000+00'),
    (159, 'evt_1795183205_259252', '2026-11-20 14:00:05.885000+00', 'sirius-api', 'hosts', 'host_updated', 'info', '10.0.0.6 updated', '', '{"fields": ["os"]}', 'host', '10.0.0.6', '2026-11-20 14:00:05.885000+00'),
    (160, 'evt_1795183206_267171', '2026-11-20 14:00:06.262000+00', 'sirius-api', 'hosts', 'host_updated', 'info', '10.0.0.7 updated', '', '{"fields": ["os"]}', 'host', '10.0.0.7', '2026-11-20 14:00:06.262000+00'),
    (161, 'evt_1795183207_275090', '2026-11-20 14:00:07.639000+00', 'sirius-api', 'hosts', 'host_updated', 'info', '10.0.0.8 updated', '', '{"fields": ["os"]}', 'host', '10.0.0.8', '2026-11-20 14:00:07.639000+00');

SELECT setval('events_id_seq', 161);
