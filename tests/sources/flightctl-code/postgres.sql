-- Flight Control's table as its model makes it: no foreign keys, single-column indexes twice over, devices without ids.

CREATE TABLE organizations (
    id           uuid PRIMARY KEY,
    display_name text,
    external_id  text
);

CREATE TABLE devices (
    org_id                    uuid NOT NULL,
    name                      text NOT NULL,
    alias                     text,
    owner                     text,
    labels                    jsonb,
    status                    jsonb,
    deleted_at                timestamptz,
    certificate_expiration    timestamp,
    certificate_last_renewed  timestamp,
    certificate_renewal_count integer DEFAULT 0,
    certificate_fingerprint   text,
    PRIMARY KEY (org_id, name)
);
CREATE INDEX idx_devices_cert_expiration ON devices (certificate_expiration) WHERE certificate_expiration IS NOT NULL;
CREATE INDEX idx_devices_cert_last_renewed ON devices (certificate_last_renewed) WHERE certificate_last_renewed IS NOT NULL;

CREATE TABLE certificate_renewal_events (
    id                  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    device_id           uuid NOT NULL,
    org_id              uuid NOT NULL,
    event_type          text NOT NULL,
    reason              text,
    old_cert_expiration timestamp,
    new_cert_expiration timestamp,
    error_message       text,
    created_at          timestamp NOT NULL DEFAULT now()
);
CREATE INDEX idx_cert_renewal_events_device_id ON certificate_renewal_events (device_id);
CREATE INDEX idx_cert_renewal_events_org_id ON certificate_renewal_events (org_id);
CREATE INDEX idx_cert_renewal_events_created_at ON certificate_renewal_events (created_at);
CREATE INDEX idx_cert_renewal_events_event_type ON certificate_renewal_events (event_type);
CREATE INDEX idx_certificate_renewal_events_device_id ON certificate_renewal_events (device_id);
CREATE INDEX idx_certificate_renewal_events_org_id ON certificate_renewal_events (org_id);
CREATE INDEX idx_certificate_renewal_events_created_at ON certificate_renewal_events (created_at);
CREATE INDEX idx_certificate_renewal_events_event_type ON certificate_renewal_events (event_type);

-- Four organizations: with a display name, with both, with the external id alone, with neither.
INSERT INTO organizations (id, display_name, external_id) VALUES
    ('00000000-0000-0000-0000-000000000000', 'Default', ''),
    ('f5bda347-d54d-4d06-9b3d-4a9879537e65', 'Acme Logistics', 'acme'),
    ('399eacbf-7224-41fe-a282-c333e6099a0f', NULL, 'globex'),
    ('5473e63c-d23c-4942-9e6d-eb43fab0f5bd', '', NULL);

