-- The table of Flight Control's story with the architecture document's checks: foreign keys with cascade. It cannot be made
-- beside Flight Control's own devices, which have no id; here the directory has ids.

CREATE TABLE organizations (
    id           uuid PRIMARY KEY,
    display_name text,
    external_id  text
);

CREATE TABLE devices (
    id     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    org_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    name   text NOT NULL
);

CREATE TABLE certificate_renewal_events (
    id                  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    device_id           uuid NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    org_id              uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    event_type          text NOT NULL CHECK (event_type IN ('renewal_start', 'renewal_success', 'renewal_failed',
                                                            'recovery_start', 'recovery_success', 'recovery_failed')),
    reason              text CHECK (reason IN ('proactive', 'expired')),
    old_cert_expiration timestamp,
    new_cert_expiration timestamp,
    error_message       text,
    created_at          timestamp NOT NULL DEFAULT now()
);
CREATE INDEX idx_cert_renewal_events_device ON certificate_renewal_events (device_id);
CREATE INDEX idx_cert_renewal_events_org ON certificate_renewal_events (org_id);
CREATE INDEX idx_cert_renewal_events_created ON certificate_renewal_events (created_at);
CREATE INDEX idx_cert_renewal_events_type ON certificate_renewal_events (event_type);

INSERT INTO organizations (id, display_name, external_id) VALUES
    ('3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'Default', 'default'),
    ('a9d4448f-deb3-441d-a6de-e94d65f502d7', 'Northwind', 'northwind');

INSERT INTO devices (id, org_id, name) VALUES
    ('5f8b4988-6396-44c0-a6b4-6d9fff1d6a83', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'edge-0001'),
    ('6b751403-e980-4917-a117-911ea6ea9032', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'edge-0002'),
    ('5a670226-b0da-4a9b-bd12-0f487ac3e173', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'edge-0003'),
    ('6122ff86-a6cb-4792-a0e4-21b5ce2745b0', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'edge-0004'),
    ('e5551791-92f5-46b1-99ba-2f0b5dc68757', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'edge-0005'),
    ('f8e14bba-7996-4ad7-a95f-b5e0c7bbebd1', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'edge-0006'),
    ('a043bd87-37c8-4147-b497-b7c7bca80206', 'a9d4448f-deb3-441d-a6de-e94d65f502d7', 'edge-0007'),
    ('507674dd-2496-4d92-8ce0-4ded2c37b517', 'a9d4448f-deb3-441d-a6de-e94d65f502d7', 'edge-0008'),
    ('6ea63367-66dd-408d-8ce3-0ef61a1e0596', 'a9d4448f-deb3-441d-a6de-e94d65f502d7', 'edge-0009'),
    ('0278fc21-48b8-45f4-9a73-86a2852962df', 'a9d4448f-deb3-441d-a6de-e94d65f502d7', 'edge-0010'),
    ('ec46cf97-1f61-41af-b1ff-8513532642d1', 'a9d4448f-deb3-441d-a6de-e94d65f502d7', 'edge-0011'),
    ('9bd786f9-7136-4991-bbb6-8f6e49874dbb', 'a9d4448f-deb3-441d-a6de-e94d65f502d7', 'edge-0012'),
    ('c9af4806-f91a-413f-a3fe-b8bcab3fc03c', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'edge-gone');

-- The story's writer gives outcomes their reason, and the success no old expiry: nothing is carried over here.
INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('8a4c5d82-7d0b-4d86-91d3-6ca71cf6b25f', '5f8b4988-6396-44c0-a6b4-6d9fff1d6a83', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_start', 'proactive', NULL, NULL, NULL, '2026-11-20 00:01:00'),
    ('12a6a407-7419-47f8-a15a-d37842d2b225', '5f8b4988-6396-44c0-a6b4-6d9fff1d6a83', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_success', 'proactive', NULL, '2027-11-20 00:01:01', NULL, '2026-11-20 00:01:01.500000'),
    ('ff537cc1-9df9-4bce-887b-f2c2d7a880d8', '6b751403-e980-4917-a117-911ea6ea9032', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_start', 'proactive', NULL, NULL, NULL, '2026-11-20 00:02:00'),
    ('4431331d-1744-4247-9ffe-828868da971c', '6b751403-e980-4917-a117-911ea6ea9032', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_success', 'proactive', NULL, '2027-11-20 00:02:01', NULL, '2026-11-20 00:02:01.500000'),
    ('f88c1afa-7f0a-42c1-9959-50f1890ca5e3', '5a670226-b0da-4a9b-bd12-0f487ac3e173', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_start', 'proactive', NULL, NULL, NULL, '2026-11-20 00:03:00'),
    ('3d6e380b-180d-46e3-9a9f-a282133b63e6', '5a670226-b0da-4a9b-bd12-0f487ac3e173', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_success', 'proactive', NULL, '2027-11-20 00:03:01', NULL, '2026-11-20 00:03:01.500000'),
    ('9938d17e-9f48-478d-aeca-73cae530cddf', '6122ff86-a6cb-4792-a0e4-21b5ce2745b0', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_start', 'proactive', NULL, NULL, NULL, '2026-11-20 00:04:00'),
    ('2eac7c6d-acad-4b5f-a048-f1ca9d3a93d6', '6122ff86-a6cb-4792-a0e4-21b5ce2745b0', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_success', 'proactive', NULL, '2027-11-20 00:04:01', NULL, '2026-11-20 00:04:01.500000'),
    ('98ebdf65-f103-4f7b-b80a-e5b7fdb13a0e', 'e5551791-92f5-46b1-99ba-2f0b5dc68757', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_start', 'proactive', NULL, NULL, NULL, '2026-11-20 00:05:00'),
    ('810643b9-96b1-4e7d-b2be-96e5e3df7b89', 'e5551791-92f5-46b1-99ba-2f0b5dc68757', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_success', 'proactive', NULL, '2027-11-20 00:05:01', NULL, '2026-11-20 00:05:01.500000'),
    ('c771a327-e88a-47fe-8042-01bba8d5eacb', 'f8e14bba-7996-4ad7-a95f-b5e0c7bbebd1', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_start', 'proactive', NULL, NULL, NULL, '2026-11-20 00:06:00'),
    ('44b4d021-8add-41da-beb4-84a42e4de4bf', 'f8e14bba-7996-4ad7-a95f-b5e0c7bbebd1', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_success', 'proactive', NULL, '2027-11-20 00:06:01', NULL, '2026-11-20 00:06:01.500000');

-- The service as it is leaves the reason out: carried over.
INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('9695d066-ed8a-4c1d-8782-5e59736822d8', 'a043bd87-37c8-4147-b497-b7c7bca80206', 'a9d4448f-deb3-441d-a6de-e94d65f502d7', 'renewal_start', 'proactive', '2026-12-20 00:00:00', NULL, NULL, '2026-11-20 01:07:00'),
    ('818b39e7-6e99-4250-8bca-362dd7358eab', 'a043bd87-37c8-4147-b497-b7c7bca80206', 'a9d4448f-deb3-441d-a6de-e94d65f502d7', 'renewal_success', NULL, '2026-12-20 00:00:00', '2027-11-20 01:07:00', NULL, '2026-11-20 01:07:00.250000'),
    ('e60c7189-fa84-4279-9201-006117133eee', '507674dd-2496-4d92-8ce0-4ded2c37b517', 'a9d4448f-deb3-441d-a6de-e94d65f502d7', 'renewal_start', 'proactive', '2026-12-20 00:00:00', NULL, NULL, '2026-11-20 01:08:00'),
    ('6dbf359a-b45c-4eda-84ac-69c8aeec64b8', '507674dd-2496-4d92-8ce0-4ded2c37b517', 'a9d4448f-deb3-441d-a6de-e94d65f502d7', 'renewal_success', NULL, '2026-12-20 00:00:00', '2027-11-20 01:08:00', NULL, '2026-11-20 01:08:00.250000'),
    ('3c220c4a-4159-4965-b11b-97d928b3a187', '6ea63367-66dd-408d-8ce3-0ef61a1e0596', 'a9d4448f-deb3-441d-a6de-e94d65f502d7', 'renewal_start', 'proactive', '2026-12-20 00:00:00', NULL, NULL, '2026-11-20 01:09:00'),
    ('cb32c543-6e61-4f59-8c3c-ad34b3ec75a9', '6ea63367-66dd-408d-8ce3-0ef61a1e0596', 'a9d4448f-deb3-441d-a6de-e94d65f502d7', 'renewal_success', NULL, '2026-12-20 00:00:00', '2027-11-20 01:09:00', NULL, '2026-11-20 01:09:00.250000');

-- Recovery: success, failure then success, failure to sign.
INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('911ddd56-20aa-4fef-a56f-daaa310bdeb2', '0278fc21-48b8-45f4-9a73-86a2852962df', 'a9d4448f-deb3-441d-a6de-e94d65f502d7', 'recovery_start', 'expired', '2026-11-01 00:00:00', NULL, NULL, '2026-11-20 02:00:00'),
    ('726b9448-b6b3-447e-b18f-c9b65581f6f3', '0278fc21-48b8-45f4-9a73-86a2852962df', 'a9d4448f-deb3-441d-a6de-e94d65f502d7', 'recovery_success', 'expired', '2026-11-01 00:00:00', '2027-11-20 02:00:30', NULL, '2026-11-20 02:00:30'),
    ('94fcbc7b-4164-4fff-8b5f-e3099ee58098', 'ec46cf97-1f61-41af-b1ff-8513532642d1', 'a9d4448f-deb3-441d-a6de-e94d65f502d7', 'recovery_start', 'expired', '2026-11-05 00:00:00', NULL, NULL, '2026-11-20 02:10:00'),
    ('1db65b63-3252-4043-b3e9-c1db34a442fd', 'ec46cf97-1f61-41af-b1ff-8513532642d1', 'a9d4448f-deb3-441d-a6de-e94d65f502d7', 'recovery_failed', 'expired', '2026-11-05 00:00:00', NULL, 'recovery request without peer certificate must include TPM attestation', '2026-11-20 02:10:00.004000'),
    ('f6a52aee-5c94-4d73-b2bb-95dd33892eb3', 'ec46cf97-1f61-41af-b1ff-8513532642d1', 'a9d4448f-deb3-441d-a6de-e94d65f502d7', 'recovery_success', NULL, '2026-11-05 00:00:00', '2027-11-20 06:10:00', NULL, '2026-11-20 06:10:00'),
    ('f8cea3bf-df65-4965-9f90-8fac189c5272', '9bd786f9-7136-4991-bbb6-8f6e49874dbb', 'a9d4448f-deb3-441d-a6de-e94d65f502d7', 'recovery_start', 'expired', '2026-10-05 00:00:00', NULL, NULL, '2026-11-20 02:20:00'),
    ('370bda6e-601a-4481-8149-4ccdbd3f38b8', '9bd786f9-7136-4991-bbb6-8f6e49874dbb', 'a9d4448f-deb3-441d-a6de-e94d65f502d7', 'renewal_failed', NULL, '2026-10-05 00:00:00', NULL, E'failed to sign certificate\nsigner: flightctl.io/enrollment\nstatus: 503', '2026-11-20 02:20:01');

-- A start without a reason leaves its outcome without one.
INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('f3b992f1-826c-4cc5-91fb-32679a043d71', '5f8b4988-6396-44c0-a6b4-6d9fff1d6a83', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_start', NULL, '2027-11-20 00:01:01', NULL, NULL, '2026-11-20 03:00:00'),
    ('937517ab-bf03-4bb3-afca-bda8012799b1', '5f8b4988-6396-44c0-a6b4-6d9fff1d6a83', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_failed', NULL, '2027-11-20 00:01:01', NULL, 'certificate request denied', '2026-11-20 03:00:02');

-- An orphan success, and a start after it.
INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('b0e5ca0e-54ad-4b0d-85c4-be4b10ac488f', '6b751403-e980-4917-a117-911ea6ea9032', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_success', NULL, '2027-11-20 00:02:01', '2027-11-20 03:30:00', NULL, '2026-11-20 03:30:00'),
    ('54655ae8-95c3-41e1-9c8d-ef97df89b656', '6b751403-e980-4917-a117-911ea6ea9032', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_start', 'proactive', '2027-11-20 03:30:00', NULL, NULL, '2026-11-20 03:31:00');

-- One instant, ten rows.
INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('06030e32-f859-4f6a-91eb-58c052bade75', '5f8b4988-6396-44c0-a6b4-6d9fff1d6a83', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_failed', NULL, NULL, NULL, 'failed to sign certificate: context deadline exceeded', '2026-11-20 04:00:00'),
    ('c4de11f2-105a-475d-91e8-fc3ef40077cb', '6b751403-e980-4917-a117-911ea6ea9032', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_failed', NULL, NULL, NULL, 'failed to sign certificate: context deadline exceeded', '2026-11-20 04:00:00'),
    ('216a6eda-e9ca-478b-8989-e7d4be62f83e', '5a670226-b0da-4a9b-bd12-0f487ac3e173', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_failed', NULL, NULL, NULL, 'failed to sign certificate: context deadline exceeded', '2026-11-20 04:00:00'),
    ('d7ae6966-9fcc-4c11-a971-c83104748abc', '6122ff86-a6cb-4792-a0e4-21b5ce2745b0', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_failed', NULL, NULL, NULL, 'failed to sign certificate: context deadline exceeded', '2026-11-20 04:00:00'),
    ('7eb1a43b-c0d7-4453-9d78-7c7a2ffcb9d3', 'e5551791-92f5-46b1-99ba-2f0b5dc68757', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_failed', NULL, NULL, NULL, 'failed to sign certificate: context deadline exceeded', '2026-11-20 04:00:00'),
    ('cef242af-4905-43f8-a420-cce09f4fac6a', 'f8e14bba-7996-4ad7-a95f-b5e0c7bbebd1', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_failed', NULL, NULL, NULL, 'failed to sign certificate: context deadline exceeded', '2026-11-20 04:00:00'),
    ('3d39cc12-9c1d-43a0-88f4-0715258c5d70', 'a043bd87-37c8-4147-b497-b7c7bca80206', 'a9d4448f-deb3-441d-a6de-e94d65f502d7', 'renewal_failed', NULL, NULL, NULL, 'failed to sign certificate: context deadline exceeded', '2026-11-20 04:00:00'),
    ('b698ed03-91aa-4064-8fbd-ebc0a5ac27e3', '507674dd-2496-4d92-8ce0-4ded2c37b517', 'a9d4448f-deb3-441d-a6de-e94d65f502d7', 'renewal_failed', NULL, NULL, NULL, 'failed to sign certificate: context deadline exceeded', '2026-11-20 04:00:00'),
    ('0205f07a-b67b-41f9-988e-2b8ea4145e6b', '6ea63367-66dd-408d-8ce3-0ef61a1e0596', 'a9d4448f-deb3-441d-a6de-e94d65f502d7', 'renewal_failed', NULL, NULL, NULL, 'failed to sign certificate: context deadline exceeded', '2026-11-20 04:00:00'),
    ('0ab1be3a-5c02-438e-bcb7-893c26421ad8', '0278fc21-48b8-45f4-9a73-86a2852962df', 'a9d4448f-deb3-441d-a6de-e94d65f502d7', 'renewal_failed', NULL, NULL, NULL, 'failed to sign certificate: context deadline exceeded', '2026-11-20 04:00:00');

-- Hostile text.
INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('1c68e88f-5346-4b04-9525-b893e502f6e6', '5a670226-b0da-4a9b-bd12-0f487ac3e173', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_failed', 'proactive', NULL, NULL, E'\u001B[31mCSR denied\u001B[0m by \u001B]0;owned\u0007approver \u009B2J\u001B[2J\u001B[H', '2026-11-20 05:00:00'),
    ('6409e3fa-4b18-4d94-ab7b-9e581701eb20', '5a670226-b0da-4a9b-bd12-0f487ac3e173', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_failed', 'proactive', NULL, NULL, E'approver \u202Emoc.elpmaxe\u202C said \u2066no\u2069, \uFEFFzero\u200Bwidth, line\u2028separator', '2026-11-20 05:00:00.000001'),
    ('5123960b-9cfe-4d58-bc76-35f647910444', '5a670226-b0da-4a9b-bd12-0f487ac3e173', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_failed', 'proactive', NULL, NULL, E'tpm2:\terror\t0x9a2\r\n\tTPM_RC_POLICY_FAIL\r\n\n\n   indented, then a lone return\rover', '2026-11-20 05:00:00.000002'),
    ('1599be70-2276-419e-a0a9-5cc681ce8a8f', '5a670226-b0da-4a9b-bd12-0f487ac3e173', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_failed', 'proactive', NULL, NULL, E'🔥 signer outage 👩\u200D🔧 naïve café Ünïcode 証明書 é', '2026-11-20 05:00:00.000003'),
    ('b9946f1b-82c4-4e3f-a299-945ae16d7027', '5a670226-b0da-4a9b-bd12-0f487ac3e173', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_failed', 'proactive', NULL, NULL, 'x509: ' || repeat('certificate has expired or is not yet valid; ', 230), '2026-11-20 05:00:00.000004'),
    ('6657654c-039c-4de2-a15e-fb9de6252316', '5a670226-b0da-4a9b-bd12-0f487ac3e173', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_failed', 'proactive', NULL, NULL, '''); DROP TABLE certificate_renewal_events; --', '2026-11-20 05:00:00.000005');

-- The edges of time: before 1970, the last day of the calendar, an expiry that lies before its event.
INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('817ce0c1-e61b-40db-9ff3-09b2053559fa', '6122ff86-a6cb-4792-a0e4-21b5ce2745b0', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_success', 'proactive', '1969-12-31 23:59:59', '2027-11-20 05:30:00', NULL, '2026-11-20 05:30:00'),
    ('0a376a15-fe60-4834-a37b-695c4cdda6ff', '6122ff86-a6cb-4792-a0e4-21b5ce2745b0', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_success', 'proactive', '2027-11-20 05:30:00', '9999-12-31 23:59:59', NULL, '2026-11-20 05:30:01'),
    ('c7cba526-fea9-438f-a7be-cb54ffdeec96', '6122ff86-a6cb-4792-a0e4-21b5ce2745b0', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_success', 'proactive', '9999-12-31 23:59:59', '2026-11-20 05:30:01', NULL, '2026-11-20 05:30:02');

-- The ordinary end of the day.
INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('dafbb7dd-86d6-4eab-83cf-6baca7f2f616', 'a043bd87-37c8-4147-b497-b7c7bca80206', 'a9d4448f-deb3-441d-a6de-e94d65f502d7', 'renewal_start', 'proactive', '2027-11-20 00:00:00', NULL, NULL, '2026-11-20 05:40:07'),
    ('ef892cdb-e889-4558-a351-35e5c4ed4cd6', 'a043bd87-37c8-4147-b497-b7c7bca80206', 'a9d4448f-deb3-441d-a6de-e94d65f502d7', 'renewal_success', 'proactive', '2027-11-20 00:00:00', '2027-11-20 05:40:07', NULL, '2026-11-20 05:40:07.500000'),
    ('3025e0f3-b30c-4409-a891-eb234e0993a0', '507674dd-2496-4d92-8ce0-4ded2c37b517', 'a9d4448f-deb3-441d-a6de-e94d65f502d7', 'renewal_start', 'proactive', '2027-11-20 00:00:00', NULL, NULL, '2026-11-20 05:40:08'),
    ('59017ddd-429f-4ce0-a1d2-f0a3c3fb5d0a', '507674dd-2496-4d92-8ce0-4ded2c37b517', 'a9d4448f-deb3-441d-a6de-e94d65f502d7', 'renewal_success', 'proactive', '2027-11-20 00:00:00', '2027-11-20 05:40:08', NULL, '2026-11-20 05:40:08.500000'),
    ('ab2745ab-b81d-4b5f-9a6a-45be57848691', '6ea63367-66dd-408d-8ce3-0ef61a1e0596', 'a9d4448f-deb3-441d-a6de-e94d65f502d7', 'renewal_start', 'proactive', '2027-11-20 00:00:00', NULL, NULL, '2026-11-20 05:40:09'),
    ('da11a557-f502-4964-ac08-3cad429961c9', '6ea63367-66dd-408d-8ce3-0ef61a1e0596', 'a9d4448f-deb3-441d-a6de-e94d65f502d7', 'renewal_success', 'proactive', '2027-11-20 00:00:00', '2027-11-20 05:40:09', NULL, '2026-11-20 05:40:09.500000');

-- The history of a device that is deleted below, and that goes with it.
INSERT INTO certificate_renewal_events (id, device_id, org_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('24de9d81-44c3-4753-b3f9-47b7cbe96536', 'c9af4806-f91a-413f-a3fe-b8bcab3fc03c', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_start', 'proactive', '2026-12-01 00:00:00', NULL, NULL, '2026-11-20 05:45:00'),
    ('8bdb28ce-421b-40c1-a2f5-4f47f48f4af4', 'c9af4806-f91a-413f-a3fe-b8bcab3fc03c', '3d69f9e9-93e2-4c74-9d80-177a0a66f187', 'renewal_failed', NULL, '2026-12-01 00:00:00', NULL, 'never to be seen', '2026-11-20 05:45:01');

-- The cascade takes the device's two rows along.
DELETE FROM devices WHERE id = 'c9af4806-f91a-413f-a3fe-b8bcab3fc03c';
