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
INSERT INTO public.chain VALUES ('5390c0fad0cb9d405e5281ae860fb578', 15, 'c528d072b22b6b2a882c045ece87bb63004002e62a0ce6c124360ebe1129841b', 0);
INSERT INTO public.lease VALUES ('5390c0fad0cb9d405e5281ae860fb578', 5, 0, 15, 'ada', 'bastion-1', 6495, 1795874805483, 1795874805483);
INSERT INTO public.person VALUES ('002f97d9d4cd7c57bbc751204d1e0200', '5390c0fad0cb9d405e5281ae860fb578', '9c088aec6750a849df1dc4967424d192', '81bd1b961888e0d905340e4783fc1c35', 'ada.okafor@acme.example');
INSERT INTO public.person VALUES ('ddb903257a372fb24f6ae1a61f5fa41a', '5390c0fad0cb9d405e5281ae860fb578', '9c088aec6750a849df1dc4967424d192', '69ffcf861414e5ee8231acbba04c3393', 'Ada Okafor');
INSERT INTO public.person VALUES ('9af8a1e2a0afc15d547c211ad65004d9', '5390c0fad0cb9d405e5281ae860fb578', '836362c61a06f2980e6ba551f70b7c79', 'a1f2ab24bf71b896815200ce6543a79c', 'grace.lindqvist@acme.example');
INSERT INTO public.person VALUES ('319b62bcac1a595e7b025c3304896dbb', '5390c0fad0cb9d405e5281ae860fb578', '836362c61a06f2980e6ba551f70b7c79', 'f3b62ad0cbba712d5661752818fa0c24', 'Grace Lindqvist');
INSERT INTO public.record VALUES ('20261128-140643-09e98e', 1, 3, 1, 1795874803190, '{"at":"2026-11-28T14:06:43.19025724Z","by":"ada","host":"bastion-1","person":"ada","record":{"cause":"scheduled","record":"planned","reference":"CHG-4711","rotation":"20261128-140643-09e98e","tenant":{"gateway":"10.77.1.1","id":"5390c0fad0cb9d405e5281ae860fb578","name":"acme","server":"vpn-acme"},"window":{"end":"2026-11-28T15:36:00Z","revision":1,"start":"2026-11-28T14:06:00Z","zone":"UTC"}},"seq":1,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 1, 'b857e121b43dd6be1a43232ef163037093a6a89e7edf978a236d8955613bd524');
INSERT INTO public.record VALUES ('20261128-140643-09e98e', 2, 3, 1, 1795874803217, '{"at":"2026-11-28T14:06:43.217173871Z","by":"ada","host":"bastion-1","person":"ada","record":{"clients":[{"email":"⟨002f97d9d4cd7c57bbc751204d1e0200⟩","id":"u-ada","name":"⟨ddb903257a372fb24f6ae1a61f5fa41a⟩","public_key":"oDgN6UIjzUcM21ukWQkE0Nk8K2R7HmlfYzEMZKfNEV0=","sources":["object","console"]},{"email":"⟨9af8a1e2a0afc15d547c211ad65004d9⟩","id":"u-grace","name":"⟨319b62bcac1a595e7b025c3304896dbb⟩","public_key":"vmjJXTnDIxDcGCI6nGioVBPT7mc7C0YIYGtXx85KDFo=","sources":["object","console"]}],"record":"people-seen"},"seq":2,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 2, 'd86ef9a3a7039e960cbad838f4c8037fa2510fd21616f72a8c2d0088e7c22d80');
INSERT INTO public.record VALUES ('20261128-140643-09e98e', 3, 3, 2, 1795874804280, '{"at":"2026-11-28T14:06:44.280747281Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":1},"seq":3,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 3, '269e91f1530a0cd1b661231dd72b1809aad8bb5b0265d16212d4058263a68721');
INSERT INTO public.record VALUES ('20261128-140643-09e98e', 4, 3, 2, 1795874804371, '{"at":"2026-11-28T14:06:44.371867034Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-ada","email":"⟨002f97d9d4cd7c57bbc751204d1e0200⟩","kind":"announcement","message_id":"<o6idikaf3pa3ukxurk2zwlft.735bb5f04bf23bb7@lab.example>","record":"notice-queued","revision":1},"seq":4,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 4, '1c106311683c5f8288fccdcbeb3922ca73aac8d8a5c0cde2e48328bb90c13833');
INSERT INTO public.record VALUES ('20261128-140643-09e98e', 5, 3, 2, 1795874804385, '{"at":"2026-11-28T14:06:44.385253386Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-grace","email":"⟨9af8a1e2a0afc15d547c211ad65004d9⟩","kind":"announcement","message_id":"<jwpdjcit4pyzmy4exjyf77mv.f9b4ee2ec971e2f3@lab.example>","record":"notice-queued","revision":1},"seq":5,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 5, 'f187e1e7d35059ace63baeb1b6192acc5c47200e1952d0a67c957553ebc67947');
INSERT INTO public.record VALUES ('20261128-140643-09e98e', 6, 3, 2, 1795874804388, '{"at":"2026-11-28T14:06:44.38855032Z","by":"ada","host":"bastion-1","person":"ada","record":{"delivery":"sent","message_id":"<o6idikaf3pa3ukxurk2zwlft.735bb5f04bf23bb7@lab.example>","record":"notice-delivery","reply":"250 2.0.0 Ok: queued as PfBLkOMxAI"},"seq":6,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 6, 'b47c0565ba7c66aecf0c413adae82d804d2eaeac4dd47687eb6c98f6b35417fe');
INSERT INTO public.record VALUES ('20261128-140643-09e98e', 7, 3, 2, 1795874804409, '{"at":"2026-11-28T14:06:44.40934733Z","by":"ada","host":"bastion-1","person":"ada","record":{"delivery":"sent","message_id":"<jwpdjcit4pyzmy4exjyf77mv.f9b4ee2ec971e2f3@lab.example>","record":"notice-delivery","reply":"250 2.0.0 Ok: queued as TZ703HZ4zz"},"seq":7,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 7, '70561f14f6c50d12ce20f09238b5426a7cf78ad6690b1794f61412bd5175401e');
INSERT INTO public.record VALUES ('20261128-140643-09e98e', 8, 3, 2, 1795874804416, '{"at":"2026-11-28T14:06:44.416954383Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"2 accepted by the mail server","record":"step-succeeded","step":1},"seq":8,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 8, 'f93296e1fdf524223933a030e35b623630a5fa1983e84642d464657e878d4539');
INSERT INTO public.record VALUES ('20261128-140643-09e98e', 9, 3, 3, 1795874804812, '{"at":"2026-11-28T14:06:44.812811198Z","by":"ada","host":"bastion-1","person":"ada","record":{"answer":"confirmed","channel":"phone","client":"u-ada","note":"","record":"answered","revision":1},"seq":9,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 9, '4c62bf9906773dec54f3dc1dd4d4c63d10b6ecf60bdb9cf095c5b02d190f7fa1');
INSERT INTO public.record VALUES ('20261128-140643-09e98e', 10, 3, 4, 1795874804976, '{"at":"2026-11-28T14:06:44.976296431Z","by":"ada","host":"bastion-1","person":"ada","record":{"answer":"confirmed","channel":"phone","client":"u-grace","note":"","record":"answered","revision":1},"seq":10,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 10, '7f37080b27e8d3357a3d9147a4a98bc8e5d042a58f696542ca320cb245a765e2');
INSERT INTO public.record VALUES ('20261128-140643-09e98e', 11, 3, 5, 1795874805548, '{"at":"2026-11-28T14:06:45.548202855Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-ada","email":"⟨002f97d9d4cd7c57bbc751204d1e0200⟩","kind":"cancellation","message_id":"<o6idikaf3pa3ukxurk2zwlft.11e74d6b9a91d2df@lab.example>","record":"notice-queued","revision":1},"seq":11,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 11, 'b86a7356e63bb3ca67f55e7cdde2f615e527f3a9ccc0239327d5f4512a880269');
INSERT INTO public.record VALUES ('20261128-140643-09e98e', 12, 3, 5, 1795874805566, '{"at":"2026-11-28T14:06:45.566635892Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-grace","email":"⟨9af8a1e2a0afc15d547c211ad65004d9⟩","kind":"cancellation","message_id":"<jwpdjcit4pyzmy4exjyf77mv.0987633a36751832@lab.example>","record":"notice-queued","revision":1},"seq":12,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 12, '73895b1e8d142e8594e213f1c2a33e1b6383a46095eaf6a1e90bc44ea6c1be3a');
INSERT INTO public.record VALUES ('20261128-140643-09e98e', 13, 3, 5, 1795874805678, '{"at":"2026-11-28T14:06:45.67823466Z","by":"ada","host":"bastion-1","person":"ada","record":{"delivery":"sent","message_id":"<o6idikaf3pa3ukxurk2zwlft.11e74d6b9a91d2df@lab.example>","record":"notice-delivery","reply":"250 2.0.0 Ok: queued as 7kF0AfMpch"},"seq":13,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 13, '5b3c7ff8efbd6810663ccaf817c584385ac6ae37a1a8821cfc77b0c993dab4c9');
INSERT INTO public.record VALUES ('20261128-140643-09e98e', 14, 3, 5, 1795874805697, '{"at":"2026-11-28T14:06:45.697028312Z","by":"ada","host":"bastion-1","person":"ada","record":{"delivery":"sent","message_id":"<jwpdjcit4pyzmy4exjyf77mv.0987633a36751832@lab.example>","record":"notice-delivery","reply":"250 2.0.0 Ok: queued as dcBzKzA_eB"},"seq":14,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 14, '5dbae9601e936d5cfdcc1e1dba7d4cb8e0c68d8cdd4b38052883c4a2668cbc13');
INSERT INTO public.record VALUES ('20261128-140643-09e98e', 15, 3, 5, 1795874805726, '{"at":"2026-11-28T14:06:45.726060426Z","by":"ada","host":"bastion-1","person":"ada","record":{"note":"a rehearsal","outcome":"cancelled","record":"finished"},"seq":15,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 15, 'c528d072b22b6b2a882c045ece87bb63004002e62a0ce6c124360ebe1129841b');
INSERT INTO public.rotation VALUES ('20261128-140643-09e98e', '5390c0fad0cb9d405e5281ae860fb578', 1795874803190, 15);
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