-- The first is a published test vector: its device_id is b2ebe523-9955-5abb-a5d7-bcbeda42c58c.
INSERT INTO devices (org_id, name, alias, owner, deleted_at, certificate_expiration) VALUES
    ('00000000-0000-0000-0000-000000000000', 'c860jhsr1uj96sugum9csciop392mbnmsjrslpv0r7s22i76misg', NULL, NULL, NULL, NULL),
    ('00000000-0000-0000-0000-000000000000', '8ctg44b7f57s8b269nkboahd4n0qbb5n6hgchrf8ma3ikiq3hp40', 'edge-d1', NULL, NULL, NULL),
    ('00000000-0000-0000-0000-000000000000', '400rvp2f25k60qc3n29ge99bqnc2trttnlgba5j1ik8ul0do4gag', NULL, NULL, NULL, NULL),
    ('00000000-0000-0000-0000-000000000000', 'e0h8234lhbnsp381uc9ocr8553ee1mic6on4856afuogg4g4op9g', NULL, NULL, NULL, NULL),
    ('00000000-0000-0000-0000-000000000000', 'fsa6qrtp71c228gna4s8vtr3k2vltuocaoiv8k81t3itt8de7qv0', NULL, NULL, NULL, '2026-12-20 00:00:00'),
    ('00000000-0000-0000-0000-000000000000', 'g8ktnnm817j1noe2g6efc11vmqj0c84fc9hd3s21hft3fggalj90', NULL, NULL, NULL, NULL),
    ('00000000-0000-0000-0000-000000000000', '1d55gsajoppq28a4bdpdueaj0tb3d84s2rkc843go4c7419nddj0', NULL, NULL, NULL, NULL),
    ('00000000-0000-0000-0000-000000000000', '1cgt9b4vhbgj6grdrq0u1tcbus4r652sch5js8iqg1bbga59t0q0', NULL, NULL, NULL, '2026-12-20 00:00:00'),
    ('00000000-0000-0000-0000-000000000000', 'ro84flg70clfs0kv7l8lg3skr7rr3bh6s0peg0ebkojcjs4fijrg', NULL, NULL, NULL, '2026-12-20 00:00:00'),
    ('f5bda347-d54d-4d06-9b3d-4a9879537e65', 's53g0ae7vn3kdnlqoa1f8htk1v5qp9hpcq22icdsh600o3pkvm6g', 'edge-a1', 'Fleet/edge', NULL, NULL),
    ('f5bda347-d54d-4d06-9b3d-4a9879537e65', 'om19u3cdvdpibl6e26kj8u5aocrjadbcbbp2b2ii05ftgbl3cg5g', NULL, 'Fleet/edge', NULL, NULL),
    ('f5bda347-d54d-4d06-9b3d-4a9879537e65', 'f20osi1d36n8u6s97b0l0s6qrj97dq8b66dgeuap8fhchmcufp10', NULL, 'Fleet/edge', NULL, NULL),
    ('f5bda347-d54d-4d06-9b3d-4a9879537e65', '1hg0o372huf452naf6c9tjrg9begnrlok6925c1q245sv9v3pmbg', NULL, 'Fleet/edge', NULL, NULL),
    ('f5bda347-d54d-4d06-9b3d-4a9879537e65', 'sddhhpjkcpvgs2o1pdroenidse6ulicqav7079h6bl5jlp6mf7p0', NULL, 'Fleet/edge', NULL, NULL),
    ('f5bda347-d54d-4d06-9b3d-4a9879537e65', '6knbmkav9he64g03cb8b5jmcb446v4k717t0ao0u8m105ibo8mh0', NULL, 'Fleet/edge', NULL, NULL),
    ('f5bda347-d54d-4d06-9b3d-4a9879537e65', 'ag2jom5jh7i469868vv1qtilkuph16k6sm4vv6ndsdda27gi6aag', NULL, 'Fleet/edge', NULL, NULL),
    ('f5bda347-d54d-4d06-9b3d-4a9879537e65', 'eh00cnrcl2cldi6g6rifouhvamr8upuvsl97947klafgje98ctf0', NULL, 'Fleet/edge', NULL, NULL),
    ('399eacbf-7224-41fe-a282-c333e6099a0f', 'ggc3phr44og1eq257mi1dtcl7a47p5oks5i5nd56rlm9ot0tbg40', NULL, NULL, NULL, NULL),
    ('399eacbf-7224-41fe-a282-c333e6099a0f', 'ctfn11rmscaleu33t8hu1jvu7jdcl06r94vle9uufje86toeh2c0', NULL, NULL, NULL, NULL),
    ('399eacbf-7224-41fe-a282-c333e6099a0f', 'nj19vstt61fdlrnblt43js4b04h5hubm0h1qoo68153ig7tq3e5g', NULL, NULL, NULL, NULL),
    ('399eacbf-7224-41fe-a282-c333e6099a0f', 'k6omi3mfts3ge2cqsq2nvp71s6169v5hg9t5bjima5654b9eg4rg', NULL, NULL, NULL, NULL),
    ('5473e63c-d23c-4942-9e6d-eb43fab0f5bd', 'eq6qtgho5c4pbehn1qmb8nrp2sp3l1sbpqc9j4jo82i8j3qrgvs0', NULL, NULL, NULL, NULL),
    ('f5bda347-d54d-4d06-9b3d-4a9879537e65', 'qod64kdk88sph44lranq1n9a0un6g5rt6bfmbdj0dupt25nan1tg', NULL, NULL, '2026-11-19 08:00:00+00', NULL);

-- A labelled renewal that succeeds: the outcome has no separate reason. Then a further success of the same device
-- without a start: another certificate, whose reason nobody knows.
INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('5ab0b047-eb11-4fd6-8b55-8a7eaca7b8e0', 'b2ebe523-9955-5abb-a5d7-bcbeda42c58c', '00000000-0000-0000-0000-000000000000', 'renewal_start', 'proactive', '2026-12-17 08:30:00', NULL, NULL, '2026-11-18 02:00:00.104211'),
    ('eec808b5-15d8-4b5c-95a9-29e508fb2f30', 'b2ebe523-9955-5abb-a5d7-bcbeda42c58c', '00000000-0000-0000-0000-000000000000', 'renewal_success', NULL, '2026-12-17 08:30:00', '2027-11-18 02:00:00', NULL, '2026-11-18 02:00:00.187340'),
    ('aa59e890-a4db-4796-9a4c-e4f1ff1af6e7', 'b2ebe523-9955-5abb-a5d7-bcbeda42c58c', '00000000-0000-0000-0000-000000000000', 'renewal_success', NULL, '2027-11-18 02:00:00', '2027-11-18 09:15:42', NULL, '2026-11-18 09:15:42.000001');

