-- A certificate authority's database: text ids, times in whole seconds since 1970, details as JSON text.

CREATE TABLE certificate_authorities (
    id                 text PRIMARY KEY NOT NULL,
    kms_certificate_id text NOT NULL,
    kms_key_id         text NOT NULL,
    subject_dn         text NOT NULL,
    serial_number      text NOT NULL,
    not_before         integer NOT NULL,
    not_after          integer NOT NULL,
    status             text NOT NULL DEFAULT 'active',
    revocation_date    integer,
    revocation_reason  text,
    created_at         integer NOT NULL DEFAULT (unixepoch()),
    updated_at         integer NOT NULL DEFAULT (unixepoch())
);
CREATE UNIQUE INDEX certificate_authorities_serial_number_unique ON certificate_authorities (serial_number);
CREATE INDEX idx_ca_serial ON certificate_authorities (serial_number);
CREATE INDEX idx_ca_status ON certificate_authorities (status);
CREATE INDEX idx_ca_kms_cert ON certificate_authorities (kms_certificate_id);

CREATE TABLE certificates (
    id                 text PRIMARY KEY NOT NULL,
    ca_id              text NOT NULL REFERENCES certificate_authorities (id) ON DELETE CASCADE,
    kms_certificate_id text NOT NULL,
    kms_key_id         text,
    subject_dn         text NOT NULL,
    serial_number      text NOT NULL,
    certificate_type   text NOT NULL,
    not_before         integer NOT NULL,
    not_after          integer NOT NULL,
    status             text NOT NULL DEFAULT 'active',
    revocation_date    integer,
    revocation_reason  text,
    san_dns            text,
    san_ip             text,
    san_email          text,
    renewed_from_id    text REFERENCES certificates (id),
    created_at         integer NOT NULL DEFAULT (unixepoch()),
    updated_at         integer NOT NULL DEFAULT (unixepoch())
);
CREATE UNIQUE INDEX certificates_serial_number_unique ON certificates (serial_number);
CREATE INDEX idx_certificates_ca_id ON certificates (ca_id);
CREATE INDEX idx_certificates_status ON certificates (status);
CREATE INDEX idx_certificates_serial ON certificates (serial_number);
CREATE INDEX idx_certificates_type ON certificates (certificate_type);
CREATE INDEX idx_cert_kms_cert ON certificates (kms_certificate_id);

CREATE TABLE audit_log (
    id               text PRIMARY KEY NOT NULL,
    timestamp        integer NOT NULL DEFAULT (unixepoch()),
    operation        text NOT NULL,
    entity_type      text NOT NULL,
    entity_id        text,
    ip_address       text,
    status           text NOT NULL DEFAULT 'success',
    details          text,
    kms_operation_id text
);
CREATE INDEX idx_audit_timestamp ON audit_log (timestamp);
CREATE INDEX idx_audit_entity ON audit_log (entity_type, entity_id);
CREATE INDEX idx_audit_operation ON audit_log (operation);

INSERT INTO certificate_authorities (id, kms_certificate_id, kms_key_id, subject_dn, serial_number, not_before, not_after, created_at, updated_at) VALUES
    ('64d4e98c-da89-490d-b358-4629612ac68e', 'kms-cert-edge', 'kms-key-edge', 'CN=Edge Issuing CA,O=Acme,C=DE', 'ca-1', 1735689600, 1893456000, 1735689600, 1735689600),
    ('54d2ebc0-d471-48f8-b8fe-183dde905337', 'kms-cert-lab', 'kms-key-lab', 'CN=Lab CA,O=Lab\, Testing,C=CH', 'ca-2', 1748736000, 1811808000, 1748736000, 1748736000);

