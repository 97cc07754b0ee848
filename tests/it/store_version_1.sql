CREATE TABLE schema_version (version BIGINT NOT NULL PRIMARY KEY);
CREATE TABLE lease (tenant TEXT NOT NULL PRIMARY KEY, fence BIGINT NOT NULL, held BIGINT NOT NULL, appends BIGINT NOT NULL, name TEXT NOT NULL, host TEXT NOT NULL, pid BIGINT NOT NULL, since_ms BIGINT NOT NULL, heartbeat_ms BIGINT NOT NULL);
CREATE TABLE rotation (rotation TEXT NOT NULL PRIMARY KEY, tenant TEXT NOT NULL, began_ms BIGINT NOT NULL, last_seq BIGINT NOT NULL);
CREATE INDEX rotation_by_tenant ON rotation (tenant, began_ms);
CREATE TABLE record (rotation TEXT NOT NULL REFERENCES rotation (rotation), seq BIGINT NOT NULL, version BIGINT NOT NULL, fence BIGINT NOT NULL, at_ms BIGINT NOT NULL, entry TEXT NOT NULL, PRIMARY KEY (rotation, seq));
INSERT INTO schema_version VALUES (1);
INSERT INTO lease VALUES ('t1', 2, 0, 3, 'ada', 'bastion', 7, 1793527200000, 1793527200000);
INSERT INTO rotation VALUES ('20261101-100000-aaaaaa', 't1', 1793527200000, 2), ('20261102-100000-bbbbbb', 't1', 1793613600000, 1);
INSERT INTO record VALUES
  ('20261101-100000-aaaaaa', 1, 1, 1, 1793527200000, '{"seq":1,"version":1,"at":"2026-11-01T10:00:00Z","by":"ada","host":"bastion","record":{"record":"noted","text":"a"}}'),
  ('20261101-100000-aaaaaa', 2, 1, 1, 1793527201000, '{"seq":2,"version":1,"at":"2026-11-01T10:00:01Z","by":"ada","host":"bastion","record":{"record":"noted","text":"called ada@example.net ⟨literally⟩"}}'),
  ('20261102-100000-bbbbbb', 1, 1, 2, 1793613600000, '{"seq":1,"version":1,"at":"2026-11-02T10:00:00Z","by":"ada","host":"bastion","record":{"record":"noted","text":"b"}}');