-- Devices without the label: successes only. The first certificate of a device has no old expiry.
INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('f420a321-5b9a-4991-b8e2-913f5c813f9b', 'efafb7c6-c312-5aca-a945-11620570eaaf', '00000000-0000-0000-0000-000000000000', 'renewal_success', NULL, NULL, '2027-11-18 03:10:00', NULL, '2026-11-18 03:10:00.500000'),
    ('3f0aa3f7-ec98-45bc-9642-1f3d6434ea4a', 'e8d2932f-c336-5606-ad98-aa75c2a980d6', '00000000-0000-0000-0000-000000000000', 'renewal_success', NULL, NULL, '2027-11-18 03:10:01', NULL, '2026-11-18 03:10:01.250000'),
    ('062f0827-75f1-4f28-9b56-7d5965df1d62', 'efafb7c6-c312-5aca-a945-11620570eaaf', '00000000-0000-0000-0000-000000000000', 'renewal_success', NULL, '2027-11-18 03:10:00', '2027-11-19 03:10:00', NULL, '2026-11-19 03:10:00');

-- A recovery that succeeds.
INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('9af317fd-5ed6-40d6-8fa6-d8d07b4b5956', 'cb48a406-1e47-5829-a9b6-3e6af6401d94', 'f5bda347-d54d-4d06-9b3d-4a9879537e65', 'recovery_start', 'expired', '2026-11-02 11:00:00', NULL, NULL, '2026-11-18 05:00:00.000900'),
    ('1e4939bd-73d5-4ae4-9f3d-cdc80308941d', 'cb48a406-1e47-5829-a9b6-3e6af6401d94', 'f5bda347-d54d-4d06-9b3d-4a9879537e65', 'recovery_success', NULL, '2026-11-02 11:00:00', '2027-11-18 05:00:04', NULL, '2026-11-18 05:00:04.731004');

-- A recovery whose signing fails: it ends in renewal_failed, without a reason.
INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('7c53929c-1723-41aa-bdfc-344924b021a8', '2e0bddf7-2799-5d25-bb96-73cf65ba4b18', 'f5bda347-d54d-4d06-9b3d-4a9879537e65', 'recovery_start', 'expired', '2026-10-30 00:00:00', NULL, NULL, '2026-11-18 06:00:00'),
    ('ba218a57-ca91-4319-87a0-bf6c86a183c7', '2e0bddf7-2799-5d25-bb96-73cf65ba4b18', 'f5bda347-d54d-4d06-9b3d-4a9879537e65', 'renewal_failed', NULL, '2026-10-30 00:00:00', NULL, 'failed to sign certificate: signer "flightctl.io/device-management" is unavailable', '2026-11-18 06:00:01.333000');

-- A recovery that fails its check, waits for review, and succeeds hours later.
INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('e374e5ea-2ffe-4623-8434-2812a8257728', '0b5cd23a-8f26-513b-8c52-791c605d4153', 'f5bda347-d54d-4d06-9b3d-4a9879537e65', 'recovery_start', 'expired', '2026-11-10 10:00:00', NULL, NULL, '2026-11-18 07:00:00.010000'),
    ('dbf505bb-a2ef-4cba-8366-72be7c20c469', '0b5cd23a-8f26-513b-8c52-791c605d4153', 'f5bda347-d54d-4d06-9b3d-4a9879537e65', 'recovery_failed', 'expired', '2026-11-10 10:00:00', NULL, 'recovery request without peer certificate must include TPM attestation', '2026-11-18 07:00:00.020000'),
    ('fef7dd54-5054-4e44-bc5a-62468c046862', '0b5cd23a-8f26-513b-8c52-791c605d4153', 'f5bda347-d54d-4d06-9b3d-4a9879537e65', 'recovery_success', NULL, '2026-11-10 10:00:00', '2027-11-18 15:42:10', NULL, '2026-11-18 15:42:10.900000');