INSERT INTO certificates (id, ca_id, kms_certificate_id, subject_dn, serial_number, certificate_type, not_before, not_after, status, renewed_from_id, created_at, updated_at) VALUES
    ('ef346984-3490-4f1d-8725-f5cc64d484ae', '64d4e98c-da89-490d-b358-4629612ac68e', 'kms-e1', 'CN=edge-0001.example.test,O=Acme,C=DE', '0000000000000001', 'server', 1787400000, 1795176000, 'active', NULL, 1787400000, 1787400000),
    ('7f8ac447-2275-4f94-ae03-94c395247e9a', '64d4e98c-da89-490d-b358-4629612ac68e', 'kms-e2', 'CN=edge-0002.example.test,O=Acme,C=DE', '0000000000000002', 'server', 1787400000, 1795176000, 'active', NULL, 1787400000, 1787400000),
    ('98fc5470-8b9d-4332-8483-b48cb8b5421b', '64d4e98c-da89-490d-b358-4629612ac68e', 'kms-e3', 'CN=edge-0003.example.test,O=Acme,C=DE', '0000000000000003', 'server', 1787400000, 1795176000, 'active', NULL, 1787400000, 1787400000),
    ('26303bf5-601e-42b3-9fc7-290cba339342', '64d4e98c-da89-490d-b358-4629612ac68e', 'kms-e4', 'CN=edge-0004.example.test,O=Acme,C=DE', '0000000000000004', 'server', 1787400000, 1795176000, 'active', NULL, 1787400000, 1787400000),
    ('1006aa87-c36b-40a3-beb5-6423d9dcc941', '64d4e98c-da89-490d-b358-4629612ac68e', 'kms-e5', 'CN=edge-0005.example.test,O=Acme,C=DE', '0000000000000005', 'server', 1787400000, 1795176000, 'active', NULL, 1787400000, 1787400000),
    ('f98206f3-1915-4c45-bc50-5f0910b2d0f0', '64d4e98c-da89-490d-b358-4629612ac68e', 'kms-e6', 'CN=edge-0006.example.test,O=Acme,C=DE', '0000000000000006', 'server', 1787400000, 1795176000, 'active', NULL, 1787400000, 1787400000),
    ('6faa2cfd-19c9-4a7e-bf78-54e9225eef59', '64d4e98c-da89-490d-b358-4629612ac68e', 'kms-e7', 'CN=edge-0007.example.test,O=Acme,C=DE', '0000000000000007', 'server', 1787400000, 1795176000, 'active', NULL, 1787400000, 1787400000),
    ('3254d70e-b068-46ad-84eb-5cbb664ca5e7', '64d4e98c-da89-490d-b358-4629612ac68e', 'kms-e8', 'CN=edge-0008.example.test,O=Acme,C=DE', '0000000000000008', 'server', 1787400000, 1795176000, 'active', NULL, 1787400000, 1787400000),
    ('cdc58e57-cba9-4592-9a67-5d4d21e2770c', '64d4e98c-da89-490d-b358-4629612ac68e', 'kms-e1b', 'CN=edge-0001.example.test,O=Acme,C=DE', '0000000000000009', 'server', 1794312000, 1802088000, 'active', 'ef346984-3490-4f1d-8725-f5cc64d484ae', 1794312000, 1794312000),
    ('3ce35492-b44e-40a0-b9b5-48abb7563ef3', '64d4e98c-da89-490d-b358-4629612ac68e', 'kms-e1c', 'CN=edge-0001.example.test,O=Acme,C=DE', '000000000000000a', 'server', 1794484800, 1802260800, 'active', 'cdc58e57-cba9-4592-9a67-5d4d21e2770c', 1794484800, 1794484800),
    ('262f01bd-1840-42ae-ae43-85f93dc86a79', '64d4e98c-da89-490d-b358-4629612ac68e', 'kms-e2b', 'CN=edge-0002.example.test,O=Acme,C=DE', '000000000000000b', 'server', 1794492000, 1802268000, 'active', '7f8ac447-2275-4f94-ae03-94c395247e9a', 1794492000, 1794492000),
    ('1faddf1a-8dc6-412b-ac40-b3700be43397', '64d4e98c-da89-490d-b358-4629612ac68e', 'kms-e3b', 'CN=edge-0003.new.example.test,O=Acme,OU=Réseau,C=DE', '000000000000000c', 'server', 1794492000, 1802268000, 'active', '98fc5470-8b9d-4332-8483-b48cb8b5421b', 1794492000, 1794492000),
    ('22e61d03-81a0-46b0-b2aa-ae7c7e094e92', '64d4e98c-da89-490d-b358-4629612ac68e', 'kms-e4b', 'CN=edge-0004.example.test,O=Acme,C=DE', '000000000000000d', 'server', 1794560400, 1802336400, 'active', '26303bf5-601e-42b3-9fc7-290cba339342', 1794560400, 1794560400),
    ('27cf9d9b-5996-46c8-81b8-9aed123fae9b', '64d4e98c-da89-490d-b358-4629612ac68e', 'kms-e4c', 'CN=edge-0004.example.test,O=Acme,C=DE', '000000000000000e', 'server', 1794562200, 1802338200, 'active', '26303bf5-601e-42b3-9fc7-290cba339342', 1794562200, 1794562200),
    ('ca6ba33c-155b-4988-ad45-431e81aade3a', '64d4e98c-da89-490d-b358-4629612ac68e', 'kms-e5b', 'CN=edge-0005.example.test,O=Acme,C=DE', '000000000000000f', 'server', 1794621600, 1802397600, 'active', '1006aa87-c36b-40a3-beb5-6423d9dcc941', 1794621600, 1794621600),
    ('c37b5a4c-b0ea-4f87-892d-586d0bde8da8', '64d4e98c-da89-490d-b358-4629612ac68e', 'kms-e6b', 'CN=edge-0006.example.test,O=Acme,C=DE', '0000000000000010', 'server', 1794621600, 1802397600, 'active', 'f98206f3-1915-4c45-bc50-5f0910b2d0f0', 1794621600, 1794621600),
    ('3644cee5-689c-48b4-9f9f-29cdb2f561cd', '54d2ebc0-d471-48f8-b8fe-183dde905337', 'kms-l1', 'CN=lab-01,O=Lab\, Testing', '0000000000000011', 'client', 1790812800, 1793404800, 'active', NULL, 1790812800, 1790812800),
    ('38dacbe7-edd8-46ee-9e62-09426512e7c0', '54d2ebc0-d471-48f8-b8fe-183dde905337', 'kms-l2', 'CN=lab-02,O=Lab\, Testing', '0000000000000012', 'client', 1790812800, 1798675200, 'revoked', NULL, 1790812800, 1790812800),
    ('0afddf91-681b-435b-b8e1-cfb28cd66650', '64d4e98c-da89-490d-b358-4629612ac68e', 'kms-h1', 'CN=' || char(27) || '[31mred' || char(27) || '[0m' || char(8238) || 'gro.live,O=Acme', '0000000000000014', 'email', 1793491200, 1801267200, 'active', NULL, 1793491200, 1793491200);

