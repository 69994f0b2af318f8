-- The table of Flight Control's requirements document: no organization, a device that may be missing, two indexes, a primary
-- key without default, a foreign key without cascade. The directory has ids and nothing else, so there are no names.
-- created_at was written through connections whose TimeZone is America/New_York; expiries are UTC.

CREATE TABLE devices (
    id                        uuid PRIMARY KEY,
    certificate_expiration    timestamp,
    certificate_last_renewed  timestamp,
    certificate_renewal_count integer DEFAULT 0,
    certificate_fingerprint   text
);
CREATE INDEX idx_devices_cert_expiration ON devices (certificate_expiration);

CREATE TABLE certificate_renewal_events (
    id                  uuid PRIMARY KEY,
    device_id           uuid REFERENCES devices (id),
    event_type          text NOT NULL,
    reason              text,
    old_cert_expiration timestamp,
    new_cert_expiration timestamp,
    error_message       text,
    created_at          timestamp NOT NULL DEFAULT now()
);
CREATE INDEX idx_cert_renewal_events_device ON certificate_renewal_events (device_id);
CREATE INDEX idx_cert_renewal_events_created ON certificate_renewal_events (created_at);

INSERT INTO devices (id) VALUES
    ('91db5c34-91f2-41d9-a967-b0d0d967c5c9'),
    ('ff292b97-e1e4-4711-928f-18098987a6ad'),
    ('f80a99ce-bf4d-4110-b251-17161481bbc4'),
    ('7c3792f6-df1b-4058-aeeb-ebcb0146abdb'),
    ('fb407890-5a87-4143-b342-7f060543852b'),
    ('8118805c-42c7-4973-af60-86522599549b'),
    ('d5184eb8-d89f-498b-b283-bda226ee8134'),
    ('31d283c8-66aa-4019-8649-b3dcdd45ff14'),
    ('8e09928b-d2f9-41a8-8196-b886315654b1'),
    ('4ad86717-561b-40ce-a189-c4ff9eef96af'),
    ('3af3ebe4-a055-4542-b9cb-baf462868751'),
    ('3fd41eb9-a2ab-4b2c-9dd3-1d6ac33eb238');