-- An approved request that fails to sign is tried again at each update; then it works.
INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('a89725c3-e050-4830-b099-b20fb735f0d0', 'a36def9a-32a8-5c17-9bb8-294e816abb95', 'f5bda347-d54d-4d06-9b3d-4a9879537e65', 'renewal_start', 'proactive', '2026-12-18 00:00:00', NULL, NULL, '2026-11-18 08:00:00'),
    ('824e4e63-cfc4-4ed7-924d-cd106f49f53c', 'a36def9a-32a8-5c17-9bb8-294e816abb95', 'f5bda347-d54d-4d06-9b3d-4a9879537e65', 'renewal_failed', NULL, '2026-12-18 00:00:00', NULL, 'failed to sign certificate for CSR "a4-renewal-5f3c9a01": rpc error: code = Unavailable at 2026-11-18 08:01:00.123456789 +0000 UTC m=+86402.111', '2026-11-18 08:01:00.000001'),
    ('e7c9d841-a8c5-4b97-a6b0-8cd5f7b55a34', 'a36def9a-32a8-5c17-9bb8-294e816abb95', 'f5bda347-d54d-4d06-9b3d-4a9879537e65', 'renewal_failed', NULL, '2026-12-18 00:00:00', NULL, 'failed to sign certificate for CSR "a4-renewal-5f3c9a02": rpc error: code = Unavailable at 2026-11-18 08:02:00.223456789 +0000 UTC m=+86402.112', '2026-11-18 08:02:00.000002'),
    ('d062395d-eb3d-4301-923e-8703ecfcce12', 'a36def9a-32a8-5c17-9bb8-294e816abb95', 'f5bda347-d54d-4d06-9b3d-4a9879537e65', 'renewal_failed', NULL, '2026-12-18 00:00:00', NULL, 'failed to sign certificate for CSR "a4-renewal-5f3c9a04": rpc error: code = Unavailable at 2026-11-18 08:04:00.423456789 +0000 UTC m=+86402.114', '2026-11-18 08:04:00.000004'),
    ('16790709-2727-40bd-b58d-3ad2a0b1f896', 'a36def9a-32a8-5c17-9bb8-294e816abb95', 'f5bda347-d54d-4d06-9b3d-4a9879537e65', 'renewal_failed', NULL, '2026-12-18 00:00:00', NULL, 'failed to sign certificate for CSR "a4-renewal-5f3c9a08": rpc error: code = Unavailable at 2026-11-18 08:08:00.823456789 +0000 UTC m=+86402.118', '2026-11-18 08:08:00.000008'),
    ('02bd4c97-7992-44b0-86a2-97d66d12e328', 'a36def9a-32a8-5c17-9bb8-294e816abb95', 'f5bda347-d54d-4d06-9b3d-4a9879537e65', 'renewal_success', NULL, '2026-12-18 00:00:00', '2027-11-18 08:16:00', NULL, '2026-11-18 08:16:00');

-- Any other label value is a renewal too; reasons are an open set.
INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('ba76cebc-36dc-4488-afc0-885d272cd0f7', '724ca5e4-0579-5e49-96fc-57745f5e68f1', '399eacbf-7224-41fe-a282-c333e6099a0f', 'renewal_start', 'key-rotation-2026q4', '2027-03-01 00:00:00', NULL, NULL, '2026-11-18 10:00:00'),
    ('6b780223-02fa-45a3-9dc5-af3284ae62cc', '724ca5e4-0579-5e49-96fc-57745f5e68f1', '399eacbf-7224-41fe-a282-c333e6099a0f', 'renewal_success', NULL, '2027-03-01 00:00:00', '2027-11-18 10:00:00', NULL, '2026-11-18 10:00:00.060000'),
    ('b741650b-7da1-41fb-a8fe-192e85301bfa', 'ff9666de-d749-50b9-a1b3-76f4513b4216', '399eacbf-7224-41fe-a282-c333e6099a0f', 'renewal_start', 'Proactive', '2027-03-01 00:00:00', NULL, NULL, '2026-11-18 10:05:00'),
    ('c441e101-65d8-4a08-89c9-0596c1b221cd', 'ff9666de-d749-50b9-a1b3-76f4513b4216', '399eacbf-7224-41fe-a282-c333e6099a0f', 'renewal_failed', NULL, '2027-03-01 00:00:00', NULL, 'x509: certificate signed by unknown authority', '2026-11-18 10:05:00.060000');