-- The authorities are made, certificates issued.
INSERT INTO audit_log (id, timestamp, operation, entity_type, entity_id, ip_address, status, details) VALUES
    ('3533d362-b52a-45ea-89d4-b5efe8486200', 1785571200, 'ca.create', 'ca', '64d4e98c-da89-490d-b358-4629612ac68e', '10.8.0.5', 'success', '{"subject":"CN=Edge Issuing CA,O=Acme,C=DE","keyAlgorithm":"RSA-4096"}'),
    ('295a2acf-72e4-4325-8bb3-6b10a9c5e779', 1785571200, 'ca.create', 'ca', '54d2ebc0-d471-48f8-b8fe-183dde905337', '10.8.0.5', 'success', '{"subject":"CN=Lab CA,O=Lab\\, Testing,C=CH","keyAlgorithm":"ECDSA-P256"}'),
    ('2d2c4e21-a3f0-4e24-8968-0aeaaa5395cc', 1787400001, 'certificate.issue', 'certificate', 'ef346984-3490-4f1d-8725-f5cc64d484ae', '10.8.0.5', 'success', '{"caId":"64d4e98c-da89-490d-b358-4629612ac68e","certificateType":"server","subject":"CN=edge-0001.example.test,O=Acme,C=DE","validityDays":90}'),
    ('a2c402e1-ef2f-4317-881c-2ef989e736d7', 1787400002, 'certificate.issue', 'certificate', '7f8ac447-2275-4f94-ae03-94c395247e9a', '10.8.0.5', 'success', '{"caId":"64d4e98c-da89-490d-b358-4629612ac68e","certificateType":"server","subject":"CN=edge-0002.example.test,O=Acme,C=DE","validityDays":90}'),
    ('9fe2f710-8151-4f9e-9778-339f8acf9ddc', 1787400003, 'certificate.issue', 'certificate', '98fc5470-8b9d-4332-8483-b48cb8b5421b', '10.8.0.5', 'success', '{"caId":"64d4e98c-da89-490d-b358-4629612ac68e","certificateType":"server","subject":"CN=edge-0003.example.test,O=Acme,C=DE","validityDays":90}'),
    ('094aeb65-0a03-4429-9b9d-74d1c8880e36', 1787400004, 'certificate.issue', 'certificate', '26303bf5-601e-42b3-9fc7-290cba339342', '10.8.0.5', 'success', '{"caId":"64d4e98c-da89-490d-b358-4629612ac68e","certificateType":"server","subject":"CN=edge-0004.example.test,O=Acme,C=DE","validityDays":90}'),
    ('66c5310f-6ecb-4df7-8ff9-d577b6470f15', 1787400005, 'certificate.issue', 'certificate', '1006aa87-c36b-40a3-beb5-6423d9dcc941', '10.8.0.5', 'success', '{"caId":"64d4e98c-da89-490d-b358-4629612ac68e","certificateType":"server","subject":"CN=edge-0005.example.test,O=Acme,C=DE","validityDays":90}'),
    ('a7f77155-7ca5-4bdf-8e38-d8f1e62a018e', 1787400006, 'certificate.issue', 'certificate', 'f98206f3-1915-4c45-bc50-5f0910b2d0f0', '10.8.0.5', 'success', '{"caId":"64d4e98c-da89-490d-b358-4629612ac68e","certificateType":"server","subject":"CN=edge-0006.example.test,O=Acme,C=DE","validityDays":90}'),
    ('a515a5e7-cf78-4126-9c65-3c2aec7a727a', 1787400007, 'certificate.issue', 'certificate', '6faa2cfd-19c9-4a7e-bf78-54e9225eef59', '10.8.0.5', 'success', '{"caId":"64d4e98c-da89-490d-b358-4629612ac68e","certificateType":"server","subject":"CN=edge-0007.example.test,O=Acme,C=DE","validityDays":90}'),
    ('6b447c82-69c1-47e0-ad08-8f1aa77a0d4c', 1787400008, 'certificate.issue', 'certificate', '3254d70e-b068-46ad-84eb-5cbb664ca5e7', '10.8.0.5', 'success', '{"caId":"64d4e98c-da89-490d-b358-4629612ac68e","certificateType":"server","subject":"CN=edge-0008.example.test,O=Acme,C=DE","validityDays":90}'),
    ('520df749-55e6-48c3-9761-12aa71f8ef25', 1787400060, 'certificate.issue', 'certificate', 'cbaaeb36-18c4-4c01-9a90-e3f5de7bad8a', '10.8.0.5', 'failure', '{"error":"Failed to create key pair: KMS unreachable","caId":"64d4e98c-da89-490d-b358-4629612ac68e","certificateType":"server"}');

