-- The AWS certificate assistant's tables, as far as its audit log needs them, and two that nobody may read.

CREATE TABLE users (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email         varchar(255) NOT NULL UNIQUE,
    organization  varchar(100),
    role          varchar(50) NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'approver', 'admin', 'auditor')),
    is_active     boolean NOT NULL DEFAULT true,
    created_at    timestamptz NOT NULL DEFAULT now(),
    deleted_at    timestamptz
);

CREATE TABLE certificate_requests (
    id                 uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    request_number     varchar(20) NOT NULL UNIQUE,
    user_id            uuid NOT NULL REFERENCES users (id),
    approver_id        uuid REFERENCES users (id),
    common_name        varchar(255) NOT NULL,
    organization       varchar(255),
    status             varchar(50) NOT NULL DEFAULT 'draft'
        CHECK (status IN ('draft', 'pending_approval', 'approved', 'in_progress', 'issued', 'rejected', 'failed', 'cancelled', 'revoked')),
    adcs_error_message text,
    retry_count        integer DEFAULT 0,
    created_at         timestamptz NOT NULL DEFAULT now(),
    deleted_at         timestamptz
);
CREATE INDEX idx_requests_user_id ON certificate_requests (user_id);
CREATE INDEX idx_requests_status ON certificate_requests (status);
CREATE INDEX idx_requests_common_name ON certificate_requests (common_name);

CREATE TABLE certificates (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    request_id    uuid NOT NULL REFERENCES certificate_requests (id),
    user_id       uuid NOT NULL REFERENCES users (id),
    serial_number varchar(100) NOT NULL UNIQUE,
    common_name   varchar(255) NOT NULL,
    valid_from    timestamptz NOT NULL,
    valid_to      timestamptz NOT NULL,
    status        varchar(20) NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'revoked', 'expired', 'suspended')),
    created_at    timestamptz NOT NULL DEFAULT now(),
    deleted_at    timestamptz
);
CREATE INDEX idx_certificates_request_id ON certificates (request_id);
CREATE INDEX idx_certificates_user_id ON certificates (user_id);
CREATE INDEX idx_certificates_serial_number ON certificates (serial_number);
CREATE INDEX idx_certificates_common_name ON certificates (common_name);
CREATE INDEX idx_certificates_status ON certificates (status);
CREATE INDEX idx_certificates_valid_to ON certificates (valid_to);
CREATE INDEX idx_certificates_deleted_at ON certificates (deleted_at);
CREATE INDEX idx_certificates_active_expiring ON certificates (valid_to) WHERE status = 'active' AND deleted_at IS NULL;

CREATE TABLE certificate_revocations (
    id                 uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    certificate_id     uuid NOT NULL REFERENCES certificates (id),
    user_id            uuid NOT NULL REFERENCES users (id),
    reason_code        varchar(50) NOT NULL,
    revoked_at         timestamptz NOT NULL DEFAULT now(),
    adcs_error_message text
);