-- Start and success in one microsecond. The ids are in the order of the writes.
INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('93bbe1bd-2481-4588-8d8a-b28aa2773784', '3093ad0f-6a7e-5e90-af3c-5a5c6c9d38ea', '399eacbf-7224-41fe-a282-c333e6099a0f', 'renewal_start', 'proactive', '2026-12-01 00:00:00', NULL, NULL, '2026-11-18 11:00:00.777777'),
    ('d7152af9-4b9a-4108-9875-d0d46b076caa', '3093ad0f-6a7e-5e90-af3c-5a5c6c9d38ea', '399eacbf-7224-41fe-a282-c333e6099a0f', 'renewal_success', NULL, '2026-12-01 00:00:00', '2027-11-18 11:00:00', NULL, '2026-11-18 11:00:00.777777');

-- An outage: eight devices in one microsecond, without starts.
INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('42fa82e3-d120-4154-becc-d4e8cecb9c6d', 'efafb7c6-c312-5aca-a945-11620570eaaf', '00000000-0000-0000-0000-000000000000', 'renewal_failed', NULL, '2026-11-25 00:00:00', NULL, 'failed to sign certificate: context deadline exceeded', '2026-11-19 01:00:00.000001'),
    ('38454683-e7e8-4491-952b-dd4b2bc615bd', 'e8d2932f-c336-5606-ad98-aa75c2a980d6', '00000000-0000-0000-0000-000000000000', 'renewal_failed', NULL, NULL, NULL, 'failed to sign certificate: context deadline exceeded', '2026-11-19 01:00:00.000001'),
    ('6a29e902-1196-4a64-8f98-e57eb58bd36a', '9e3ef6ad-ce15-5ede-939e-51c239409bba', '00000000-0000-0000-0000-000000000000', 'renewal_failed', NULL, '2026-11-25 00:00:00', NULL, 'failed to sign certificate: context deadline exceeded', '2026-11-19 01:00:00.000001'),
    ('663fee26-c9b8-487d-8323-76e0b0647aea', '7aa80109-e3bb-5f4c-86e0-cace5d822138', '00000000-0000-0000-0000-000000000000', 'renewal_failed', NULL, NULL, NULL, 'failed to sign certificate: context deadline exceeded', '2026-11-19 01:00:00.000001'),
    ('2c2b981a-0457-470d-b1f8-6d7e4baeda93', 'fa195419-333d-5d5d-bc8c-2978cc4098e2', '00000000-0000-0000-0000-000000000000', 'renewal_failed', NULL, '2026-11-25 00:00:00', NULL, 'failed to sign certificate: context deadline exceeded', '2026-11-19 01:00:00.000001'),
    ('17f6aaa1-3e25-44ff-bd36-bb74fe48d408', 'f1f4e491-8621-5a46-8dad-3b2a2a84fada', '00000000-0000-0000-0000-000000000000', 'renewal_failed', NULL, NULL, NULL, 'failed to sign certificate: context deadline exceeded', '2026-11-19 01:00:00.000001'),
    ('c1b2f0fe-9a78-48eb-ba4c-6dc27974488f', '1ea14f9f-2f35-5be6-8660-1c784f31b297', '00000000-0000-0000-0000-000000000000', 'renewal_failed', NULL, '2026-11-25 00:00:00', NULL, 'failed to sign certificate: context deadline exceeded', '2026-11-19 01:00:00.000001'),
    ('d4d9eea5-8936-4f4c-b8de-118e6c87fed9', '0bced0d7-1b78-5577-a4c7-e26861d3ebf2', '00000000-0000-0000-0000-000000000000', 'renewal_failed', NULL, NULL, NULL, 'failed to sign certificate: context deadline exceeded', '2026-11-19 01:00:00.000001');

-- Starts without an outcome.
INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('1cdeafa7-a23f-47d6-8f40-12a8963d7bc3', '9e3ef6ad-ce15-5ede-939e-51c239409bba', '00000000-0000-0000-0000-000000000000', 'renewal_start', 'proactive', '2026-12-19 00:00:00', NULL, NULL, '2026-11-19 02:00:00'),
    ('996f2af5-d72f-4fcb-9eea-883c2023e385', '40bac607-678d-5629-aa26-040fa2a0d012', 'f5bda347-d54d-4d06-9b3d-4a9879537e65', 'recovery_start', 'expired', '2026-11-01 00:00:00', NULL, NULL, '2026-11-19 02:30:00');