-- A renewal: the new certificate is the entity, the old one stands in the details.
INSERT INTO audit_log (id, timestamp, operation, entity_type, entity_id, ip_address, status, details) VALUES
    ('ef3833e1-164d-4911-b913-5db66170dce0', 1794312001, 'certificate.renew', 'certificate', 'cdc58e57-cba9-4592-9a67-5d4d21e2770c', '10.8.0.5', 'success', '{"originalCertId":"ef346984-3490-4f1d-8725-f5cc64d484ae","caId":"64d4e98c-da89-490d-b358-4629612ac68e","certificateType":"server","subject":"CN=edge-0001.example.test,O=Acme,C=DE","validityDays":90,"serialNumber":"0000000000000009","generateNewKey":true,"revokeOriginal":false}'),
    ('e0dc94f2-48d2-4374-953b-6be42a3148a6', 1794484801, 'certificate.renew', 'certificate', '3ce35492-b44e-40a0-b9b5-48abb7563ef3', '10.8.0.5', 'success', '{"originalCertId":"cdc58e57-cba9-4592-9a67-5d4d21e2770c","caId":"64d4e98c-da89-490d-b358-4629612ac68e","certificateType":"server","subject":"CN=edge-0001.example.test,O=Acme,C=DE","validityDays":90,"serialNumber":"000000000000000a","generateNewKey":true,"revokeOriginal":false}');

-- Failures: the id of a certificate that was never made, and the old one in the details.
INSERT INTO audit_log (id, timestamp, operation, entity_type, entity_id, ip_address, status, details) VALUES
    ('19003dcc-2120-4cd4-b930-24bb0387f6c3', 1794488400, 'certificate.renew', 'certificate', '80bf998f-895e-49f2-8dff-986dbb1fda42', '10.8.0.5', 'failure', '{"error":"KMS error: Item not found: 9b2f (code 404)","originalCertId":"7f8ac447-2275-4f94-ae03-94c395247e9a","caId":"64d4e98c-da89-490d-b358-4629612ac68e","certificateType":"server"}'),
    ('d111752c-a9d1-4919-a554-5a39e6fce8ae', 1794488460, 'certificate.renew', 'certificate', '69cc0472-933c-4404-bfb9-dd3b7a8d811d', '10.8.0.5', 'failure', '{"error":"connect ECONNREFUSED 10.8.0.9:9998","originalCertId":"7f8ac447-2275-4f94-ae03-94c395247e9a","caId":"64d4e98c-da89-490d-b358-4629612ac68e","certificateType":"server"}'),
    ('ea819d82-bbcf-4c04-8dc7-5e5db72db7be', 1794488520, 'certificate.renew', 'certificate', '7406165b-446f-46f3-a1fc-076077968d03', '10.8.0.5', 'failure', '{"error":"connect ECONNREFUSED 10.8.0.9:9998","originalCertId":"98fc5470-8b9d-4332-8483-b48cb8b5421b","caId":"64d4e98c-da89-490d-b358-4629612ac68e","certificateType":"server"}');

-- Then it works. The subject was changed with the renewal: the device is called by the new one.
INSERT INTO audit_log (id, timestamp, operation, entity_type, entity_id, ip_address, status, details) VALUES
    ('8b403e32-2c77-4b2d-a64f-c4c2843ecd17', 1794492000, 'certificate.renew', 'certificate', '262f01bd-1840-42ae-ae43-85f93dc86a79', '10.8.0.5', 'success', '{"originalCertId":"7f8ac447-2275-4f94-ae03-94c395247e9a","caId":"64d4e98c-da89-490d-b358-4629612ac68e","certificateType":"server","subject":"CN=edge-0002.example.test,O=Acme,C=DE","validityDays":90,"serialNumber":"000000000000000b","generateNewKey":true,"revokeOriginal":false}'),
    ('9afd3de9-20ff-4f3a-bbdb-c53a8ebb7252', 1794492000, 'certificate.renew', 'certificate', '1faddf1a-8dc6-412b-ac40-b3700be43397', '10.8.0.5', 'success', '{"originalCertId":"98fc5470-8b9d-4332-8483-b48cb8b5421b","caId":"64d4e98c-da89-490d-b358-4629612ac68e","certificateType":"server","subject":"CN=edge-0003.new.example.test,O=Acme,OU=Réseau,C=DE","validityDays":90,"serialNumber":"000000000000000c","generateNewKey":true,"revokeOriginal":false,"updateInfo":true}');

