-- The only running code of the AWS certificate assistant has another audit_logs: numbers for ids, an action in place of type and
-- result, a creation time without zone (UTC), nothing of certificates. The name fits the assistant's profile, the columns do not.

CREATE TABLE users (
    id    serial PRIMARY KEY,
    email varchar(255) NOT NULL UNIQUE,
    role  varchar(50) NOT NULL DEFAULT 'user'
);

CREATE TABLE audit_logs (
    id         serial PRIMARY KEY,
    user_id    integer REFERENCES users (id),
    request_id integer,
    action     varchar(100) NOT NULL,
    details    jsonb,
    created_at timestamp DEFAULT CURRENT_TIMESTAMP
);

INSERT INTO users (id, email, role) VALUES
    (1, 'john.doe@example.com', 'user'),
    (2, 'jane.smith@example.com', 'approver'),
    (3, 'admin@example.com', 'admin');

INSERT INTO audit_logs (id, user_id, request_id, action, details, created_at) VALUES
    (1, 2, 100, 'REQUEST_CREATED', '{"request_number": "REQ-100"}', '2026-11-18 06:17:00'),
    (2, 3, 100, 'REQUEST_APPROVED', '{"request_number": "REQ-100"}', '2026-11-18 06:34:00'),
    (3, 1, 100, 'CERTIFICATE_ISSUED', '{"request_number": "REQ-100"}', '2026-11-18 06:51:00'),
    (4, 2, 100, 'CERTIFICATE_DOWNLOADED', '{"request_number": "REQ-100"}', '2026-11-18 07:08:00'),
    (5, 3, 100, 'REQUEST_REJECTED', '{"request_number": "REQ-100"}', '2026-11-18 07:25:00'),
    (6, 1, NULL, 'LOGIN', '{"email": "john.doe@example.com"}', '2026-11-18 07:42:00'),
    (7, 2, 101, 'REQUEST_CREATED', NULL, '2026-11-18 07:59:00'),
    (8, 3, 101, 'REQUEST_APPROVED', '{"request_number": "REQ-101"}', '2026-11-18 08:16:00'),
    (9, 1, 101, 'CERTIFICATE_ISSUED', '{"request_number": "REQ-101"}', '2026-11-18 08:33:00'),
    (10, 2, 101, 'CERTIFICATE_DOWNLOADED', '{"request_number": "REQ-101"}', '2026-11-18 08:50:00'),
    (11, 3, 101, 'REQUEST_REJECTED', '{"request_number": "REQ-101"}', '2026-11-18 09:07:00'),
    (12, 1, NULL, 'LOGIN', '{"email": "john.doe@example.com"}', '2026-11-18 09:24:00'),
    (13, 2, 102, 'REQUEST_CREATED', '{"request_number": "REQ-102"}', '2026-11-18 09:41:00'),
    (14, 3, 102, 'REQUEST_APPROVED', NULL, '2026-11-18 09:58:00'),
    (15, 1, 102, 'CERTIFICATE_ISSUED', '{"request_number": "REQ-102"}', '2026-11-18 10:15:00'),
    (16, 2, 102, 'CERTIFICATE_DOWNLOADED', '{"request_number": "REQ-102"}', '2026-11-18 10:32:00'),
    (17, 3, 102, 'REQUEST_REJECTED', '{"request_number": "REQ-102"}', '2026-11-18 10:49:00'),
    (18, 1, NULL, 'LOGIN', '{"email": "john.doe@example.com"}', '2026-11-18 11:06:00'),
    (19, 2, 103, 'REQUEST_CREATED', '{"request_number": "REQ-103"}', '2026-11-18 11:23:00'),
    (20, 3, 103, 'REQUEST_APPROVED', '{"request_number": "REQ-103"}', '2026-11-18 11:40:00'),
    (21, 1, 103, 'CERTIFICATE_ISSUED', NULL, '2026-11-18 11:57:00'),
    (22, 2, 103, 'CERTIFICATE_DOWNLOADED', '{"request_number": "REQ-103"}', '2026-11-18 12:14:00'),
    (23, 3, 103, 'REQUEST_REJECTED', '{"request_number": "REQ-103"}', '2026-11-18 12:31:00'),
    (24, 1, NULL, 'LOGIN', '{"email": "john.doe@example.com"}', '2026-11-18 12:48:00'),
    (25, 2, 104, 'REQUEST_CREATED', '{"request_number": "REQ-104"}', '2026-11-18 13:05:00'),
    (26, 3, 104, 'REQUEST_APPROVED', '{"request_number": "REQ-104"}', '2026-11-18 13:22:00'),
    (27, 1, 104, 'CERTIFICATE_ISSUED', '{"request_number": "REQ-104"}', '2026-11-18 13:39:00'),
    (28, 2, 104, 'CERTIFICATE_DOWNLOADED', NULL, '2026-11-18 13:56:00'),
    (29, 3, 104, 'REQUEST_REJECTED', '{"request_number": "REQ-104"}', '2026-11-18 14:13:00'),
    (30, 1, NULL, 'LOGIN', '{"email": "john.doe@example.com"}', '2026-11-18 14:30:00'),
    (31, 2, 105, 'REQUEST_CREATED', '{"request_number": "REQ-105"}', '2026-11-18 14:47:00'),
    (32, 3, 105, 'REQUEST_APPROVED', '{"request_number": "REQ-105"}', '2026-11-18 15:04:00'),
    (33, 1, 105, 'CERTIFICATE_ISSUED', '{"request_number": "REQ-105"}', '2026-11-18 15:21:00'),
    (34, 2, 105, 'CERTIFICATE_DOWNLOADED', '{"request_number": "REQ-105"}', '2026-11-18 15:38:00'),
    (35, 3, 105, 'REQUEST_REJECTED', NULL, '2026-11-18 15:55:00'),
    (36, 1, NULL, 'LOGIN', '{"email": "john.doe@example.com"}', '2026-11-18 16:12:00'),
    (37, 2, 106, 'REQUEST_CREATED', '{"request_number": "REQ-106"}', '2026-11-18 16:29:00'),
    (38, 3, 106, 'REQUEST_APPROVED', '{"request_number": "REQ-106"}', '2026-11-18 16:46:00'),
    (39, 1, 106, 'CERTIFICATE_ISSUED', '{"request_number": "REQ-106"}', '2026-11-18 17:03:00'),
    (40, 2, 106, 'CERTIFICATE_DOWNLOADED', '{"request_number": "REQ-106"}', '2026-11-18 17:20:00'),
    (41, 3, 106, 'REQUEST_REJECTED', '{"request_number": "REQ-106"}', '2026-11-18 17:37:00'),
    (42, 1, NULL, 'LOGIN', NULL, '2026-11-18 17:54:00'),
    (43, 2, 107, 'REQUEST_CREATED', '{"request_number": "REQ-107"}', '2026-11-18 18:11:00'),
    (44, 3, 107, 'REQUEST_APPROVED', '{"request_number": "REQ-107"}', '2026-11-18 18:28:00'),
    (45, 1, 107, 'CERTIFICATE_ISSUED', '{"request_number": "REQ-107"}', '2026-11-18 18:45:00'),
    (46, 2, 107, 'CERTIFICATE_DOWNLOADED', '{"request_number": "REQ-107"}', '2026-11-18 19:02:00'),
    (47, 3, 107, 'REQUEST_REJECTED', '{"request_number": "REQ-107"}', '2026-11-18 19:19:00'),
    (48, 1, NULL, 'LOGIN', '{"email": "john.doe@example.com"}', '2026-11-18 19:36:00'),
    (49, 2, 108, 'REQUEST_CREATED', NULL, '2026-11-18 19:53:00'),
    (50, 3, 108, 'REQUEST_APPROVED', '{"request_number": "REQ-108"}', '2026-11-18 20:10:00'),
    (51, 1, 108, 'CERTIFICATE_ISSUED', '{"request_number": "REQ-108"}', '2026-11-18 20:27:00'),
    (52, 2, 108, 'CERTIFICATE_DOWNLOADED', '{"request_number": "REQ-108"}', '2026-11-18 20:44:00'),
    (53, 3, 108, 'REQUEST_REJECTED', '{"request_number": "REQ-108"}', '2026-11-18 21:01:00'),
    (54, 1, NULL, 'LOGIN', '{"email": "john.doe@example.com"}', '2026-11-18 21:18:00'),
    (55, 2, 109, 'REQUEST_CREATED', '{"request_number": "REQ-109"}', '2026-11-18 21:35:00'),
    (56, 3, 109, 'REQUEST_APPROVED', NULL, '2026-11-18 21:52:00'),
    (57, 1, 109, 'CERTIFICATE_ISSUED', '{"request_number": "REQ-109"}', '2026-11-18 22:09:00'),
    (58, 2, 109, 'CERTIFICATE_DOWNLOADED', '{"request_number": "REQ-109"}', '2026-11-18 22:26:00'),
    (59, 3, 109, 'REQUEST_REJECTED', '{"request_number": "REQ-109"}', '2026-11-18 22:43:00'),
    (60, 1, NULL, 'LOGIN', '{"email": "john.doe@example.com"}', '2026-11-18 23:00:00');

SELECT setval('users_id_seq', 3), setval('audit_logs_id_seq', 60);