-- Errors as attackers, TPMs and stack traces write them.
INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('f45c26bf-a40a-4e8c-b1a1-89bb36c58ef7', '2d358353-82a6-5624-871a-91272ac36f94', 'f5bda347-d54d-4d06-9b3d-4a9879537e65', 'recovery_failed', 'expired', NULL, NULL, E'TPM attestation failed:\n  quote: PCR mismatch\n    want 9f86d081\n    got  60303ae2\ncaused by: device fingerprint does not match', '2026-11-19 04:00:00.000001'),
    ('58e09b8e-ae2f-4477-b62f-ceaed113d03a', '2d358353-82a6-5624-871a-91272ac36f94', 'f5bda347-d54d-4d06-9b3d-4a9879537e65', 'recovery_failed', 'expired', NULL, NULL, E'\u001B[31mCSR denied\u001B[0m by \u001B]0;owned\u0007approver \u009B2J\u001B[2J\u001B[H', '2026-11-19 04:00:00.000002'),
    ('a3f10736-2b8c-40d7-b209-4e80952ab78a', '2d358353-82a6-5624-871a-91272ac36f94', 'f5bda347-d54d-4d06-9b3d-4a9879537e65', 'recovery_failed', 'expired', NULL, NULL, E'approver \u202Emoc.elpmaxe\u202C said \u2066no\u2069, \uFEFFzero\u200Bwidth, line\u2028separator', '2026-11-19 04:00:00.000003'),
    ('c60f1061-d054-4390-a5c4-5c415bafc841', '2d358353-82a6-5624-871a-91272ac36f94', 'f5bda347-d54d-4d06-9b3d-4a9879537e65', 'recovery_failed', 'expired', NULL, NULL, E'tpm2:\terror\t0x9a2\r\n\tTPM_RC_POLICY_FAIL\r\n\n\n   indented, then a lone return\rover', '2026-11-19 04:00:00.000004'),
    ('c257d8ea-0fdd-46e3-9ee3-7bea37a36545', 'f9f0950d-12b4-5f58-9274-8f708a71f60a', 'f5bda347-d54d-4d06-9b3d-4a9879537e65', 'renewal_failed', NULL, NULL, NULL, E'🔥 signer outage 👩\u200D🔧 naïve café Ünïcode 証明書 é', '2026-11-19 04:00:00.000005'),
    ('429e259e-3f94-4611-8dc2-e6a622a8e431', 'f9f0950d-12b4-5f58-9274-8f708a71f60a', 'f5bda347-d54d-4d06-9b3d-4a9879537e65', 'renewal_failed', NULL, NULL, NULL, E'goroutine 1 [running]:\n' || repeat(E'  github.com/flightctl/flightctl/internal/crypto.(*CA).IssueRequestedCertificate(0xc0004)\n', 115) || 'exit status 2', '2026-11-19 04:00:00.000006'),
    ('de6020e1-3639-4076-bac1-8c493bc6a50e', 'f9f0950d-12b4-5f58-9274-8f708a71f60a', 'f5bda347-d54d-4d06-9b3d-4a9879537e65', 'renewal_failed', NULL, NULL, NULL, 'it''s "quoted", 100%_like \ back\slash; ''); DROP TABLE devices; --', '2026-11-19 04:00:00.000007'),
    ('a42eebfc-6664-4bda-a8a1-a07e1bea4d63', 'f9f0950d-12b4-5f58-9274-8f708a71f60a', 'f5bda347-d54d-4d06-9b3d-4a9879537e65', 'renewal_failed', NULL, NULL, NULL, '=HYPERLINK("http://example.com","click")', '2026-11-19 04:00:00.000008'),
    ('7a09923a-de33-49fd-b14d-29f24e0d75f8', 'f9f0950d-12b4-5f58-9274-8f708a71f60a', 'f5bda347-d54d-4d06-9b3d-4a9879537e65', 'renewal_failed', NULL, NULL, NULL, '', '2026-11-19 04:00:00.000009');

-- Types that nobody announced.
INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('d8047271-a97f-4359-9c6b-1453d9ec5d32', '1c51f1c6-2db8-5d0f-ac7d-6c1e6c44b99a', 'f5bda347-d54d-4d06-9b3d-4a9879537e65', 'renewal_deferred', 'maintenance-window', '2026-12-24 00:00:00', NULL, NULL, '2026-11-19 05:00:00'),
    ('a96d81d9-8681-4377-b564-4fee8ae5fbbd', '1c51f1c6-2db8-5d0f-ac7d-6c1e6c44b99a', 'f5bda347-d54d-4d06-9b3d-4a9879537e65', 'RENEWAL_FAILED', NULL, NULL, NULL, 'upper case is another type', '2026-11-19 05:00:01'),
    ('c7e0bd5d-c412-4039-a641-3436d1ee7d1f', '1c51f1c6-2db8-5d0f-ac7d-6c1e6c44b99a', 'f5bda347-d54d-4d06-9b3d-4a9879537e65', E'\u001B[7mrenewal\u001B[0m', NULL, NULL, NULL, NULL, '2026-11-19 05:00:02');