-- A renewal of one certificate twice: nothing forbids it.
INSERT INTO audit_log (id, timestamp, operation, entity_type, entity_id, ip_address, status, details) VALUES
    ('3ed57fcd-3cd9-4750-9755-18170b0a0d0a', 1794560400, 'certificate.renew', 'certificate', '22e61d03-81a0-46b0-b2aa-ae7c7e094e92', '10.8.0.5', 'success', '{"originalCertId":"26303bf5-601e-42b3-9fc7-290cba339342","caId":"64d4e98c-da89-490d-b358-4629612ac68e","certificateType":"server","subject":"CN=edge-0004.example.test,O=Acme,C=DE","validityDays":90,"serialNumber":"000000000000000d","generateNewKey":true,"revokeOriginal":false}'),
    ('64ed69b0-38f7-46e3-9554-483aa146048b', 1794562200, 'certificate.renew', 'certificate', '27cf9d9b-5996-46c8-81b8-9aed123fae9b', '10.8.0.5', 'success', '{"originalCertId":"26303bf5-601e-42b3-9fc7-290cba339342","caId":"64d4e98c-da89-490d-b358-4629612ac68e","certificateType":"server","subject":"CN=edge-0004.example.test,O=Acme,C=DE","validityDays":90,"serialNumber":"000000000000000e","generateNewKey":true,"revokeOriginal":false}');

-- Renewals in bulk: a row for each that went well, none for the one that failed, and a summary that is partial.
INSERT INTO audit_log (id, timestamp, operation, entity_type, entity_id, ip_address, status, details) VALUES
    ('1e609916-2b46-4201-a025-a4e96aecb1f6', 1794621600, 'certificate.bulkRenew', 'certificate', 'ca6ba33c-155b-4988-ad45-431e81aade3a', '10.8.0.5', 'success', '{"originalCertId":"1006aa87-c36b-40a3-beb5-6423d9dcc941","caId":"64d4e98c-da89-490d-b358-4629612ac68e","certificateType":"server","subject":"CN=edge-0005.example.test,O=Acme,C=DE","validityDays":90,"serialNumber":"000000000000000f","generateNewKey":true,"revokeOriginal":false}'),
    ('07af3d75-ff89-4301-a610-a77ffaeed5f7', 1794621600, 'certificate.bulkRenew', 'certificate', 'c37b5a4c-b0ea-4f87-892d-586d0bde8da8', '10.8.0.5', 'success', '{"originalCertId":"f98206f3-1915-4c45-bc50-5f0910b2d0f0","caId":"64d4e98c-da89-490d-b358-4629612ac68e","certificateType":"server","subject":"CN=edge-0006.example.test,O=Acme,C=DE","validityDays":90,"serialNumber":"0000000000000010","generateNewKey":true,"revokeOriginal":false}'),
    ('2da07043-8d2a-438a-86d7-85f9a2201a52', 1794621601, 'certificate.bulkRenew', 'bulk_operation', 'bulk-renew', '10.8.0.5', 'partial', '{"totalCertificates":3,"successful":2,"failed":1,"generateNewKey":true,"revokeOriginal":false}'),
    ('328772ea-8244-47fa-92cf-af426490ca5c', 1794625200, 'certificate.bulkIssue', 'bulk_operation', '54d2ebc0-d471-48f8-b8fe-183dde905337', '10.8.0.5', 'success', '{"caId":"54d2ebc0-d471-48f8-b8fe-183dde905337","totalRows":2,"successful":2,"failed":0,"defaultValidityDays":30}'),
    ('5718e561-5843-474a-a623-287cd0ec707b', 1794625800, 'certificate.bulkDownload', 'bulk_operation', 'bulk-download', '10.8.0.5', 'success', '{"totalCertificates":4,"format":"pem"}');

-- Reading the audit log writes to it.
INSERT INTO audit_log (id, timestamp, operation, entity_type, entity_id, ip_address, status, details) VALUES
    ('f41e1333-b7ce-4643-bd74-07d36eae8bcc', 1794736800, 'audit.list', 'audit', NULL, '10.8.0.5', 'success', '{"filters":{"operation":"certificate.renew"},"resultCount":10}'),
    ('864c7c8b-c30b-47cd-9ff5-f54004190106', 1794736805, 'audit.list', 'audit', NULL, '10.8.0.5', 'success', '{"filters":{"operation":"certificate.renew"},"resultCount":11}'),
    ('8039a459-9673-4190-9998-22edbfd78118', 1794736810, 'audit.list', 'audit', NULL, '10.8.0.5', 'success', '{"filters":{"operation":"certificate.renew"},"resultCount":12}'),
    ('34516745-8c14-4565-8029-3c78f9ab40a3', 1794736815, 'audit.list', 'audit', NULL, '10.8.0.5', 'success', '{"filters":{"operation":"certificate.renew"},"resultCount":13}'),
    ('c96e3f6b-5552-4eb4-bf81-3030f6e66dbc', 1794736820, 'audit.list', 'audit', NULL, '10.8.0.5', 'success', '{"filters":{"operation":"certificate.renew"},"resultCount":14}'),
    ('8521d36f-10e4-47b2-8680-6bccbed87379', 1794736825, 'audit.list', 'audit', NULL, '10.8.0.5', 'success', '{"filters":{"operation":"certificate.renew"},"resultCount":15}'),
    ('34a85961-88a9-47b4-8ab7-3328fff9818f', 1794736830, 'audit.list', 'audit', NULL, '10.8.0.5', 'success', '{"filters":{"operation":"certificate.renew"},"resultCount":16}'),
    ('548d4024-3cee-4ea4-aa23-3a1a0e7062db', 1794736835, 'audit.list', 'audit', NULL, '10.8.0.5', 'success', '{"filters":{"operation":"certificate.renew"},"resultCount":17}'),
    ('98d6570a-aec8-4950-b029-fee023728209', 1794736860, 'audit.export', 'audit', NULL, '10.8.0.5', 'success', '{"format":"csv"}');

