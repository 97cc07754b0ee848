SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.chain (
    tenant text NOT NULL,
    "position" bigint NOT NULL,
    hash text NOT NULL,
    imported bigint NOT NULL
);
CREATE TABLE public.lease (
    tenant text NOT NULL,
    fence bigint NOT NULL,
    held bigint NOT NULL,
    appends bigint NOT NULL,
    name text NOT NULL,
    host text NOT NULL,
    pid bigint NOT NULL,
    since_ms bigint NOT NULL,
    heartbeat_ms bigint NOT NULL
);
CREATE TABLE public.mailbox (
    mailbox text NOT NULL,
    folder text NOT NULL,
    uid_validity bigint NOT NULL,
    next_uid bigint NOT NULL
);
CREATE TABLE public.person (
    token text NOT NULL,
    tenant text NOT NULL,
    person text NOT NULL,
    nonce text NOT NULL,
    value text NOT NULL
);
CREATE TABLE public.record (
    rotation text NOT NULL,
    seq bigint NOT NULL,
    version bigint NOT NULL,
    fence bigint NOT NULL,
    at_ms bigint NOT NULL,
    entry text NOT NULL,
    tenant text DEFAULT ''::text NOT NULL,
    "position" bigint DEFAULT 0 NOT NULL,
    hash text DEFAULT ''::text NOT NULL
);
CREATE TABLE public.rotation (
    rotation text NOT NULL,
    tenant text NOT NULL,
    began_ms bigint NOT NULL,
    last_seq bigint NOT NULL
);
CREATE TABLE public.schema_version (
    version bigint NOT NULL
);
CREATE TABLE public.stray (
    mailbox text NOT NULL,
    mail text NOT NULL,
    at_ms bigint NOT NULL,
    place text NOT NULL,
    sender text NOT NULL,
    subject text NOT NULL,
    why text NOT NULL
);
INSERT INTO public.chain VALUES ('5390c0fad0cb9d405e5281ae860fb578', 28, '5988e1c79dc0e49d4f71c2ac40e6489f2020993508b4030e0ac3772351fd31db', 0);
INSERT INTO public.lease VALUES ('5390c0fad0cb9d405e5281ae860fb578', 6, 0, 25, 'ada', 'bastion-1', 11298, 1795874823320, 1795874823320);
INSERT INTO public.person VALUES ('905ad1faf643f6051ae607873e783ade', '5390c0fad0cb9d405e5281ae860fb578', '61c33cd75b13c27f77e21128f6c80a73', '1d90aac53c1dcab44e391daa31f0945f', 'ada.okafor@acme.example');
INSERT INTO public.person VALUES ('cc5f8b61278b7e7c79bc9da8ab9dd900', '5390c0fad0cb9d405e5281ae860fb578', '61c33cd75b13c27f77e21128f6c80a73', '6189aa5c0d96fff95757ef9f797f3aab', 'Ada Okafor');
INSERT INTO public.person VALUES ('493e8269a74a54fb25b04359076eceb7', '5390c0fad0cb9d405e5281ae860fb578', '3d74714cc63c10ad6c8da1fc2c1edc78', 'a68a4aaeaeeec140fb4990759862b730', 'grace.lindqvist@acme.example');
INSERT INTO public.person VALUES ('b90e0e9b9f70484705a731d6b7d997ef', '5390c0fad0cb9d405e5281ae860fb578', '3d74714cc63c10ad6c8da1fc2c1edc78', '345485c6cd1dc64a23d871d235976bc0', 'Grace Lindqvist');
INSERT INTO public.record VALUES ('20261128-140701-eaf182', 1, 3, 1, 1795874821569, '{"at":"2026-11-28T14:07:01.569878221Z","by":"ada","host":"bastion-1","person":"ada","record":{"cause":"scheduled","record":"planned","reference":"CHG-4711","rotation":"20261128-140701-eaf182","tenant":{"gateway":"10.77.1.1","id":"5390c0fad0cb9d405e5281ae860fb578","name":"acme","server":"vpn-acme"},"window":{"end":"2026-11-28T15:37:00Z","revision":1,"start":"2026-11-28T14:07:00Z","zone":"UTC"}},"seq":1,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 1, '9f578faaa11cddc7d692220b65d822409e197fa9c4ad6f42bbbf1a7513682b3d');
INSERT INTO public.record VALUES ('20261128-140701-eaf182', 2, 3, 1, 1795874821591, '{"at":"2026-11-28T14:07:01.591533671Z","by":"ada","host":"bastion-1","person":"ada","record":{"clients":[{"email":"⟨905ad1faf643f6051ae607873e783ade⟩","id":"u-ada","name":"⟨cc5f8b61278b7e7c79bc9da8ab9dd900⟩","public_key":"oDgN6UIjzUcM21ukWQkE0Nk8K2R7HmlfYzEMZKfNEV0=","sources":["object","console"]},{"email":"⟨493e8269a74a54fb25b04359076eceb7⟩","id":"u-grace","name":"⟨b90e0e9b9f70484705a731d6b7d997ef⟩","public_key":"vmjJXTnDIxDcGCI6nGioVBPT7mc7C0YIYGtXx85KDFo=","sources":["object","console"]}],"record":"people-seen"},"seq":2,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 2, '400d3b01e6e67fce96f2dc1c74d9879936a85672106cd1f0e43113944f32fe4a');
INSERT INTO public.record VALUES ('20261128-140701-eaf182', 3, 3, 2, 1795874822079, '{"at":"2026-11-28T14:07:02.079266876Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":1},"seq":3,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 3, 'd7b5f6618d4bd0979d2e533d94d89f099f976bb1731d9af62dfcb22b80333584');
INSERT INTO public.record VALUES ('20261128-140701-eaf182', 4, 3, 2, 1795874822105, '{"at":"2026-11-28T14:07:02.105285214Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-ada","email":"⟨905ad1faf643f6051ae607873e783ade⟩","kind":"announcement","message_id":"<itk4ggrnvgcprg7o7cgxhjbb.0f46ae9c435b148c@lab.example>","record":"notice-queued","revision":1},"seq":4,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 4, '70c3468c323be46a22b7e38d6a81939b57fdaab41442b97ef5432eb0d5c3ecad');
INSERT INTO public.record VALUES ('20261128-140701-eaf182', 5, 3, 2, 1795874822112, '{"at":"2026-11-28T14:07:02.112074288Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-grace","email":"⟨493e8269a74a54fb25b04359076eceb7⟩","kind":"announcement","message_id":"<lsrn5r2lomqe6j4zhpzw2oms.785b965817fc29af@lab.example>","record":"notice-queued","revision":1},"seq":5,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 5, '869e092a0be7303bf7fbc40f5dc92f27c02518d109a589a386aa00c581d7e916');
INSERT INTO public.record VALUES ('20261128-140701-eaf182', 6, 3, 2, 1795874822118, '{"at":"2026-11-28T14:07:02.1180421Z","by":"ada","host":"bastion-1","person":"ada","record":{"delivery":"sent","message_id":"<lsrn5r2lomqe6j4zhpzw2oms.785b965817fc29af@lab.example>","record":"notice-delivery","reply":"250 2.0.0 Ok: queued as PfBLkOMxAI"},"seq":6,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 6, '203922cc2e0b676d0293ea98d3f98160f002c58389910ec5e7e9ab79cddc5e41');
INSERT INTO public.record VALUES ('20261128-140701-eaf182', 7, 3, 2, 1795874822153, '{"at":"2026-11-28T14:07:02.153845891Z","by":"ada","host":"bastion-1","person":"ada","record":{"delivery":"sent","message_id":"<itk4ggrnvgcprg7o7cgxhjbb.0f46ae9c435b148c@lab.example>","record":"notice-delivery","reply":"250 2.0.0 Ok: queued as TZ703HZ4zz"},"seq":7,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 7, 'a270792ea790980a0fa6a1151fe75f706a53de2536b31f2b339d64ea534630df');
INSERT INTO public.record VALUES ('20261128-140701-eaf182', 8, 3, 2, 1795874822156, '{"at":"2026-11-28T14:07:02.156154965Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"2 accepted by the mail server","record":"step-succeeded","step":1},"seq":8,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 8, '89f9af08b86b0d5db2de0bcbb35ddca8d6177a931f1c13e239dc900ba8feb683');
INSERT INTO public.record VALUES ('20261128-140701-eaf182', 9, 3, 3, 1795874822415, '{"at":"2026-11-28T14:07:02.415474475Z","by":"ada","host":"bastion-1","person":"ada","record":{"answer":"confirmed","channel":"phone","client":"u-ada","note":"","record":"answered","revision":1},"seq":9,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 9, '0cfc091cca55e5735faf05e99efadbe5a3321ed6ec4d7f2d83025809d560cf39');
INSERT INTO public.record VALUES ('20261128-140701-eaf182', 10, 3, 4, 1795874822574, '{"at":"2026-11-28T14:07:02.574481118Z","by":"ada","host":"bastion-1","person":"ada","record":{"answer":"confirmed","channel":"phone","client":"u-grace","note":"","record":"answered","revision":1},"seq":10,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 10, '1e311d9982174e3b9d4653b45f20fff9622696d5510d947c913f92ac28cbbd95');
INSERT INTO public.record VALUES ('20261128-140701-eaf182', 11, 3, 5, 1795874822903, '{"at":"2026-11-28T14:07:02.903701448Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":2},"seq":11,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 11, '05ca32bfaa1845c717a0b65810188cc4600a47514b1a8480a953c7ad36a0cfd6');
INSERT INTO public.record VALUES ('20261128-140701-eaf182', 12, 3, 5, 1795874822973, '{"at":"2026-11-28T14:07:02.973522395Z","by":"ada","host":"bastion-1","person":"ada","record":{"preflight":{"at":"2026-11-28T14:07:02.973322112Z","checks":[{"advice":"","finding":"token for ops until 15:07:02 UTC","name":"keystone","state":"pass"},{"advice":"","finding":"answers; 1 secrets in the project","name":"barbican","state":"pass"},{"advice":"","finding":"reachable, TLS and password accepted","name":"mail","state":"pass"},{"advice":"","finding":"operator, the token does not say when it ends","name":"console","state":"pass"},{"advice":"","finding":"looks the secret up by name","name":"agent","state":"pass"},{"advice":"","finding":"not through the tunnel: no ssh session is known; the way of server.command is not known","name":"own-route","state":"pass"},{"advice":"","finding":"one secret has the name, and it holds a key","name":"secret","state":"pass"},{"advice":"","finding":"readable and well-formed, 2 users","name":"object","state":"pass"},{"advice":"","finding":"`wg show` answers, 2 peers","name":"server","state":"pass"},{"advice":"","finding":"server +0 s, Keystone +0 s against this host","name":"clocks","state":"pass"},{"advice":"","finding":"all places show OB6MzXzR","name":"keys","state":"pass"},{"advice":"","finding":"2 clients, all places agree","name":"people","state":"pass"}],"keys":{"console":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","interface":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","object":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","secret":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI="}},"record":"checked"},"seq":12,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 12, 'db487245a0956080264e41deb5115f823cf4c6b36d18ea78c5d20c0fa8953113');
INSERT INTO public.record VALUES ('20261128-140701-eaf182', 13, 3, 5, 1795874822992, '{"at":"2026-11-28T14:07:02.992471828Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"12 checks, none failed","record":"step-succeeded","step":2},"seq":13,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 13, 'aa273d17f36dd96ca5311a26e6857b9f391560c529348892cec92fd43cff3005');
INSERT INTO public.record VALUES ('20261128-140701-eaf182', 14, 3, 5, 1795874822992, '{"at":"2026-11-28T14:07:02.992471828Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"rotate-confirmed","waived":[]},"seq":14,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 14, 'aafc90e76e40cc7edf69d9d06bfcefee22ecaec582dede45afaf40f8210b29cd');
INSERT INTO public.record VALUES ('20261128-140701-eaf182', 15, 3, 5, 1795874822992, '{"at":"2026-11-28T14:07:02.992471828Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":3},"seq":15,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 15, 'eb26c8ef38a582b5c5909eeb713f0e888906c8df7aa25b40fc7888e0b70675bb');
INSERT INTO public.record VALUES ('20261128-140701-eaf182', 18, 3, 5, 1795874823036, '{"at":"2026-11-28T14:07:03.036199028Z","by":"ada","host":"bastion-1","person":"ada","record":{"href":"http://127.0.0.1:33411/v1/secrets/af6890bf-9fe9-4025-84cf-2c49610ffc66","name":"changeguard-staged-20261128-140701-eaf182-5390c0fad0cb9d405e5281ae860fb578","public_key":"RlyFWfjoWFC5OXrwHGo0ORP0XSp8cGB2ZZLC4KSnlCc=","record":"key-kept","role":"staged"},"seq":18,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 18, '474bbc51a2db5851eea01f9025dfde05033085f7e41a946e58ac78c34cc3d4bb');
INSERT INTO public.record VALUES ('20261128-140701-eaf182', 19, 3, 5, 1795874823036, '{"at":"2026-11-28T14:07:03.036215655Z","by":"ada","host":"bastion-1","person":"ada","record":{"name":"changeguard-previous-20261128-140701-eaf182-5390c0fad0cb9d405e5281ae860fb578","public_key":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","record":"key-keeping","role":"previous"},"seq":19,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 19, '54496cba2e56ae75ed4c1f7657cffe3cbcce26087d448df2cf026691910ee96d');
INSERT INTO public.record VALUES ('20261128-140701-eaf182', 20, 3, 5, 1795874823088, '{"at":"2026-11-28T14:07:03.088003572Z","by":"ada","host":"bastion-1","person":"ada","record":{"href":"http://127.0.0.1:33411/v1/secrets/dced7016-998e-42d3-ae63-90caa4b5c28e","name":"changeguard-previous-20261128-140701-eaf182-5390c0fad0cb9d405e5281ae860fb578","public_key":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","record":"key-kept","role":"previous"},"seq":20,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 20, '6b4a88dd14fe8f5701cef17762c995b9b04e26a9a62857affae635905e1d8064');
INSERT INTO public.record VALUES ('20261128-140701-eaf182', 16, 3, 5, 1795874823001, '{"at":"2026-11-28T14:07:03.001596912Z","by":"ada","host":"bastion-1","person":"ada","record":{"name":"changeguard-staged-20261128-140701-eaf182-5390c0fad0cb9d405e5281ae860fb578","public_key":"RlyFWfjoWFC5OXrwHGo0ORP0XSp8cGB2ZZLC4KSnlCc=","record":"key-keeping","role":"staged"},"seq":16,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 16, '76079b10174c2b6c4754b110ab4338b53cf7fa31322fb4921ca0d557dcc4be20');
INSERT INTO public.record VALUES ('20261128-140701-eaf182', 17, 3, 5, 1795874823023, '{"at":"2026-11-28T14:07:03.023503062Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"shape-seen","shape":{"acl":null,"algorithm":"aes","bit_length":256,"consumers":[],"content_type":"application/octet-stream","expiration":null,"metadata":{},"mode":"cbc","secret_type":"opaque","trailing_newline":false}},"seq":17,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 17, 'c62fee5dd78dc4091a8fa65ecc4a46a52aae486648bee10172f870d54e0863b6');
INSERT INTO public.record VALUES ('20261128-140701-eaf182', 21, 3, 6, 1795874823367, '{"at":"2026-11-28T14:07:03.367098092Z","by":"ada","host":"bastion-1","person":"ada","record":{"forced":false,"from":{"heartbeat":"2026-11-28T14:07:02.859Z","host":"bastion-1","name":"ada","pid":11264,"since":"2026-11-28T14:07:02.859Z"},"reason":"its process 11264 is no more","record":"taken-over"},"seq":21,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 21, '66ca6f89b3b920bc57c823f9d2bba6070a462e6978be66499b8d9fe5f6194343');
INSERT INTO public.record VALUES ('20261128-140701-eaf182', 22, 3, 6, 1795874823373, '{"at":"2026-11-28T14:07:03.373578654Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-ada","email":"⟨905ad1faf643f6051ae607873e783ade⟩","kind":"cancellation","message_id":"<itk4ggrnvgcprg7o7cgxhjbb.5f7f6a5e920f8c88@lab.example>","record":"notice-queued","revision":1},"seq":22,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 22, 'ff4143658105573a3f438c29c166503162b8b854e698bcf67467034ebaf8af87');
INSERT INTO public.record VALUES ('20261128-140701-eaf182', 23, 3, 6, 1795874823381, '{"at":"2026-11-28T14:07:03.381049924Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-grace","email":"⟨493e8269a74a54fb25b04359076eceb7⟩","kind":"cancellation","message_id":"<lsrn5r2lomqe6j4zhpzw2oms.146ffdc01065d444@lab.example>","record":"notice-queued","revision":1},"seq":23,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 23, '07a48c8bd6dda1311962336038ede1a298d884679d817aeeee829f52121bcc34');
INSERT INTO public.record VALUES ('20261128-140701-eaf182', 24, 3, 6, 1795874823388, '{"at":"2026-11-28T14:07:03.388409095Z","by":"ada","host":"bastion-1","person":"ada","record":{"delivery":"sent","message_id":"<itk4ggrnvgcprg7o7cgxhjbb.5f7f6a5e920f8c88@lab.example>","record":"notice-delivery","reply":"250 2.0.0 Ok: queued as uX_9cM-4w9"},"seq":24,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 24, '1a3d6cc0379a7a90a7877213411359d7efafc6a12a6e63629991cf0c1a8640db');
INSERT INTO public.record VALUES ('20261128-140701-eaf182', 25, 3, 6, 1795874823390, '{"at":"2026-11-28T14:07:03.390812668Z","by":"ada","host":"bastion-1","person":"ada","record":{"delivery":"sent","message_id":"<lsrn5r2lomqe6j4zhpzw2oms.146ffdc01065d444@lab.example>","record":"notice-delivery","reply":"250 2.0.0 Ok: queued as CqRGnyhrgE"},"seq":25,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 25, '4437d2b8296d827de8121cdb10a68171b31fee23a7c5b86c05fd04f19aa40899');
INSERT INTO public.record VALUES ('20261128-140701-eaf182', 26, 3, 6, 1795874823400, '{"at":"2026-11-28T14:07:03.400949993Z","by":"ada","host":"bastion-1","person":"ada","record":{"answer":"1 deleted, none of the name left","name":"changeguard-staged-20261128-140701-eaf182-5390c0fad0cb9d405e5281ae860fb578","record":"key-destroyed","role":"staged"},"seq":26,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 26, 'ed887daebc6642e886571cb931bc5eb0c03dfd1d8f87411d2d711300a170c93e');
INSERT INTO public.record VALUES ('20261128-140701-eaf182', 27, 3, 6, 1795874823404, '{"at":"2026-11-28T14:07:03.404943797Z","by":"ada","host":"bastion-1","person":"ada","record":{"answer":"1 deleted, none of the name left","name":"changeguard-previous-20261128-140701-eaf182-5390c0fad0cb9d405e5281ae860fb578","record":"key-destroyed","role":"previous"},"seq":27,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 27, '372933d2b0126a9d19f09f2ffd548f043ee49c169372024e294c850960caaa28');
INSERT INTO public.record VALUES ('20261128-140701-eaf182', 28, 3, 6, 1795874823418, '{"at":"2026-11-28T14:07:03.418827351Z","by":"ada","host":"bastion-1","person":"ada","record":{"note":"a rehearsal","outcome":"cancelled","record":"finished"},"seq":28,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 28, '5988e1c79dc0e49d4f71c2ac40e6489f2020993508b4030e0ac3772351fd31db');
INSERT INTO public.rotation VALUES ('20261128-140701-eaf182', '5390c0fad0cb9d405e5281ae860fb578', 1795874821569, 28);
INSERT INTO public.schema_version VALUES (1);
INSERT INTO public.schema_version VALUES (2);
INSERT INTO public.schema_version VALUES (3);
ALTER TABLE ONLY public.chain
    ADD CONSTRAINT chain_pkey PRIMARY KEY (tenant);
ALTER TABLE ONLY public.lease
    ADD CONSTRAINT lease_pkey PRIMARY KEY (tenant);
ALTER TABLE ONLY public.mailbox
    ADD CONSTRAINT mailbox_pkey PRIMARY KEY (mailbox, folder);
ALTER TABLE ONLY public.person
    ADD CONSTRAINT person_pkey PRIMARY KEY (token);
ALTER TABLE ONLY public.record
    ADD CONSTRAINT record_pkey PRIMARY KEY (rotation, seq);
ALTER TABLE ONLY public.rotation
    ADD CONSTRAINT rotation_pkey PRIMARY KEY (rotation);
ALTER TABLE ONLY public.schema_version
    ADD CONSTRAINT schema_version_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.stray
    ADD CONSTRAINT stray_pkey PRIMARY KEY (mailbox, mail);
CREATE INDEX person_by_tenant ON public.person USING btree (tenant);
CREATE UNIQUE INDEX record_by_position ON public.record USING btree (tenant, "position");
CREATE INDEX rotation_by_tenant ON public.rotation USING btree (tenant, began_ms);
ALTER TABLE ONLY public.record
    ADD CONSTRAINT record_rotation_fkey FOREIGN KEY (rotation) REFERENCES public.rotation(rotation);