-- A row of a device that is deleted, of one that is soft-deleted, of an organization without any name, and of one that is gone.
INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('1073f17c-9405-41e0-ad5d-8aa88e63291a', 'dd185b96-348d-53e6-a796-8999d8301eb6', 'f5bda347-d54d-4d06-9b3d-4a9879537e65', 'renewal_success', NULL, '2026-12-01 00:00:00', '2027-11-19 06:00:00', NULL, '2026-11-19 06:00:00'),
    ('6cdf4047-ac3d-41db-b669-d4b6c248e6fe', '142d1d6c-b003-5002-9d9d-fcd6db1b455c', 'f5bda347-d54d-4d06-9b3d-4a9879537e65', 'renewal_success', NULL, '2026-12-01 00:00:00', '2027-11-19 06:00:01', NULL, '2026-11-19 06:00:01'),
    ('1fb421f0-75bd-4f66-8fbe-58dda067cb4f', '24ff33c0-c01a-54f5-80bf-dde8ed539836', '5473e63c-d23c-4942-9e6d-eb43fab0f5bd', 'renewal_success', NULL, '2026-12-01 00:00:00', '2027-11-19 06:00:02', NULL, '2026-11-19 06:00:02'),
    ('01a03946-a433-4013-a2b2-da053a1a4b1b', 'ded3ab7b-35ec-5515-86bc-604302d9c5a3', '77995fcc-be12-4ee8-82d6-881cee7f4ce5', 'renewal_success', NULL, '2026-12-01 00:00:00', '2027-11-19 06:00:03', NULL, '2026-11-19 06:00:03');

-- Expiries at their edges: a success that did not extend, one that shortened, 180 seconds of validity, no expiry at all by
-- RFC 5280, microseconds.
INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('72482fb5-e5be-49c6-a53d-6cec281883f9', 'daa47083-2e29-57f6-9f4f-5c303349f830', '399eacbf-7224-41fe-a282-c333e6099a0f', 'renewal_success', NULL, '2027-11-19 00:00:00', '2027-11-19 00:00:00', NULL, '2026-11-19 07:00:00'),
    ('5d14e91e-a407-4da2-a051-0e0c36115081', 'daa47083-2e29-57f6-9f4f-5c303349f830', '399eacbf-7224-41fe-a282-c333e6099a0f', 'renewal_success', NULL, '2027-11-19 00:00:00', '2027-02-17 00:00:00', NULL, '2026-11-19 07:00:01'),
    ('0bda1946-c5be-4198-9ef4-76553bed5379', 'daa47083-2e29-57f6-9f4f-5c303349f830', '399eacbf-7224-41fe-a282-c333e6099a0f', 'renewal_success', NULL, '2026-11-19 07:03:01', '2026-11-19 07:06:00', NULL, '2026-11-19 07:03:00'),
    ('7da17bed-46b9-4229-9fc7-fc7812063524', 'daa47083-2e29-57f6-9f4f-5c303349f830', '399eacbf-7224-41fe-a282-c333e6099a0f', 'renewal_success', NULL, '2026-11-19 07:06:00', '9999-12-31 23:59:59', NULL, '2026-11-19 07:04:00'),
    ('b14b7876-07fe-4007-8c91-e83a8551a6ef', 'daa47083-2e29-57f6-9f4f-5c303349f830', '399eacbf-7224-41fe-a282-c333e6099a0f', 'renewal_success', NULL, '9999-12-31 23:59:59', '2027-11-19 07:05:00.123456', NULL, '2026-11-19 07:05:00');

-- Written through a connection whose TimeZone is America/New_York, at 12:00 UTC: stored five hours early, expiries in UTC.
-- One row holds two zones, one table holds two writers; nothing in the row says so.
INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('cf74425f-eb41-4a7f-9542-442d76b754d3', 'fa195419-333d-5d5d-bc8c-2978cc4098e2', '00000000-0000-0000-0000-000000000000', 'renewal_start', 'proactive', '2026-12-20 00:00:00', NULL, NULL, '2026-11-19 07:00:00.420001'),
    ('7793367d-b872-406d-bf43-ff03c96f3b14', 'fa195419-333d-5d5d-bc8c-2978cc4098e2', '00000000-0000-0000-0000-000000000000', 'renewal_success', NULL, '2026-12-20 00:00:00', '2027-11-19 12:00:00', NULL, '2026-11-19 07:00:00.480002'),
    ('830b55bd-4043-45a8-ac5f-c87993066cee', 'f1f4e491-8621-5a46-8dad-3b2a2a84fada', '00000000-0000-0000-0000-000000000000', 'renewal_failed', NULL, '2026-12-20 00:00:00', NULL, 'context deadline exceeded', '2026-11-19 07:00:09');