-- The rest of what it does: downloads without an authority in the details, revocation, deletion (the certificate is gone, and its
-- rows lose the name and the date), a revocation list.
INSERT INTO audit_log (id, timestamp, operation, entity_type, entity_id, ip_address, status, details) VALUES
    ('3cdc523c-3bd8-4a91-bd5a-d2b4a99c7de3', 1790812800, 'certificate.issue', 'certificate', '3644cee5-689c-48b4-9f9f-29cdb2f561cd', '10.8.0.5', 'success', '{"caId":"54d2ebc0-d471-48f8-b8fe-183dde905337","certificateType":"client","subject":"CN=lab-01,O=Lab\\, Testing"}'),
    ('087ddd00-e29a-40a9-aeed-ca895258f389', 1790812800, 'certificate.issue', 'certificate', '38dacbe7-edd8-46ee-9e62-09426512e7c0', '10.8.0.5', 'success', '{"caId":"54d2ebc0-d471-48f8-b8fe-183dde905337","certificateType":"client","subject":"CN=lab-02,O=Lab\\, Testing"}'),
    ('645394c4-d51a-4440-b00c-a5d850fea5cb', 1777593600, 'certificate.issue', 'certificate', 'bb7c9695-74d5-4278-8452-62b383614900', '10.8.0.5', 'success', '{"caId":"54d2ebc0-d471-48f8-b8fe-183dde905337","certificateType":"client","subject":"CN=lab-03"}'),
    ('ccdab5bb-7b79-4511-ad63-10025a81c35d', 1794740400, 'certificate.download', 'certificate', '3644cee5-689c-48b4-9f9f-29cdb2f561cd', NULL, 'success', '{"format":"pem","serialNumber":"0a","filename":"lab-01.pem"}'),
    ('05e1ea20-86ae-481d-9eca-4565126fd929', 1794740410, 'certificate.revoke', 'certificate', '38dacbe7-edd8-46ee-9e62-09426512e7c0', '10.8.0.5', 'success', '{"caId":"54d2ebc0-d471-48f8-b8fe-183dde905337","serialNumber":"0b","reason":"keyCompromise","generateCrl":true}'),
    ('43d7a1a3-1d06-4c75-9aba-e9c867953f9a', 1794740420, 'certificate.revoke', 'certificate', '6faa2cfd-19c9-4a7e-bf78-54e9225eef59', '10.8.0.5', 'failure', '{"error":"SQLITE_BUSY: database is locked","caId":"64d4e98c-da89-490d-b358-4629612ac68e","reason":"superseded"}'),
    ('2aa0af51-16ca-42d6-b874-87407db269a1', 1794740430, 'certificate.bulkDelete', 'certificate', 'bb7c9695-74d5-4278-8452-62b383614900', '10.8.0.5', 'success', '{"caId":"54d2ebc0-d471-48f8-b8fe-183dde905337","certificateType":"client","status":"expired","destroyKey":false}'),
    ('5f6ebe1f-224a-4e64-8e6f-4e265e114923', 1794740440, 'crl.generate', 'crl', '770d4041-f03e-4e6e-b6d9-2dac92e42c82', '10.8.0.5', 'success', '{"caId":"54d2ebc0-d471-48f8-b8fe-183dde905337","crlNumber":7,"revokedCount":1}');

-- An authority that is not there any more, and an original that is not.
INSERT INTO audit_log (id, timestamp, operation, entity_type, entity_id, ip_address, status, details) VALUES
    ('9813efd8-dc3b-43d0-941e-6232ca2ef953', 1794790800, 'certificate.renew', 'certificate', 'abd21949-663b-46cd-8088-4f9ca285e7b0', '10.8.0.5', 'failure', '{"error":"Signing failed","originalCertId":"3254d70e-b068-46ad-84eb-5cbb664ca5e7","caId":"488841c1-10e9-42e2-9d51-226f35520c16","certificateType":"server"}'),
    ('608e2fe1-dd66-40ed-9bae-3b4422311033', 1794790810, 'certificate.renew', 'certificate', '5ec333f3-f470-4a0d-98c7-7764d9473406', '10.8.0.5', 'failure', '{"error":"Original certificate vanished","originalCertId":"5ef07c40-e5bf-416c-a504-4296fff377da","caId":"64d4e98c-da89-490d-b358-4629612ac68e"}');