-- Summer time in New York: read as UTC these stand four hours early.
INSERT INTO certificate_renewal_events (id, device_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('aa179cb4-40d6-43f0-b1ec-d2982d0f7328', '91db5c34-91f2-41d9-a967-b0d0d967c5c9', 'renewal_start', 'proactive', '2026-11-29 00:00:00', NULL, NULL, '2026-10-30 20:01:00.000001'),
    ('c47812e4-bed9-4364-a747-abbd65425f8c', '91db5c34-91f2-41d9-a967-b0d0d967c5c9', 'renewal_success', NULL, '2026-11-29 00:00:00', '2027-10-31 00:01:02', NULL, '2026-10-30 20:01:02'),
    ('c2fbfaa7-71d1-49dd-b672-4f592e1df8ab', 'ff292b97-e1e4-4711-928f-18098987a6ad', 'renewal_start', 'proactive', '2026-11-29 00:00:00', NULL, NULL, '2026-10-30 20:02:00.000002'),
    ('eb003ece-66dd-460d-b41e-c12ebd686b60', 'ff292b97-e1e4-4711-928f-18098987a6ad', 'renewal_success', NULL, '2026-11-29 00:00:00', '2027-10-31 00:02:02', NULL, '2026-10-30 20:02:02'),
    ('e1c1f86d-c022-4ca4-aebe-2aadec3c78ea', 'f80a99ce-bf4d-4110-b251-17161481bbc4', 'renewal_start', 'proactive', '2026-11-29 00:00:00', NULL, NULL, '2026-10-30 20:03:00.000003'),
    ('952c4271-bcf5-492f-a89b-8f8603baa2fe', 'f80a99ce-bf4d-4110-b251-17161481bbc4', 'renewal_success', NULL, '2026-11-29 00:00:00', '2027-10-31 00:03:02', NULL, '2026-10-30 20:03:02'),
    ('93c3ba99-151f-43ee-a464-ff5635291e5c', '7c3792f6-df1b-4058-aeeb-ebcb0146abdb', 'renewal_start', 'proactive', '2026-11-29 00:00:00', NULL, NULL, '2026-10-30 20:04:00.000004'),
    ('b1fd60ec-4436-46b5-8282-52b6e88a5a05', '7c3792f6-df1b-4058-aeeb-ebcb0146abdb', 'renewal_success', NULL, '2026-11-29 00:00:00', '2027-10-31 00:04:02', NULL, '2026-10-30 20:04:02'),
    ('c12b1751-7011-456d-aac7-3c5b808da916', 'fb407890-5a87-4143-b342-7f060543852b', 'renewal_start', 'proactive', '2026-11-29 00:00:00', NULL, NULL, '2026-10-30 20:05:00.000005'),
    ('554d8605-6d86-45b8-a42a-e39f7d210956', 'fb407890-5a87-4143-b342-7f060543852b', 'renewal_success', NULL, '2026-11-29 00:00:00', '2027-10-31 00:05:02', NULL, '2026-10-30 20:05:02'),
    ('3a540ba2-14a4-46cc-aa77-4b15b64953f0', '8118805c-42c7-4973-af60-86522599549b', 'renewal_start', 'proactive', '2026-11-29 00:00:00', NULL, NULL, '2026-10-30 20:06:00.000006'),
    ('0b49b8f2-df42-4b31-8e57-8089df807265', '8118805c-42c7-4973-af60-86522599549b', 'renewal_success', NULL, '2026-11-29 00:00:00', '2027-10-31 00:06:02', NULL, '2026-10-30 20:06:02');

-- The night in which the clocks go back, without the hour that comes twice: 00:59:59 is 04:59:59 UTC, 02:00:00 is 07:00:00 UTC.
INSERT INTO certificate_renewal_events (id, device_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('21463c1a-33be-42e1-a431-00f3b6fc4b89', 'd5184eb8-d89f-498b-b283-bda226ee8134', 'renewal_start', 'proactive', '2026-12-01 00:00:00', NULL, NULL, '2026-11-01 00:59:59.999999'),
    ('64489d26-e497-469b-ace9-665ec19aa1ea', 'd5184eb8-d89f-498b-b283-bda226ee8134', 'renewal_success', NULL, '2026-12-01 00:00:00', '2027-11-01 07:00:00', NULL, '2026-11-01 02:00:00');

-- Winter time: five hours early.
INSERT INTO certificate_renewal_events (id, device_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('7de88a0c-7add-4216-bb92-95db5175aba2', '91db5c34-91f2-41d9-a967-b0d0d967c5c9', 'renewal_failed', NULL, '2027-10-31 00:00:00', NULL, 'failed to sign certificate for CSR "edge-0001-0badcafe": connection refused', '2026-11-19 19:01:00'),
    ('a7003524-058d-49cb-a013-c2a76628a93e', 'ff292b97-e1e4-4711-928f-18098987a6ad', 'renewal_failed', NULL, '2027-10-31 00:00:00', NULL, 'failed to sign certificate for CSR "edge-0002-0badcafe": connection refused', '2026-11-19 19:02:00'),
    ('16808e21-94a0-4e71-84a4-e51221c07c89', 'f80a99ce-bf4d-4110-b251-17161481bbc4', 'renewal_failed', NULL, '2027-10-31 00:00:00', NULL, 'failed to sign certificate for CSR "edge-0003-0badcafe": connection refused', '2026-11-19 19:03:00'),
    ('109f48cb-71f2-4bff-a0ac-543f84f0a93c', '7c3792f6-df1b-4058-aeeb-ebcb0146abdb', 'renewal_failed', NULL, '2027-10-31 00:00:00', NULL, 'failed to sign certificate for CSR "edge-0004-0badcafe": connection refused', '2026-11-19 19:04:00'),
    ('740d4acd-64d4-4554-be52-e4950c8429bf', 'fb407890-5a87-4143-b342-7f060543852b', 'renewal_failed', NULL, '2027-10-31 00:00:00', NULL, 'failed to sign certificate for CSR "edge-0005-0badcafe": connection refused', '2026-11-19 19:05:00'),
    ('853aa81e-c7f3-4a70-bf8e-7254a92aeba1', '8118805c-42c7-4973-af60-86522599549b', 'renewal_failed', NULL, '2027-10-31 00:00:00', NULL, 'failed to sign certificate for CSR "edge-0006-0badcafe": connection refused', '2026-11-19 19:06:00');

-- Rows without a device: the column allows it. Nothing can be carried over to them.
INSERT INTO certificate_renewal_events (id, device_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('131345c5-b517-4e68-820d-03265e1fec87', NULL, 'renewal_start', 'proactive', '2026-12-01 00:00:00', NULL, NULL, '2026-11-19 20:00:00'),
    ('cbb5b42c-9c39-4109-ab76-1a17a8ec417f', NULL, 'renewal_success', NULL, '2026-12-01 00:00:00', '2027-11-20 01:00:01', NULL, '2026-11-19 20:00:01'),
    ('d12c9c9c-838a-456e-8c8e-1a3329955f2a', NULL, 'renewal_failed', NULL, NULL, NULL, 'device not found', '2026-11-19 20:00:02');

-- Recovery; this form announces no recovery_failed, its column takes any text.
INSERT INTO certificate_renewal_events (id, device_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('f684f1bb-131e-40a0-b0e5-0d3603c563a1', '31d283c8-66aa-4019-8649-b3dcdd45ff14', 'recovery_start', 'expired', '2026-11-01 00:00:00', NULL, NULL, '2026-11-19 21:00:00'),
    ('c9668b7e-1655-4765-97af-f553e9462217', '31d283c8-66aa-4019-8649-b3dcdd45ff14', 'recovery_success', NULL, '2026-11-01 00:00:00', '2027-11-20 02:00:10', NULL, '2026-11-19 21:00:10'),
    ('59a715e3-96bf-4e63-9a31-ae9e5e0cd698', '8e09928b-d2f9-41a8-8196-b886315654b1', 'recovery_start', 'expired', '2026-11-01 00:00:00', NULL, NULL, '2026-11-19 21:10:00'),
    ('53a2e58c-7a71-4778-aefc-ca52c4ed5aa3', '8e09928b-d2f9-41a8-8196-b886315654b1', 'renewal_failed', NULL, '2026-11-01 00:00:00', NULL, 'failed to sign certificate', '2026-11-19 21:10:10'),
    ('9797512a-ebc1-4dbd-8492-e6d4212e5074', '8e09928b-d2f9-41a8-8196-b886315654b1', 'recovery_failed', 'expired', '2026-11-01 00:00:00', NULL, 'TPM attestation failed', '2026-11-19 21:20:00'),
    ('f50e052a-b24d-48b5-8d5f-ff73da52248b', '8e09928b-d2f9-41a8-8196-b886315654b1', 'enrollment_renewed', 'manual', NULL, '2027-11-20 02:30:00', NULL, '2026-11-19 21:30:00');

-- One instant, ten devices.
INSERT INTO certificate_renewal_events (id, device_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('476b2a7b-b7a2-4e57-ba54-5ed182955f1f', '91db5c34-91f2-41d9-a967-b0d0d967c5c9', 'renewal_failed', NULL, NULL, NULL, 'context deadline exceeded', '2026-11-19 22:00:00.123456'),
    ('59e56574-3461-4229-ac0b-a7a03a15cc13', 'ff292b97-e1e4-4711-928f-18098987a6ad', 'renewal_failed', NULL, NULL, NULL, 'context deadline exceeded', '2026-11-19 22:00:00.123456'),
    ('e62a2db8-a951-4035-8fd1-496d9bfc5fe7', 'f80a99ce-bf4d-4110-b251-17161481bbc4', 'renewal_failed', NULL, NULL, NULL, 'context deadline exceeded', '2026-11-19 22:00:00.123456'),
    ('a5224828-0b1e-45e6-aac5-7a9480f0c5c4', '7c3792f6-df1b-4058-aeeb-ebcb0146abdb', 'renewal_failed', NULL, NULL, NULL, 'context deadline exceeded', '2026-11-19 22:00:00.123456'),
    ('9e09505f-4ff2-4edf-942d-0de3d446ee3b', 'fb407890-5a87-4143-b342-7f060543852b', 'renewal_failed', NULL, NULL, NULL, 'context deadline exceeded', '2026-11-19 22:00:00.123456'),
    ('343f06f4-628d-476b-80cc-86ed9f5c9ed5', '8118805c-42c7-4973-af60-86522599549b', 'renewal_failed', NULL, NULL, NULL, 'context deadline exceeded', '2026-11-19 22:00:00.123456'),
    ('554f2675-803d-4122-add1-5c40baba92ed', 'd5184eb8-d89f-498b-b283-bda226ee8134', 'renewal_failed', NULL, NULL, NULL, 'context deadline exceeded', '2026-11-19 22:00:00.123456'),
    ('4f807f72-1ff8-4b06-866c-0546fad1cc16', '31d283c8-66aa-4019-8649-b3dcdd45ff14', 'renewal_failed', NULL, NULL, NULL, 'context deadline exceeded', '2026-11-19 22:00:00.123456'),
    ('2d3d181b-b9b5-4825-9481-0f9ca1bf0003', '8e09928b-d2f9-41a8-8196-b886315654b1', 'renewal_failed', NULL, NULL, NULL, 'context deadline exceeded', '2026-11-19 22:00:00.123456'),
    ('9e620b93-1dea-438e-9cfe-e1cc6697aede', '4ad86717-561b-40ce-a189-c4ff9eef96af', 'renewal_failed', NULL, NULL, NULL, 'context deadline exceeded', '2026-11-19 22:00:00.123456');

-- Hostile text.
INSERT INTO certificate_renewal_events (id, device_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('e53ccc33-e0bb-4adc-8f3f-6bd210c737f6', '4ad86717-561b-40ce-a189-c4ff9eef96af', 'renewal_failed', 'proactive', NULL, NULL, E'\u001B[31mCSR denied\u001B[0m by \u001B]0;owned\u0007approver \u009B2J\u001B[2J\u001B[H', '2026-11-19 23:00:00'),
    ('1a6bf2f8-7c45-4f9f-94b9-f7efae7c5f09', '4ad86717-561b-40ce-a189-c4ff9eef96af', 'renewal_failed', 'proactive', NULL, NULL, E'approver \u202Emoc.elpmaxe\u202C said \u2066no\u2069, \uFEFFzero\u200Bwidth, line\u2028separator', '2026-11-19 23:00:00.000001'),
    ('a6cac53e-97fb-4cd9-b9ed-78e07d88b213', '4ad86717-561b-40ce-a189-c4ff9eef96af', 'renewal_failed', 'proactive', NULL, NULL, E'tpm2:\terror\t0x9a2\r\n\tTPM_RC_POLICY_FAIL\r\n\n\n   indented, then a lone return\rover', '2026-11-19 23:00:00.000002'),
    ('65affc04-1e46-42a1-8631-d7b361c308e4', '4ad86717-561b-40ce-a189-c4ff9eef96af', 'renewal_failed', 'proactive', NULL, NULL, E'🔥 signer outage 👩\u200D🔧 naïve café Ünïcode 証明書 é', '2026-11-19 23:00:00.000003'),
    ('49cca6a1-8f7a-40dc-b235-3fdd471c92c2', '4ad86717-561b-40ce-a189-c4ff9eef96af', 'renewal_failed', 'proactive', NULL, NULL, repeat('0123456789abcdef', 640), '2026-11-19 23:00:00.000004');

-- The ordinary end of the day.
INSERT INTO certificate_renewal_events (id, device_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('8c8ed772-dd4d-4ad3-a4c6-0ab7cd86d89a', '91db5c34-91f2-41d9-a967-b0d0d967c5c9', 'renewal_start', 'proactive', '2026-11-29 00:00:00', NULL, NULL, '2026-11-19 23:30:01'),
    ('e23173a5-2c5e-499b-a0d8-bf6837f6a726', '91db5c34-91f2-41d9-a967-b0d0d967c5c9', 'renewal_success', 'proactive', '2026-11-29 00:00:00', '2027-11-20 04:30:01', NULL, '2026-11-19 23:30:01.500000'),
    ('1009b20d-64d8-44e7-ba63-a05365d53a20', 'ff292b97-e1e4-4711-928f-18098987a6ad', 'renewal_start', 'proactive', '2026-11-29 00:00:00', NULL, NULL, '2026-11-19 23:30:02'),
    ('9bc58c95-a879-4f09-9b1c-0030d8cf4d17', 'ff292b97-e1e4-4711-928f-18098987a6ad', 'renewal_success', 'proactive', '2026-11-29 00:00:00', '2027-11-20 04:30:02', NULL, '2026-11-19 23:30:02.500000'),
    ('a68556b5-03ba-4135-895b-42ca672606c3', 'f80a99ce-bf4d-4110-b251-17161481bbc4', 'renewal_start', 'proactive', '2026-11-29 00:00:00', NULL, NULL, '2026-11-19 23:30:03'),
    ('b8ae622b-ca9f-4b79-81fa-9ce36cb3134a', 'f80a99ce-bf4d-4110-b251-17161481bbc4', 'renewal_success', 'proactive', '2026-11-29 00:00:00', '2027-11-20 04:30:03', NULL, '2026-11-19 23:30:03.500000'),
    ('a3149e75-e6fc-4e97-a627-c847ff365cd2', '7c3792f6-df1b-4058-aeeb-ebcb0146abdb', 'renewal_start', 'proactive', '2026-11-29 00:00:00', NULL, NULL, '2026-11-19 23:30:04'),
    ('56f3d3e3-f970-410a-95e7-f0f9c9e323c2', '7c3792f6-df1b-4058-aeeb-ebcb0146abdb', 'renewal_success', 'proactive', '2026-11-29 00:00:00', '2027-11-20 04:30:04', NULL, '2026-11-19 23:30:04.500000');

-- Orphans.
INSERT INTO certificate_renewal_events (id, device_id, event_type, reason, old_cert_expiration, new_cert_expiration, error_message, created_at) VALUES
    ('81ed6583-8e61-4971-a394-10222543cd12', '3af3ebe4-a055-4542-b9cb-baf462868751', 'renewal_success', NULL, NULL, '2027-11-20 05:00:00', NULL, '2026-11-20 00:00:00'),
    ('479245fc-6f9d-48b7-96ff-8119a719b577', '3fd41eb9-a2ab-4b2c-9dd3-1d6ac33eb238', 'recovery_success', NULL, '2026-10-01 00:00:00', '2027-11-20 05:00:01', NULL, '2026-11-20 00:00:01');
