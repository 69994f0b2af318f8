DROP TABLE certificate_renewal_events;
DROP TABLE devices;
DROP TABLE organizations;