-- Details that are no object, or no JSON: nothing can be read from them, and the row stays.
INSERT INTO audit_log (id, timestamp, operation, entity_type, entity_id, ip_address, status, details) VALUES
    ('6fd6e25e-5897-4dae-9e80-44d334e84ee9', 1794794400, 'certificate.renew', 'certificate', '00c8a814-3c3a-41e4-b2bc-49d26c4e8b8d', '10.8.0.5', 'failure', NULL),
    ('82362ef0-a933-463f-b000-3a6600ae1dc4', 1794794401, 'certificate.renew', 'certificate', '64e38fcf-8689-43c9-aa39-03463e670554', '10.8.0.5', 'failure', 'null'),
    ('a482da35-b91a-4a59-abd7-0e9da85ca41e', 1794794402, 'certificate.renew', 'certificate', '6332dba5-378f-44d3-bd94-76fec11a7d9c', '10.8.0.5', 'failure', '{"error":"cut off at 255 char'),
    ('2ac261f7-fce2-4121-8526-bb4f76600a4a', 1794794403, 'certificate.renew', 'certificate', '82e6b0af-024d-4e40-ab99-a3f5568f7e0f', '10.8.0.5', 'failure', ''),
    ('89715350-299d-44c6-bec5-eb6cf03ee75e', 1794794404, 'certificate.renew', 'certificate', 'e50df633-f5db-4a94-8bc6-b3c3d042903b', '10.8.0.5', 'failure', '["error"]'),
    ('3e7bbaec-35a3-494d-b17a-f7d8e6c1854a', 1794794405, 'certificate.renew', 'certificate', '9763e329-17fe-41d0-8c43-e0de3057c550', '10.8.0.5', 'failure', '"error"'),
    ('4f7172a9-5c1b-4f7d-977a-841efd374234', 1794794406, 'certificate.renew', 'certificate', '63a64202-4ce9-4c2f-9056-76a7e03e8e9e', '10.8.0.5', 'failure', '{"error":null,"originalCertId":null,"caId":null}');

-- Statuses and operations that nobody announced; a row from before 1970.
INSERT INTO audit_log (id, timestamp, operation, entity_type, entity_id, ip_address, status, details) VALUES
    ('b79508f2-3a63-417d-8cfc-2a5a730431a0', 1794798000, 'certificate.renew', 'certificate', '9a1310d5-21a7-4305-9929-bcb5cc61e772', '10.8.0.5', 'pending', '{"originalCertId":"6faa2cfd-19c9-4a7e-bf78-54e9225eef59","caId":"64d4e98c-da89-490d-b358-4629612ac68e"}'),
    ('b59c622e-2346-44f4-a5a0-bb74af420090', 1794798001, 'ssh.host.renew', 'ssh_host', 'host-1', '10.8.0.5', 'success', '{"caId":"ssh-ca"}'),
    ('102627a4-e98f-4315-9256-d05d0208d921', -1, 'ca.list', 'ca', NULL, '10.8.0.5', 'success', NULL);

-- Ties: a second holds many rows, and their random ids are not in the order of the writes.
INSERT INTO audit_log (id, timestamp, operation, entity_type, entity_id, ip_address, status, details) VALUES
    ('74b6dc67-7831-4d87-bf44-9e87fb08d496', 1794891600, 'certificate.renew', 'certificate', 'd43bff5f-eb4a-4715-b96a-53e7723431ee', '10.8.0.5', 'failure', '{"error":"KMS error: timeout","originalCertId":"6faa2cfd-19c9-4a7e-bf78-54e9225eef59","caId":"64d4e98c-da89-490d-b358-4629612ac68e","certificateType":"server"}'),
    ('93120b97-8655-4d5d-b0c3-3c005fe12b2f', 1794891600, 'certificate.renew', 'certificate', 'f98085ad-ad11-4caa-b303-ee0f302856ab', '10.8.0.5', 'failure', '{"error":"KMS error: timeout","originalCertId":"6faa2cfd-19c9-4a7e-bf78-54e9225eef59","caId":"64d4e98c-da89-490d-b358-4629612ac68e","certificateType":"server"}'),
    ('1657474c-4c3e-478d-ae4f-716d4be505d3', 1794891600, 'certificate.renew', 'certificate', 'fa2ae196-7954-4cb3-a840-c6696d30bbbe', '10.8.0.5', 'failure', '{"error":"KMS error: timeout","originalCertId":"6faa2cfd-19c9-4a7e-bf78-54e9225eef59","caId":"64d4e98c-da89-490d-b358-4629612ac68e","certificateType":"server"}'),
    ('29fff633-74c0-48d5-a93e-59442aafa937', 1794891600, 'certificate.renew', 'certificate', 'e40af550-7fbd-4690-9764-4eb5858df957', '10.8.0.5', 'failure', '{"error":"KMS error: timeout","originalCertId":"6faa2cfd-19c9-4a7e-bf78-54e9225eef59","caId":"64d4e98c-da89-490d-b358-4629612ac68e","certificateType":"server"}'),
    ('8cd5fbf0-2eac-46c3-8e9d-991c62a19c3f', 1794891600, 'certificate.renew', 'certificate', 'ae83d808-c474-4774-862d-23be1d18ee6b', '10.8.0.5', 'failure', '{"error":"KMS error: timeout","originalCertId":"6faa2cfd-19c9-4a7e-bf78-54e9225eef59","caId":"64d4e98c-da89-490d-b358-4629612ac68e","certificateType":"server"}'),
    ('3b85b71d-2df2-4da5-a0a6-917fc44faa4a', 1794891600, 'certificate.renew', 'certificate', '9e68f127-0287-4121-8ece-3e758b1910d6', '10.8.0.5', 'failure', '{"error":"KMS error: timeout","originalCertId":"6faa2cfd-19c9-4a7e-bf78-54e9225eef59","caId":"64d4e98c-da89-490d-b358-4629612ac68e","certificateType":"server"}'),
    ('490a0040-0df5-4f79-ac7b-8107dc69762b', 1794891600, 'certificate.renew', 'certificate', '5aec6b69-b5d4-4fbf-b849-b237ab140225', '10.8.0.5', 'failure', '{"error":"KMS error: timeout","originalCertId":"6faa2cfd-19c9-4a7e-bf78-54e9225eef59","caId":"64d4e98c-da89-490d-b358-4629612ac68e","certificateType":"server"}');