CREATE TABLE audit_logs (
    id                  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    event_type          varchar(100) NOT NULL,
    event_category      varchar(50) NOT NULL,
    severity            varchar(20) NOT NULL DEFAULT 'info' CHECK (severity IN ('debug', 'info', 'warning', 'error', 'critical')),
    user_id             uuid REFERENCES users (id),
    user_email          varchar(255),
    user_role           varchar(50),
    ip_address          inet,
    user_agent          text,
    session_id          varchar(100),
    resource_type       varchar(50),
    resource_id         uuid,
    resource_identifier varchar(255),
    action              varchar(100) NOT NULL,
    result              varchar(20) NOT NULL CHECK (result IN ('success', 'failure', 'partial')),
    error_message       text,
    metadata            jsonb,
    "timestamp"         timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_audit_logs_event_type ON audit_logs (event_type);
CREATE INDEX idx_audit_logs_event_category ON audit_logs (event_category);
CREATE INDEX idx_audit_logs_user_id ON audit_logs (user_id);
CREATE INDEX idx_audit_logs_timestamp ON audit_logs ("timestamp" DESC);
CREATE INDEX idx_audit_logs_resource_type ON audit_logs (resource_type);
CREATE INDEX idx_audit_logs_resource_id ON audit_logs (resource_id);
CREATE INDEX idx_audit_logs_result ON audit_logs (result);
CREATE INDEX idx_audit_logs_failures ON audit_logs ("timestamp" DESC) WHERE result = 'failure';
CREATE INDEX idx_audit_logs_metadata ON audit_logs USING gin (metadata);

-- Never to be read.
CREATE TABLE private_keys (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    certificate_id uuid NOT NULL REFERENCES certificates (id) ON DELETE CASCADE,
    encrypted_key  text NOT NULL
);
CREATE TABLE system_config (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    config_key   varchar(100) NOT NULL UNIQUE,
    config_value text NOT NULL,
    is_sensitive boolean DEFAULT false
);

INSERT INTO users (id, email, organization, role) VALUES
    ('6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'Example Corp', 'user'),
    ('fdc14754-77dd-4d80-839f-978df5ea6560', 'jane.smith@example.com', 'Example Corp', 'approver'),
    ('e243910f-33d4-44b8-97cc-dbd09555838f', 'kim@globex.example', 'Globex', 'user'),
    ('8c5ccce5-310e-406d-9a09-228ca99b30d7', 'nobody@example.net', NULL, 'user'),
    ('15372664-e779-4adb-91fb-be5aaefb57fa', 'admin@example.com', 'Example Corp', 'admin');

INSERT INTO certificate_requests (id, request_number, user_id, common_name, status, adcs_error_message, retry_count, created_at) VALUES
    ('5fa7ccb9-83a4-42b5-b3be-036676cae17f', 'REQ-20260110-00001', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'www.example.com', 'issued', NULL, 0, '2026-01-10 09:00:00+00'),
    ('e968a0ae-e114-44b9-9b86-208ea882f49f', 'REQ-20260401-00002', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'www.example.com', 'issued', NULL, 0, '2026-04-01 09:00:00+00'),
    ('2e186d33-8ae0-4ea0-82af-46c6a3a50109', 'REQ-20260915-00003', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'www.example.com', 'issued', NULL, 0, '2026-09-15 09:00:00+00'),
    ('3e476bc7-7606-46d6-a578-d132c384d8a6', 'REQ-20260916-00004', 'e243910f-33d4-44b8-97cc-dbd09555838f', 'www.example.com', 'issued', NULL, 0, '2026-09-16 09:00:00+00'),
    ('29ca15b3-3028-46af-ae98-e06034880fd2', 'REQ-20260917-00005', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'api.example.com', 'issued', NULL, 0, '2026-09-17 09:00:00+00'),
    ('c09c4bf7-6841-43c6-bff3-1e245f31f323', 'REQ-20261101-00006', 'e243910f-33d4-44b8-97cc-dbd09555838f', 'www.example.com', 'issued', 'CERTSRV_E_TEMPLATE_DENIED: The permissions on the certificate template do not allow the current user to enroll. 0x80094012', 2, '2026-11-01 09:00:00+00'),
    ('9864161e-2388-43b6-877d-6f26b95cc0f8', 'REQ-20261102-00007', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'api.example.com', 'failed', 'The RPC server is unavailable. 0x800706ba', 3, '2026-11-02 09:00:00+00'),
    ('a0384c5a-7d27-4afe-8eee-b850d3dcaaef', 'REQ-20261103-00008', '8c5ccce5-310e-406d-9a09-228ca99b30d7', 'vpn.example.net', 'failed', NULL, 0, '2026-11-03 09:00:00+00'),
    ('324d38bd-6c3d-4251-b299-be7fdf6c7bac', 'REQ-20261104-00009', '8c5ccce5-310e-406d-9a09-228ca99b30d7', 'mail.example.net', 'issued', NULL, 0, '2026-11-04 09:00:00+00'),
    ('bc8aadee-b284-4acf-b924-d9e6627374fa', 'REQ-20260601-00010', 'e243910f-33d4-44b8-97cc-dbd09555838f', 'db.globex.example', 'issued', NULL, 0, '2026-06-01 09:00:00+00'),
    ('47c73667-ada7-46d5-85ee-e1bbc245dd1e', 'REQ-20261105-00011', 'e243910f-33d4-44b8-97cc-dbd09555838f', 'db.globex.example', 'issued', NULL, 0, '2026-11-05 09:00:00+00');

INSERT INTO certificates (id, request_id, user_id, serial_number, common_name, valid_from, valid_to, status, created_at, deleted_at) VALUES
    ('b5188d22-c8dc-46ae-86c2-7bf7d909d48e', '5fa7ccb9-83a4-42b5-b3be-036676cae17f', '6044ccc8-616c-49b9-83bb-a2b741ead23f', '6100000001', 'www.example.com', '2026-01-10 10:00:00+00', '2026-04-10 10:00:00+00', 'expired', '2026-01-10 10:00:00+00', NULL),
    ('bad47901-bd6b-48eb-b5c4-167616d6b8df', 'e968a0ae-e114-44b9-9b86-208ea882f49f', '6044ccc8-616c-49b9-83bb-a2b741ead23f', '6100000002', 'www.example.com', '2026-04-01 10:00:00+00', '2026-09-28 10:00:00+00', 'revoked', '2026-04-01 10:00:00+00', NULL),
    ('d9b5c32d-ba1a-47a1-8c0e-8e072f50fa5c', '2e186d33-8ae0-4ea0-82af-46c6a3a50109', '6044ccc8-616c-49b9-83bb-a2b741ead23f', '6100000003', 'www.example.com', '2026-09-15 10:00:00.123456+00', '2027-09-15 10:00:00+00', 'active', '2026-09-15 10:00:00.123456+00', NULL),
    ('fd3119c8-d997-4f0a-a427-3be2648ea76f', '3e476bc7-7606-46d6-a578-d132c384d8a6', 'e243910f-33d4-44b8-97cc-dbd09555838f', '6100000004', 'www.example.com', '2026-09-16 10:00:00+00', '2026-12-15 10:00:00+00', 'active', '2026-09-16 10:00:00+00', NULL),
    ('6666341d-87a0-4db3-8f15-782c75c8a7e4', '29ca15b3-3028-46af-ae98-e06034880fd2', '6044ccc8-616c-49b9-83bb-a2b741ead23f', '6100000005', 'api.example.com', '2026-09-17 10:00:00+00', '2026-12-16 10:00:00+00', 'active', '2026-09-17 10:00:00+00', NULL),
    ('4a0b25d0-8ace-436a-ae15-650e2097452e', 'c09c4bf7-6841-43c6-bff3-1e245f31f323', 'e243910f-33d4-44b8-97cc-dbd09555838f', '6100000006', 'www.example.com', '2026-11-01 12:00:00+00', '2027-02-01 12:00:00+00', 'active', '2026-11-01 12:00:00+00', NULL),
    ('25634fd8-1805-450d-b35f-b86a97873759', '324d38bd-6c3d-4251-b299-be7fdf6c7bac', '8c5ccce5-310e-406d-9a09-228ca99b30d7', '6100000009', 'mail.example.net', '2026-11-04 10:00:00+00', '2026-12-04 10:00:00+00', 'suspended', '2026-11-04 10:00:00+00', NULL),
    ('aa291c2f-7654-4c6e-be4d-8fc3b6af0a0d', '324d38bd-6c3d-4251-b299-be7fdf6c7bac', '8c5ccce5-310e-406d-9a09-228ca99b30d7', '610000000A', 'mail.example.net', '2026-11-04 11:00:00+00', '2027-11-04 11:00:00+00', 'active', '2026-11-04 11:00:00+00', NULL),
    ('bd39e101-122f-4fc4-b04c-76105ebab3bd', 'bc8aadee-b284-4acf-b924-d9e6627374fa', 'e243910f-33d4-44b8-97cc-dbd09555838f', '6100000010', 'db.globex.example', '2026-06-01 10:00:00+00', '2026-11-28 10:00:00+00', 'active', '2026-06-01 10:00:00+00', '2026-11-01 00:00:00+00'),
    ('f1ff18af-212c-471f-b1f7-316ab7ec03f2', '47c73667-ada7-46d5-85ee-e1bbc245dd1e', 'e243910f-33d4-44b8-97cc-dbd09555838f', '6100000011', 'db.globex.example', '2026-11-05 10:00:00+00', '2027-05-04 10:00:00+00', 'active', '2026-11-05 10:00:00+00', NULL);

INSERT INTO certificate_revocations (id, certificate_id, user_id, reason_code, revoked_at, adcs_error_message) VALUES
    ('fd737173-e191-4efc-bf4b-c033b2daad99', 'bad47901-bd6b-48eb-b5c4-167616d6b8df', '15372664-e779-4adb-91fb-be5aaefb57fa', 'superseded', '2026-11-06 08:10:00+00', 'CRL publication failed');

INSERT INTO private_keys (id, certificate_id, encrypted_key) VALUES ('e40a637d-18b1-4c44-85fb-50532212cd9f', 'd9b5c32d-ba1a-47a1-8c0e-8e072f50fa5c', 'must never be read');
INSERT INTO system_config (id, config_key, config_value, is_sensitive) VALUES ('324a0ef0-d272-47b3-8c21-0640a161c663', 'adcs.server.password', 'must never be read', true);

-- A first certificate: requested, approved, issued, downloaded. Nothing came before it, so it is no renewal.
INSERT INTO audit_logs (id, event_type, event_category, severity, user_id, user_email, user_role, ip_address, user_agent, resource_type, resource_id, resource_identifier, action, result, error_message, metadata, "timestamp") VALUES
    ('11a45027-8284-4bb8-b748-a7b5d005b8db', 'request_created', 'request', 'info', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'user', NULL, NULL, 'request', '5fa7ccb9-83a4-42b5-b3be-036676cae17f', 'REQ-20260110-00001', 'create', 'success', NULL, '{"certificate_type": "web_server"}', '2026-01-10 09:00:00+00'),
    ('cde78bb3-9271-47b3-be71-445cb8e0edfd', 'request_approved', 'approval', 'info', 'fdc14754-77dd-4d80-839f-978df5ea6560', 'jane.smith@example.com', 'approver', NULL, NULL, 'request', '5fa7ccb9-83a4-42b5-b3be-036676cae17f', 'REQ-20260110-00001', 'approve', 'success', NULL, NULL, '2026-01-10 09:30:00+00'),
    ('4e46da14-8c2e-406d-bb08-792a319ee541', 'certificate_issued', 'certificate', 'info', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'user', NULL, NULL, 'certificate', 'b5188d22-c8dc-46ae-86c2-7bf7d909d48e', '6100000001', 'create', 'success', NULL, NULL, '2026-01-10 10:00:00.250000+00'),
    ('461f99ee-0b4d-4faf-ac45-8cf59f0edb9a', 'certificate_downloaded', 'certificate', 'info', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'user', NULL, NULL, 'certificate', 'b5188d22-c8dc-46ae-86c2-7bf7d909d48e', '6100000001', 'download', 'success', NULL, NULL, '2026-01-10 10:05:00+00');

-- A second and a third for the same user and name: renewals. The third is logged for its request, not for the certificate.
INSERT INTO audit_logs (id, event_type, event_category, severity, user_id, user_email, user_role, ip_address, user_agent, resource_type, resource_id, resource_identifier, action, result, error_message, metadata, "timestamp") VALUES
    ('c046b58c-22ce-4faa-a6b5-efc25d043b8d', 'request_created', 'request', 'info', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'user', NULL, NULL, 'request', 'e968a0ae-e114-44b9-9b86-208ea882f49f', 'REQ-20260401-00002', 'create', 'success', NULL, '{"certificate_type": "web_server"}', '2026-04-01 09:00:00+00'),
    ('5a107224-eb97-4f95-a294-04704e6c78f4', 'request_approved', 'approval', 'info', 'fdc14754-77dd-4d80-839f-978df5ea6560', 'jane.smith@example.com', 'approver', NULL, NULL, 'request', 'e968a0ae-e114-44b9-9b86-208ea882f49f', 'REQ-20260401-00002', 'approve', 'success', NULL, NULL, '2026-04-01 09:10:00+00'),
    ('6bc20189-7b00-4c99-83f2-b1c3c0d8dd90', 'certificate_issued', 'certificate', 'info', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'user', NULL, NULL, 'certificate', 'bad47901-bd6b-48eb-b5c4-167616d6b8df', '6100000002', 'create', 'success', NULL, NULL, '2026-04-01 10:00:00+00'),
    ('b5e7421d-ff8d-45cf-b66f-c1b31e2c48c4', 'request_created', 'request', 'info', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'user', NULL, NULL, 'request', '2e186d33-8ae0-4ea0-82af-46c6a3a50109', 'REQ-20260915-00003', 'create', 'success', NULL, '{"certificate_type": "web_server"}', '2026-09-15 09:00:00+00'),
    ('d51c97b3-2910-46e9-85f8-2bc67712ea10', 'certificate_issued', 'certificate', 'info', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'user', NULL, NULL, 'request', '2e186d33-8ae0-4ea0-82af-46c6a3a50109', 'REQ-20260915-00003', 'create', 'success', NULL, NULL, '2026-09-15 10:00:00.500000+00'),
    ('52e0ad2b-a2bf-4f99-9aec-cdd59667e767', 'certificate_downloaded', 'certificate', 'info', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'user', NULL, NULL, 'certificate', 'd9b5c32d-ba1a-47a1-8c0e-8e072f50fa5c', '6100000003', 'download', 'success', NULL, NULL, '2026-09-16 08:00:00+00');

-- The same name for another user, and another name for the same user: neither is a renewal.
INSERT INTO audit_logs (id, event_type, event_category, severity, user_id, user_email, user_role, ip_address, user_agent, resource_type, resource_id, resource_identifier, action, result, error_message, metadata, "timestamp") VALUES
    ('94d3cb1c-c04f-4e18-86f5-e9b63f91d59e', 'request_created', 'request', 'info', 'e243910f-33d4-44b8-97cc-dbd09555838f', 'kim@globex.example', 'user', NULL, NULL, 'request', '3e476bc7-7606-46d6-a578-d132c384d8a6', 'REQ-20260916-00004', 'create', 'success', NULL, '{"certificate_type": "web_server"}', '2026-09-16 09:00:00+00'),
    ('431e7544-ef2b-4f7f-b93a-98be36163121', 'certificate_issued', 'certificate', 'info', 'e243910f-33d4-44b8-97cc-dbd09555838f', 'kim@globex.example', 'user', NULL, NULL, 'certificate', 'fd3119c8-d997-4f0a-a427-3be2648ea76f', '6100000004', 'create', 'success', NULL, NULL, '2026-09-16 10:00:00+00'),
    ('dab4b8a4-364f-4de8-85b8-bc0c560898c5', 'request_created', 'request', 'info', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'user', NULL, NULL, 'request', '29ca15b3-3028-46af-ae98-e06034880fd2', 'REQ-20260917-00005', 'create', 'success', NULL, '{"certificate_type": "web_server"}', '2026-09-17 09:00:00+00'),
    ('26af61ac-9aae-4dfe-bf2a-4206743127b7', 'certificate_issued', 'certificate', 'info', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'user', NULL, NULL, 'certificate', '6666341d-87a0-4db3-8f15-782c75c8a7e4', '6100000005', 'create', 'success', NULL, NULL, '2026-09-17 10:00:00+00');

-- A request that the CA refused, tried again, and issued: its error stays in the request, and belongs to the failures only. The
-- first failure has its own error, the second leaves it to the request.
INSERT INTO audit_logs (id, event_type, event_category, severity, user_id, user_email, user_role, ip_address, user_agent, resource_type, resource_id, resource_identifier, action, result, error_message, metadata, "timestamp") VALUES
    ('ef3f41c2-5157-422a-8165-3f7865ccc352', 'request_created', 'request', 'info', 'e243910f-33d4-44b8-97cc-dbd09555838f', 'kim@globex.example', 'user', NULL, NULL, 'request', 'c09c4bf7-6841-43c6-bff3-1e245f31f323', 'REQ-20261101-00006', 'create', 'success', NULL, '{"certificate_type": "web_server"}', '2026-11-01 09:00:00+00'),
    ('ad51eee6-0fa3-485d-b78b-b48899ec43c2', 'certificate_issued', 'certificate', 'error', 'e243910f-33d4-44b8-97cc-dbd09555838f', 'kim@globex.example', 'user', NULL, NULL, 'request', 'c09c4bf7-6841-43c6-bff3-1e245f31f323', 'REQ-20261101-00006', 'create', 'failure', 'ADCS request timed out after 30 s', NULL, '2026-11-01 10:00:00+00'),
    ('ca15985e-ea32-4b0e-a05d-9fdd566bc808', 'certificate_issued', 'certificate', 'error', 'e243910f-33d4-44b8-97cc-dbd09555838f', 'kim@globex.example', 'user', NULL, NULL, 'request', 'c09c4bf7-6841-43c6-bff3-1e245f31f323', 'REQ-20261101-00006', 'create', 'failure', NULL, NULL, '2026-11-01 11:00:00+00'),
    ('fcc7d748-89c2-41fc-b8aa-993d73a961fe', 'certificate_issued', 'certificate', 'info', 'e243910f-33d4-44b8-97cc-dbd09555838f', 'kim@globex.example', 'user', NULL, NULL, 'certificate', '4a0b25d0-8ace-436a-ae15-650e2097452e', '6100000006', 'create', 'success', NULL, NULL, '2026-11-01 12:00:01+00');

-- Requests that failed for good, the error in the request, in the row, in both, in neither.
INSERT INTO audit_logs (id, event_type, event_category, severity, user_id, user_email, user_role, ip_address, user_agent, resource_type, resource_id, resource_identifier, action, result, error_message, metadata, "timestamp") VALUES
    ('4b1584a6-5ec3-4195-9e7e-ef96e16764b9', 'request_created', 'request', 'info', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'user', NULL, NULL, 'request', '9864161e-2388-43b6-877d-6f26b95cc0f8', 'REQ-20261102-00007', 'create', 'success', NULL, '{"certificate_type": "web_server"}', '2026-11-02 09:00:00+00'),
    ('12adf952-8f9a-4d0e-83cd-eab3317491df', 'certificate_issued', 'certificate', 'error', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'user', NULL, NULL, 'request', '9864161e-2388-43b6-877d-6f26b95cc0f8', 'REQ-20261102-00007', 'create', 'failure', NULL, NULL, '2026-11-02 09:30:00+00'),
    ('bc7d890c-70b4-4819-a268-46cb08f7230b', 'request_failed', 'request', 'error', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'user', NULL, NULL, 'request', '9864161e-2388-43b6-877d-6f26b95cc0f8', 'REQ-20261102-00007', 'update', 'failure', 'retries exhausted', NULL, '2026-11-02 09:45:00+00'),
    ('5ec0d30d-6502-4ed1-86dc-c996d449d717', 'certificate_issued', 'certificate', 'error', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'user', NULL, NULL, 'request', '9864161e-2388-43b6-877d-6f26b95cc0f8', 'REQ-20261102-00007', 'create', 'failure', '', NULL, '2026-11-02 09:50:00+00'),
    ('2a0c8b47-358b-418b-aef0-912c244bffd5', 'request_created', 'request', 'info', '8c5ccce5-310e-406d-9a09-228ca99b30d7', 'nobody@example.net', 'user', NULL, NULL, 'request', 'a0384c5a-7d27-4afe-8eee-b850d3dcaaef', 'REQ-20261103-00008', 'create', 'success', NULL, '{"certificate_type": "web_server"}', '2026-11-03 09:00:00+00'),
    ('6ebbac7f-0ffb-48f7-8ae5-f8eacc59188b', 'certificate_issued', 'certificate', 'error', '8c5ccce5-310e-406d-9a09-228ca99b30d7', 'nobody@example.net', 'user', NULL, NULL, 'request', 'a0384c5a-7d27-4afe-8eee-b850d3dcaaef', 'REQ-20261103-00008', 'create', 'failure', NULL, NULL, '2026-11-03 09:30:00+00'),
    ('477509cc-41b3-4b3c-a3bb-3ea2bf7386b8', 'certificate_issued', 'certificate', 'error', '8c5ccce5-310e-406d-9a09-228ca99b30d7', 'nobody@example.net', 'user', NULL, NULL, 'request', 'a0384c5a-7d27-4afe-8eee-b850d3dcaaef', 'REQ-20261103-00008', 'create', 'failure', E'line one\nline two\n\n\tat adcs.submit()', NULL, '2026-11-03 10:30:00+00');

-- A request with two certificates, issued again after a fault: its rows must not double. The later end counts.
INSERT INTO audit_logs (id, event_type, event_category, severity, user_id, user_email, user_role, ip_address, user_agent, resource_type, resource_id, resource_identifier, action, result, error_message, metadata, "timestamp") VALUES
    ('e24bf281-8170-4393-9f44-49b7bbbe301d', 'request_created', 'request', 'info', '8c5ccce5-310e-406d-9a09-228ca99b30d7', 'nobody@example.net', 'user', NULL, NULL, 'request', '324d38bd-6c3d-4251-b299-be7fdf6c7bac', 'REQ-20261104-00009', 'create', 'success', NULL, '{"certificate_type": "web_server"}', '2026-11-04 09:00:00+00'),
    ('0758bf3d-257c-4526-a147-fe2ec9ffd764', 'certificate_issued', 'certificate', 'info', '8c5ccce5-310e-406d-9a09-228ca99b30d7', 'nobody@example.net', 'user', NULL, NULL, 'certificate', '25634fd8-1805-450d-b35f-b86a97873759', '6100000009', 'create', 'success', NULL, NULL, '2026-11-04 10:00:00+00'),
    ('814a87de-a5f6-4357-91ce-e30f7eac3d68', 'certificate_issued', 'certificate', 'info', '8c5ccce5-310e-406d-9a09-228ca99b30d7', 'nobody@example.net', 'user', NULL, NULL, 'request', '324d38bd-6c3d-4251-b299-be7fdf6c7bac', 'REQ-20261104-00009', 'create', 'success', NULL, NULL, '2026-11-04 11:00:00+00');

-- A certificate that was soft-deleted is still the one that came before.
INSERT INTO audit_logs (id, event_type, event_category, severity, user_id, user_email, user_role, ip_address, user_agent, resource_type, resource_id, resource_identifier, action, result, error_message, metadata, "timestamp") VALUES
    ('3893abf6-fb6f-4221-8771-48cf96dea1ad', 'certificate_issued', 'certificate', 'info', 'e243910f-33d4-44b8-97cc-dbd09555838f', 'kim@globex.example', 'user', NULL, NULL, 'certificate', 'bd39e101-122f-4fc4-b04c-76105ebab3bd', '6100000010', 'create', 'success', NULL, NULL, '2026-06-01 10:00:00+00'),
    ('968011c4-3f3d-46cc-8220-496d60c55cd7', 'certificate_issued', 'certificate', 'info', 'e243910f-33d4-44b8-97cc-dbd09555838f', 'kim@globex.example', 'user', NULL, NULL, 'certificate', 'f1ff18af-212c-471f-b1f7-316ab7ec03f2', '6100000011', 'create', 'success', NULL, NULL, '2026-11-05 10:00:00+00');

-- Partial results keep their type, and so does what is neither certificate nor request.
INSERT INTO audit_logs (id, event_type, event_category, severity, user_id, user_email, user_role, ip_address, user_agent, resource_type, resource_id, resource_identifier, action, result, error_message, metadata, "timestamp") VALUES
    ('354f94a5-9e5e-4850-b185-acce03b53d7f', 'certificate_issued', 'certificate', 'warning', 'e243910f-33d4-44b8-97cc-dbd09555838f', 'kim@globex.example', 'user', NULL, NULL, 'certificate', 'f1ff18af-212c-471f-b1f7-316ab7ec03f2', '6100000011', 'create', 'partial', 'issued, but not uploaded to storage', NULL, '2026-11-06 08:00:00+00'),
    ('474a711c-b122-4dd7-80f9-c0f8515c94bd', 'certificate_revoked', 'certificate', 'warning', '15372664-e779-4adb-91fb-be5aaefb57fa', 'admin@example.com', 'admin', NULL, NULL, 'certificate', 'bad47901-bd6b-48eb-b5c4-167616d6b8df', '6100000002', 'revoke', 'partial', 'revoked in ADCS, CRL not updated', NULL, '2026-11-06 08:10:00+00'),
    ('c36111be-61d8-46b3-83c8-5b0c24a88b45', 'certificate_revoked', 'certificate', 'info', '15372664-e779-4adb-91fb-be5aaefb57fa', 'admin@example.com', 'admin', NULL, NULL, 'certificate', 'bad47901-bd6b-48eb-b5c4-167616d6b8df', '6100000002', 'revoke', 'success', NULL, NULL, '2026-11-06 08:20:00+00'),
    ('a76bc963-fc88-4fc6-91e4-dfc79ba1a6a6', 'approval_delegated', 'approval', 'warning', 'fdc14754-77dd-4d80-839f-978df5ea6560', 'jane.smith@example.com', 'approver', NULL, NULL, 'request', '9864161e-2388-43b6-877d-6f26b95cc0f8', 'REQ-20261102-00007', 'update', 'failure', 'delegate is not an approver', NULL, '2026-11-06 08:30:00+00'),
    ('ab411445-bf87-4e63-898b-45b7eabf902c', 'config_changed', 'system', 'critical', '15372664-e779-4adb-91fb-be5aaefb57fa', 'admin@example.com', 'admin', NULL, NULL, 'config', '324a0ef0-d272-47b3-8c21-0640a161c663', NULL, 'update', 'failure', 'value out of range', NULL, '2026-11-06 08:40:00+00'),
    ('421d5ece-c3f0-4702-88b9-e0877c383c0d', 'archive_run', 'system', 'debug', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'delete', 'success', NULL, '{"archived": 0}', '2026-11-06 08:50:00+00');

-- A resource without a readable name: its id stands in. A certificate that the table does not know.
INSERT INTO audit_logs (id, event_type, event_category, severity, user_id, user_email, user_role, ip_address, user_agent, resource_type, resource_id, resource_identifier, action, result, error_message, metadata, "timestamp") VALUES
    ('d6e13e83-ac3f-40b9-983a-f99e838117da', 'certificate_issued', 'certificate', 'info', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'user', NULL, NULL, 'certificate', '6666341d-87a0-4db3-8f15-782c75c8a7e4', NULL, 'create', 'success', NULL, NULL, '2026-11-06 09:00:00+00'),
    ('8204965d-1f31-4cbd-bd97-d6161c461f92', 'certificate_issued', 'certificate', 'info', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'user', NULL, NULL, 'certificate', '8e2ad9db-25ad-48b3-884d-81c7e9f7f6a4', '61000000FF', 'create', 'success', NULL, NULL, '2026-11-06 09:10:00+00'),
    ('10263b53-c7f6-411b-9c1e-ce936904b02b', 'certificate_issued', 'certificate', 'error', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'user', NULL, NULL, 'request', 'e47d2075-f6ad-4465-ad98-58088b04083f', NULL, 'create', 'failure', 'request not found', NULL, '2026-11-06 09:20:00+00'),
    ('8d871a5a-9b4c-4711-a3a7-9db5b373d482', 'certificate_issued', 'certificate', 'error', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'user', NULL, NULL, NULL, NULL, '', 'create', 'failure', 'no resource at all', NULL, '2026-11-06 09:30:00+00');

-- Logins.
INSERT INTO audit_logs (id, event_type, event_category, severity, user_id, user_email, user_role, ip_address, user_agent, resource_type, resource_id, resource_identifier, action, result, error_message, metadata, "timestamp") VALUES
    ('ffbe4d72-8542-4466-b828-eea98ad26ec9', 'user_login', 'authentication', 'info', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'user', '2001:db8::17/64', 'Mozilla/5.0', NULL, NULL, NULL, 'create', 'success', NULL, NULL, '2026-11-20 07:00:00+00'),
    ('b4b7d726-6673-4063-9b53-b02eb99dca1c', 'user_login', 'authentication', 'info', 'e243910f-33d4-44b8-97cc-dbd09555838f', 'kim@globex.example', 'user', '203.0.113.7', 'Mozilla/5.0', NULL, NULL, NULL, 'create', 'success', NULL, NULL, '2026-11-20 07:01:00+00'),
    ('abe6b013-79ae-4f66-859c-3905b02249ed', 'user_login', 'authentication', 'warning', '8c5ccce5-310e-406d-9a09-228ca99b30d7', 'nobody@example.net', 'user', '2001:db8::17/64', 'Mozilla/5.0', NULL, NULL, NULL, 'create', 'failure', 'SSO assertion expired', NULL, '2026-11-20 07:02:00+00'),
    ('22954224-9f13-4983-8a51-87b8abdec685', 'user_login', 'authentication', 'info', 'fdc14754-77dd-4d80-839f-978df5ea6560', 'jane.smith@example.com', 'approver', '203.0.113.7', 'Mozilla/5.0', NULL, NULL, NULL, 'create', 'success', NULL, NULL, '2026-11-20 07:03:00+00'),
    ('abc8bc2c-adb1-4326-9e7e-c81fc1fc0bae', 'user_login', 'authentication', 'warning', NULL, NULL, NULL, '2001:db8::17/64', 'Mozilla/5.0', NULL, NULL, NULL, 'create', 'failure', 'SSO assertion expired', NULL, '2026-11-20 07:04:00+00'),
    ('8d1ca8e1-43c7-4720-96d9-e73d08e01f13', 'user_login', 'authentication', 'info', '15372664-e779-4adb-91fb-be5aaefb57fa', 'admin@example.com', 'admin', '203.0.113.7', 'Mozilla/5.0', 'user', '15372664-e779-4adb-91fb-be5aaefb57fa', 'admin@example.com', 'create', 'success', NULL, NULL, '2026-11-20 07:05:00+00'),
    ('3e8343d4-d238-4504-844f-50c6c14199f4', 'user_logout', 'authentication', 'info', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'user', NULL, NULL, NULL, NULL, NULL, 'update', 'success', NULL, NULL, '2026-11-20 17:00:00+00');

-- One instant, six rows.
INSERT INTO audit_logs (id, event_type, event_category, severity, user_id, user_email, user_role, ip_address, user_agent, resource_type, resource_id, resource_identifier, action, result, error_message, metadata, "timestamp") VALUES
    ('00f90c10-67e7-4f73-bb5e-ba8c5ebddb80', 'certificate_issued', 'certificate', 'error', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'user', NULL, NULL, 'request', '9864161e-2388-43b6-877d-6f26b95cc0f8', 'REQ-20261102-00007', 'create', 'failure', 'The RPC server is unavailable. 0x800706ba', NULL, '2026-11-20 12:00:00.000001+00'),
    ('eca73ba5-1c29-4a01-bfa9-49e0077a2dd0', 'certificate_issued', 'certificate', 'error', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'user', NULL, NULL, 'request', '9864161e-2388-43b6-877d-6f26b95cc0f8', 'REQ-20261102-00007', 'create', 'failure', 'The RPC server is unavailable. 0x800706ba', NULL, '2026-11-20 12:00:00.000001+00'),
    ('7fe5013c-e9fc-4c67-972f-e0f8fe4922ee', 'certificate_issued', 'certificate', 'error', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'user', NULL, NULL, 'request', '9864161e-2388-43b6-877d-6f26b95cc0f8', 'REQ-20261102-00007', 'create', 'failure', 'The RPC server is unavailable. 0x800706ba', NULL, '2026-11-20 12:00:00.000001+00'),
    ('165ecd9b-55ee-4c5b-8c3b-c789a644f0de', 'certificate_issued', 'certificate', 'error', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'user', NULL, NULL, 'request', '9864161e-2388-43b6-877d-6f26b95cc0f8', 'REQ-20261102-00007', 'create', 'failure', 'The RPC server is unavailable. 0x800706ba', NULL, '2026-11-20 12:00:00.000001+00'),
    ('9e9fee6a-3a56-4e38-9d03-da98c68395b8', 'certificate_issued', 'certificate', 'error', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'user', NULL, NULL, 'request', '9864161e-2388-43b6-877d-6f26b95cc0f8', 'REQ-20261102-00007', 'create', 'failure', 'The RPC server is unavailable. 0x800706ba', NULL, '2026-11-20 12:00:00.000001+00'),
    ('f34d8a1d-6070-4217-b7b3-9fcef1cede96', 'certificate_issued', 'certificate', 'error', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'user', NULL, NULL, 'request', '9864161e-2388-43b6-877d-6f26b95cc0f8', 'REQ-20261102-00007', 'create', 'failure', 'The RPC server is unavailable. 0x800706ba', NULL, '2026-11-20 12:00:00.000001+00');

-- Other offsets: the same instants, written from Tokyo and New York.
INSERT INTO audit_logs (id, event_type, event_category, severity, user_id, user_email, user_role, ip_address, user_agent, resource_type, resource_id, resource_identifier, action, result, error_message, metadata, "timestamp") VALUES
    ('4fb4c2cb-2a74-4d67-9e13-5779b9939429', 'certificate_downloaded', 'certificate', 'info', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'user', NULL, NULL, 'certificate', 'd9b5c32d-ba1a-47a1-8c0e-8e072f50fa5c', '6100000003', 'download', 'success', NULL, NULL, '2026-11-20 12:00:00+09'),
    ('6a94ab6e-c7a0-4d14-b359-f5c00bb4e2d5', 'certificate_downloaded', 'certificate', 'info', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'user', NULL, NULL, 'certificate', '6666341d-87a0-4db3-8f15-782c75c8a7e4', '6100000005', 'download', 'success', NULL, NULL, '2026-11-19 22:00:00-05');

-- Hostile text.
INSERT INTO audit_logs (id, event_type, event_category, severity, user_id, user_email, user_role, ip_address, user_agent, resource_type, resource_id, resource_identifier, action, result, error_message, metadata, "timestamp") VALUES
    ('83557c65-4be4-41b7-be3f-96123c23f045', 'certificate_issued', 'certificate', 'error', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'user', NULL, E'\u001B]0;agent\u0007', 'request', '9864161e-2388-43b6-877d-6f26b95cc0f8', 'REQ-20261102-00007', 'create', 'failure', E'\u001B[31mCSR denied\u001B[0m by \u001B]0;owned\u0007approver \u009B2J\u001B[2J\u001B[H', '{"nested": {"\u001b[2J": [1, {"deep": "\u202e"}]}}', '2026-11-20 15:00:00+00'),
    ('2cfbdbcb-4b64-4408-b5c9-4dc0c4ec56f5', 'certificate_issued', 'certificate', 'error', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'user', NULL, E'\u001B]0;agent\u0007', 'request', '9864161e-2388-43b6-877d-6f26b95cc0f8', 'REQ-20261102-00007', 'create', 'failure', E'approver \u202Emoc.elpmaxe\u202C said \u2066no\u2069, \uFEFFzero\u200Bwidth, line\u2028separator', '{"nested": {"\u001b[2J": [1, {"deep": "\u202e"}]}}', '2026-11-20 15:00:01+00'),
    ('54d317d8-a4b7-47e0-b4bd-b695ce74ff49', 'certificate_issued', 'certificate', 'error', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'user', NULL, E'\u001B]0;agent\u0007', 'request', '9864161e-2388-43b6-877d-6f26b95cc0f8', 'REQ-20261102-00007', 'create', 'failure', E'tpm2:\terror\t0x9a2\r\n\tTPM_RC_POLICY_FAIL\r\n\n\n   indented, then a lone return\rover', '{"nested": {"\u001b[2J": [1, {"deep": "\u202e"}]}}', '2026-11-20 15:00:02+00'),
    ('681ab1ef-4458-49c9-8a0a-a0a86461671b', 'certificate_issued', 'certificate', 'error', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'user', NULL, E'\u001B]0;agent\u0007', 'request', '9864161e-2388-43b6-877d-6f26b95cc0f8', 'REQ-20261102-00007', 'create', 'failure', E'🔥 signer outage 👩\u200D🔧 naïve café Ünïcode 証明書 é', '{"nested": {"\u001b[2J": [1, {"deep": "\u202e"}]}}', '2026-11-20 15:00:03+00'),
    ('e553f364-073d-4958-9560-e94bc2766486', 'certificate_issued', 'certificate', 'error', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'user', NULL, E'\u001B]0;agent\u0007', 'request', '9864161e-2388-43b6-877d-6f26b95cc0f8', 'REQ-20261102-00007', 'create', 'failure', '''); DROP TABLE audit_logs; --', '{"nested": {"\u001b[2J": [1, {"deep": "\u202e"}]}}', '2026-11-20 15:00:04+00'),
    ('eb6f4d86-652f-44b2-9cc1-012b979be129', 'certificate_issued', 'certificate', 'error', '6044ccc8-616c-49b9-83bb-a2b741ead23f', 'john.doe@example.com', 'user', NULL, E'\u001B]0;agent\u0007', 'request', '9864161e-2388-43b6-877d-6f26b95cc0f8', 'REQ-20261102-00007', 'create', 'failure', 'ADCS: ' || repeat('denied by policy module 0x80094800; ', 300), '{"nested": {"\u001b[2J": [1, {"deep": "\u202e"}]}}', '2026-11-20 15:00:05+00');