-- The ordinary day.
INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('2609b2ae-de9d-46a5-ab5a-51bf4f335ef9', '7aa80109-e3bb-5f4c-86e0-cace5d822138', '00000000-0000-0000-0000-000000000000', 'renewal_start', 'proactive', '2026-12-20 00:00:00', NULL, NULL, '2026-11-20 12:00:01'),
    ('1f3d17aa-414f-4333-88f4-e302fb2dcdbf', '7aa80109-e3bb-5f4c-86e0-cace5d822138', '00000000-0000-0000-0000-000000000000', 'renewal_success', NULL, '2026-12-20 00:00:00', '2027-11-20 12:00:01', NULL, '2026-11-20 12:00:01.080001'),
    ('d477899b-6198-49c7-89f4-f0ae33732e4c', '1ea14f9f-2f35-5be6-8660-1c784f31b297', '00000000-0000-0000-0000-000000000000', 'renewal_start', 'proactive', '2026-12-20 00:00:00', NULL, NULL, '2026-11-20 12:00:02'),
    ('1f677d06-4986-44b2-b9a6-40e8eaf02fbb', '1ea14f9f-2f35-5be6-8660-1c784f31b297', '00000000-0000-0000-0000-000000000000', 'renewal_success', NULL, '2026-12-20 00:00:00', '2027-11-20 12:00:02', NULL, '2026-11-20 12:00:02.080002'),
    ('c1aa3754-91a1-42ae-b34a-e74aa8262d0a', '0bced0d7-1b78-5577-a4c7-e26861d3ebf2', '00000000-0000-0000-0000-000000000000', 'renewal_start', 'proactive', '2026-12-20 00:00:00', NULL, NULL, '2026-11-20 12:00:03'),
    ('46ae8784-acc1-4b4f-a737-fbd05b58dac6', '0bced0d7-1b78-5577-a4c7-e26861d3ebf2', '00000000-0000-0000-0000-000000000000', 'renewal_success', NULL, '2026-12-20 00:00:00', '2027-11-20 12:00:03', NULL, '2026-11-20 12:00:03.080003'),
    ('c8f6ee8c-68c6-4a39-bc10-2c572ac24e96', '40bac607-678d-5629-aa26-040fa2a0d012', 'f5bda347-d54d-4d06-9b3d-4a9879537e65', 'renewal_start', 'proactive', '2026-12-20 00:00:00', NULL, NULL, '2026-11-20 12:00:04'),
    ('070858b0-044e-4397-913d-afa21e3d6e2a', '40bac607-678d-5629-aa26-040fa2a0d012', 'f5bda347-d54d-4d06-9b3d-4a9879537e65', 'renewal_success', NULL, '2026-12-20 00:00:00', '2027-11-20 12:00:04', NULL, '2026-11-20 12:00:04.080004'),
    ('6172af4b-1402-4c04-9d45-4fff0f2973ce', '724ca5e4-0579-5e49-96fc-57745f5e68f1', '399eacbf-7224-41fe-a282-c333e6099a0f', 'renewal_start', 'proactive', '2026-12-20 00:00:00', NULL, NULL, '2026-11-20 12:00:05'),
    ('1f8ccfd4-f663-4063-afb7-ade24858b374', '724ca5e4-0579-5e49-96fc-57745f5e68f1', '399eacbf-7224-41fe-a282-c333e6099a0f', 'renewal_success', NULL, '2026-12-20 00:00:00', '2027-11-20 12:00:05', NULL, '2026-11-20 12:00:05.080005'),
    ('dbbe2f6f-4d7e-460d-b1c5-94fcd9e21460', '3093ad0f-6a7e-5e90-af3c-5a5c6c9d38ea', '399eacbf-7224-41fe-a282-c333e6099a0f', 'renewal_start', 'proactive', '2026-12-20 00:00:00', NULL, NULL, '2026-11-20 12:00:06'),
    ('ee767849-e24a-491f-addf-540c562b5692', '3093ad0f-6a7e-5e90-af3c-5a5c6c9d38ea', '399eacbf-7224-41fe-a282-c333e6099a0f', 'renewal_success', NULL, '2026-12-20 00:00:00', '2027-11-20 12:00:06', NULL, '2026-11-20 12:00:06.080006');