-- Hostile text in errors and subjects.
INSERT INTO audit_log (id, timestamp, operation, entity_type, entity_id, ip_address, status, details) VALUES
    ('08a6ff53-249b-40b8-8c52-51b5a67c14bd', 1794981600, 'certificate.renew', 'certificate', '9919c42f-454a-4405-93a0-fdd53c0d9cc6', '10.8.0.5', 'failure', '{"error":"\u001b[31mCSR denied\u001b[0m by \u001b]0;owned\u0007approver ' || char(155) || '2J\u001b[2J\u001b[H","originalCertId":"0afddf91-681b-435b-b8e1-cfb28cd66650","caId":"64d4e98c-da89-490d-b358-4629612ac68e","certificateType":"email"}'),
    ('114a012f-25f1-444b-a84b-89e0f94e2e18', 1794981601, 'certificate.renew', 'certificate', '1ee789ad-1c84-4f55-8152-a5cdccf4e6c1', '10.8.0.5', 'failure', '{"error":"approver ' || char(8238) || 'moc.elpmaxe' || char(8236) || ' said ' || char(8294) || 'no' || char(8297) || ', ' || char(65279) || 'zero' || char(8203) || 'width, line' || char(8232) || 'separator","originalCertId":"0afddf91-681b-435b-b8e1-cfb28cd66650","caId":"64d4e98c-da89-490d-b358-4629612ac68e","certificateType":"email"}'),
    ('c4fc6b06-98f9-407d-8925-53140ca3e820', 1794981602, 'certificate.renew', 'certificate', '8e4917ec-aa0d-451b-b969-0843e15d5672', '10.8.0.5', 'failure', '{"error":"tpm2:\terror\t0x9a2\r\n\tTPM_RC_POLICY_FAIL\r\n\n\n   indented, then a lone return\rover","originalCertId":"0afddf91-681b-435b-b8e1-cfb28cd66650","caId":"64d4e98c-da89-490d-b358-4629612ac68e","certificateType":"email"}'),
    ('e5e47937-8856-4f4d-b307-41f4e8207364', 1794981603, 'certificate.renew', 'certificate', 'ffe5bc2d-f5d4-4172-858b-612ec095f13f', '10.8.0.5', 'failure', '{"error":"🔥 signer outage 👩' || char(8205) || '🔧 naïve café Ünïcode 証明書 é","originalCertId":"0afddf91-681b-435b-b8e1-cfb28cd66650","caId":"64d4e98c-da89-490d-b358-4629612ac68e","certificateType":"email"}'),
    ('13bba114-1508-401e-ac09-a119426ab73e', 1794981604, 'certificate.renew', 'certificate', '06db6623-a241-4f5e-bbac-61f2b586f71e', '10.8.0.5', 'failure', '{"error":"''); DROP TABLE audit_log; --","originalCertId":"0afddf91-681b-435b-b8e1-cfb28cd66650","caId":"64d4e98c-da89-490d-b358-4629612ac68e","certificateType":"email"}'),
    ('d8c76027-a3e0-487c-870f-a1a5e41b49f4', 1794981605, 'certificate.renew', 'certificate', 'ded13add-a064-4ffe-964b-731381bfd684', '10.8.0.5', 'failure', '{"error":"Error: ' || replace(hex(zeroblob(180)), '00', '    at KmsClient.request (/app/dist/kms/client.js:214:11)\n') || '","originalCertId":"0afddf91-681b-435b-b8e1-cfb28cd66650","caId":"64d4e98c-da89-490d-b358-4629612ac68e","certificateType":"email"}');
