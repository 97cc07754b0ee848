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
INSERT INTO public.chain VALUES ('5390c0fad0cb9d405e5281ae860fb578', 43, '354f20e1e0a2d8c72eb8120fea6ec95a06a4be42a9d534ccd79d8bacb19a350f', 0);
INSERT INTO public.lease VALUES ('5390c0fad0cb9d405e5281ae860fb578', 8, 0, 36, 'ada', 'bastion-1', 18700, 1795874637823, 1795874637823);
INSERT INTO public.person VALUES ('f928db4b164ba11ec2f5822febd143f6', '5390c0fad0cb9d405e5281ae860fb578', '25a2e59768eb2c62fe7672406be1d7d3', '33afdf68e52a1e01a345b424f2c9f52d', 'ada.okafor@acme.example');
INSERT INTO public.person VALUES ('cca201e32980c6d65b10f468f020a90c', '5390c0fad0cb9d405e5281ae860fb578', '25a2e59768eb2c62fe7672406be1d7d3', 'feea20a52592828b0e2302c8f4b62d4b', 'Ada Okafor');
INSERT INTO public.person VALUES ('328c5719009296d6ceaeb150dff18dc6', '5390c0fad0cb9d405e5281ae860fb578', '665a0704b1d1fbb709b6012fac816dc0', '87f609d74ddc22a8c2a7741034851864', 'grace.lindqvist@acme.example');
INSERT INTO public.person VALUES ('078b915d6afd0a4c7acdf7644860f254', '5390c0fad0cb9d405e5281ae860fb578', '665a0704b1d1fbb709b6012fac816dc0', 'd372627e700ffe566a88adf50a166489', 'Grace Lindqvist');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 1, 3, 1, 1795874631465, '{"at":"2026-11-28T14:03:51.465259892Z","by":"ada","host":"bastion-1","person":"ada","record":{"cause":"scheduled","record":"planned","reference":"CHG-4711","rotation":"20261128-140351-b7de62","tenant":{"gateway":"10.77.1.1","id":"5390c0fad0cb9d405e5281ae860fb578","name":"acme","server":"vpn-acme"},"window":{"end":"2026-11-28T15:33:00Z","revision":1,"start":"2026-11-28T14:03:00Z","zone":"UTC"}},"seq":1,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 1, '11587933819ade88e35f28a00e8b81f262c571023af7c2d8e39929392a4d4681');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 2, 3, 1, 1795874631493, '{"at":"2026-11-28T14:03:51.49345476Z","by":"ada","host":"bastion-1","person":"ada","record":{"clients":[{"email":"⟨f928db4b164ba11ec2f5822febd143f6⟩","id":"u-ada","name":"⟨cca201e32980c6d65b10f468f020a90c⟩","public_key":"oDgN6UIjzUcM21ukWQkE0Nk8K2R7HmlfYzEMZKfNEV0=","sources":["object","console"]},{"email":"⟨328c5719009296d6ceaeb150dff18dc6⟩","id":"u-grace","name":"⟨078b915d6afd0a4c7acdf7644860f254⟩","public_key":"vmjJXTnDIxDcGCI6nGioVBPT7mc7C0YIYGtXx85KDFo=","sources":["object","console"]}],"record":"people-seen"},"seq":2,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 2, 'e7d6d246dbe60cf49d56dc69d482e6d9190091ab5e5bcdcabd3e1c3f3b404a01');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 3, 3, 2, 1795874632421, '{"at":"2026-11-28T14:03:52.421583497Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":1},"seq":3,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 3, '0f16b865b4bff916d0e4d4dd633cd56c951231d5031dbfc08dada6e2285dd691');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 4, 3, 2, 1795874632610, '{"at":"2026-11-28T14:03:52.610488007Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-ada","email":"⟨f928db4b164ba11ec2f5822febd143f6⟩","kind":"announcement","message_id":"<ddr6tyaux6nzqcxsj32ejswf.a20057669b8c2f29@lab.example>","record":"notice-queued","revision":1},"seq":4,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 4, '8dfc1fbb6ff136c037d3561af95a7b2f61b6b8cd69e884924d7c7463d9855711');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 5, 3, 2, 1795874632640, '{"at":"2026-11-28T14:03:52.640544287Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-grace","email":"⟨328c5719009296d6ceaeb150dff18dc6⟩","kind":"announcement","message_id":"<4egktuzddb4d4scvjjkv64pm.987dbd6826929786@lab.example>","record":"notice-queued","revision":1},"seq":5,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 5, '3ba95814dbb85ec2e18511564762b58ffb7efd6e29a4f48a2100c7741effcaa3');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 6, 3, 2, 1795874632644, '{"at":"2026-11-28T14:03:52.644451618Z","by":"ada","host":"bastion-1","person":"ada","record":{"delivery":"sent","message_id":"<ddr6tyaux6nzqcxsj32ejswf.a20057669b8c2f29@lab.example>","record":"notice-delivery","reply":"250 2.0.0 Ok: queued as PfBLkOMxAI"},"seq":6,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 6, 'dda5fe2b108d69dbd51dc3d88a2322cb2b7ab38ddbd530e13d3c9de0213161be');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 7, 3, 2, 1795874632831, '{"at":"2026-11-28T14:03:52.831235933Z","by":"ada","host":"bastion-1","person":"ada","record":{"delivery":"sent","message_id":"<4egktuzddb4d4scvjjkv64pm.987dbd6826929786@lab.example>","record":"notice-delivery","reply":"250 2.0.0 Ok: queued as TZ703HZ4zz"},"seq":7,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 7, '3e3fd3f58facf96f7d5e6b051f761d7d2c541582eee6b118531b824862b23d9f');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 8, 3, 2, 1795874632835, '{"at":"2026-11-28T14:03:52.835836428Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"2 accepted by the mail server","record":"step-succeeded","step":1},"seq":8,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 8, '3e720d1560ca5781e011b32aa56b561b9f75b6eaf7a52c789ba5051e99f01bb3');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 9, 3, 3, 1795874633890, '{"at":"2026-11-28T14:03:53.890917145Z","by":"ada","host":"bastion-1","person":"ada","record":{"answer":"confirmed","channel":"phone","client":"u-ada","note":"","record":"answered","revision":1},"seq":9,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 9, '512b288e6d5515655ff017c35dedc1d80c930da4b1bd5665984266f1619a175c');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 10, 3, 4, 1795874634169, '{"at":"2026-11-28T14:03:54.169250576Z","by":"ada","host":"bastion-1","person":"ada","record":{"answer":"confirmed","channel":"phone","client":"u-grace","note":"","record":"answered","revision":1},"seq":10,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 10, 'e423786f4a021ac0cafbb725ce3e3f9b78c50f65832446c26c46f99e45015e64');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 11, 3, 5, 1795874634720, '{"at":"2026-11-28T14:03:54.720320949Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":2},"seq":11,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 11, 'bf5d8f95f07e232f3b911e61dc5c4671d6f1603611619c8f86f41d8b242accc1');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 12, 3, 5, 1795874634939, '{"at":"2026-11-28T14:03:54.939191929Z","by":"ada","host":"bastion-1","person":"ada","record":{"preflight":{"at":"2026-11-28T14:03:54.939047777Z","checks":[{"advice":"","finding":"token for ops until 15:03:54 UTC","name":"keystone","state":"pass"},{"advice":"","finding":"answers; 1 secrets in the project","name":"barbican","state":"pass"},{"advice":"","finding":"reachable, TLS and password accepted","name":"mail","state":"pass"},{"advice":"","finding":"operator, the token does not say when it ends","name":"console","state":"pass"},{"advice":"","finding":"looks the secret up by name","name":"agent","state":"pass"},{"advice":"","finding":"not through the tunnel: no ssh session is known; the way of server.command is not known","name":"own-route","state":"pass"},{"advice":"","finding":"one secret has the name, and it holds a key","name":"secret","state":"pass"},{"advice":"","finding":"readable and well-formed, 2 users","name":"object","state":"pass"},{"advice":"","finding":"`wg show` answers, 2 peers","name":"server","state":"pass"},{"advice":"","finding":"server +0 s, Keystone +0 s against this host","name":"clocks","state":"pass"},{"advice":"","finding":"all places show OB6MzXzR","name":"keys","state":"pass"},{"advice":"","finding":"2 clients, all places agree","name":"people","state":"pass"}],"keys":{"console":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","interface":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","object":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","secret":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI="}},"record":"checked"},"seq":12,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 12, '4487f589eba4acac9953b8d078a2bf7ed53be66dbb94d16cceb92d1962556af7');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 13, 3, 5, 1795874635009, '{"at":"2026-11-28T14:03:55.009014956Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"12 checks, none failed","record":"step-succeeded","step":2},"seq":13,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 13, 'ce93c471fc387d7009e67b268b3a9e9e38f95a0e46f475ff07c34123e9a26f1e');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 14, 3, 5, 1795874635009, '{"at":"2026-11-28T14:03:55.009014956Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"rotate-confirmed","waived":[]},"seq":14,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 14, 'd6ebaa7b44ea31c0d17dd9295c7e0a6671ac1f5167f14abfe4d57e95057bd88a');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 15, 3, 5, 1795874635009, '{"at":"2026-11-28T14:03:55.009014956Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":3},"seq":15,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 15, '8cd0695c3f0ecc92d4b1c93a71ac6c369a3bebaccc72c120f5e2519070443aae');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 18, 3, 5, 1795874635050, '{"at":"2026-11-28T14:03:55.05032076Z","by":"ada","host":"bastion-1","person":"ada","record":{"href":"http://127.0.0.1:41729/v1/secrets/af6890bf-9fe9-4025-84cf-2c49610ffc66","name":"changeguard-staged-20261128-140351-b7de62-5390c0fad0cb9d405e5281ae860fb578","public_key":"9I1S+nWk3aY/2zQ0B64+0+/7NEiaFb8PF06mT7tgq2A=","record":"key-kept","role":"staged"},"seq":18,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 18, '68edfb1d3c861be5efff1fb695a5747bc37b5635dff35c2c7d0438a330a94f16');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 19, 3, 5, 1795874635050, '{"at":"2026-11-28T14:03:55.050336003Z","by":"ada","host":"bastion-1","person":"ada","record":{"name":"changeguard-previous-20261128-140351-b7de62-5390c0fad0cb9d405e5281ae860fb578","public_key":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","record":"key-keeping","role":"previous"},"seq":19,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 19, '2f371e473803f4c205e3d1e5a9237183465ef250788a974ef946ac515d9cf28f');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 20, 3, 5, 1795874635072, '{"at":"2026-11-28T14:03:55.072216414Z","by":"ada","host":"bastion-1","person":"ada","record":{"href":"http://127.0.0.1:41729/v1/secrets/dced7016-998e-42d3-ae63-90caa4b5c28e","name":"changeguard-previous-20261128-140351-b7de62-5390c0fad0cb9d405e5281ae860fb578","public_key":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","record":"key-kept","role":"previous"},"seq":20,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 20, 'af61ef87028c17cbcfb0b50df0da219f2b9de33a849920e545a4156a69eaee52');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 24, 3, 5, 1795874635302, '{"at":"2026-11-28T14:03:55.302479051Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"gap 3.6 ms, one secret, holds 9I1S+nWk","record":"step-succeeded","step":4},"seq":24,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 24, '00843596b823e9a0f4883eb9948d5adbed342d71b4df39eef29956eef3f2809e');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 25, 3, 5, 1795874635302, '{"at":"2026-11-28T14:03:55.302479051Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":5},"seq":25,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 25, 'cc7dc294fd08276010072781d04710de1ed46f9f1e2ccdc6adfbf44f37a50276');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 29, 3, 5, 1795874635324, '{"at":"2026-11-28T14:03:55.324519197Z","by":"ada","host":"bastion-1","person":"ada","record":{"baseline":{"clock":1795874635,"peers":{"oDgN6UIjzUcM21ukWQkE0Nk8K2R7HmlfYzEMZKfNEV0=":[1795874536,545419816],"vmjJXTnDIxDcGCI6nGioVBPT7mc7C0YIYGtXx85KDFo=":[1795874569,875512105]},"public_key":"9I1S+nWk3aY/2zQ0B64+0+/7NEiaFb8PF06mT7tgq2A="},"record":"applied","waited_ms":9},"seq":29,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 29, '14c30c40371187e950e5bd01376709fa87a06b4f9f424289066531b5c1fef10d');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 16, 3, 5, 1795874635012, '{"at":"2026-11-28T14:03:55.012246598Z","by":"ada","host":"bastion-1","person":"ada","record":{"name":"changeguard-staged-20261128-140351-b7de62-5390c0fad0cb9d405e5281ae860fb578","public_key":"9I1S+nWk3aY/2zQ0B64+0+/7NEiaFb8PF06mT7tgq2A=","record":"key-keeping","role":"staged"},"seq":16,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 16, '946a8fa07a0a7267ba17aea990fe2e331435a3ee8f503749012f8376ed49a6ac');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 17, 3, 5, 1795874635021, '{"at":"2026-11-28T14:03:55.02136725Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"shape-seen","shape":{"acl":null,"algorithm":"aes","bit_length":256,"consumers":[],"content_type":"application/octet-stream","expiration":null,"metadata":{},"mode":"cbc","secret_type":"opaque","trailing_newline":false}},"seq":17,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 17, '00998489c39b845880e976e26e990d77932229339f97a062145f98abc8109cb9');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 21, 3, 5, 1795874635078, '{"at":"2026-11-28T14:03:55.078167431Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"staged 9I1S+nWk, previous OB6MzXzR kept; both read back","record":"step-succeeded","step":3},"seq":21,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 21, '1559191f9c2b8f4dbacd0bfef3a77aec8b1969b6efb4270e3785848b6a9ed130');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 22, 3, 5, 1795874635078, '{"at":"2026-11-28T14:03:55.078167431Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":4},"seq":22,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 22, '3bcdaf008714549d4cc5220d23a0cea1a69c2cc6abfc0ca4657a136f7de458ab');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 23, 3, 5, 1795874635260, '{"at":"2026-11-28T14:03:55.260145176Z","by":"ada","host":"bastion-1","person":"ada","record":{"gap_us":3670,"not_carried":[],"public_key":"9I1S+nWk3aY/2zQ0B64+0+/7NEiaFb8PF06mT7tgq2A=","record":"swapped"},"seq":23,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 23, 'ee39f55cba163bf3bd4c3081d1caf289329258e24962b700fc402eb724f2501f');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 26, 3, 5, 1795874635308, '{"at":"2026-11-28T14:03:55.308327292Z","by":"ada","host":"bastion-1","person":"ada","record":{"etag":"7ed1d94342611925b197f3dd30c2d9d1","from":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","record":"object-changed","to":"9I1S+nWk3aY/2zQ0B64+0+/7NEiaFb8PF06mT7tgq2A="},"seq":26,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 26, '2ab6ff5fd5be0b2d5b232e21c285c7e8f0c29d87c3eb3671c4d342f8e74c42f4');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 27, 3, 5, 1795874635315, '{"at":"2026-11-28T14:03:55.315175968Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"the object says 9I1S+nWk, read back","record":"step-succeeded","step":5},"seq":27,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 27, '9531fcccb2206d93819dda3aa1c0afeb8113fb2d785a7feb20174e023c804ace');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 28, 3, 5, 1795874635315, '{"at":"2026-11-28T14:03:55.315175968Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":6},"seq":28,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 28, '13adc305e79ae02a4e74651fdeee8eab1a7868dea34e16649f0ccf44c3f37b3a');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 30, 3, 5, 1795874635326, '{"at":"2026-11-28T14:03:55.326453719Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"after 0.0 s the interface shows 9I1S+nWk","record":"step-succeeded","step":6},"seq":30,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 30, 'dff00b7b940f012e7a7fc9ba0bfa7811c7fb7f5d19232185a3059d62a5fb2413');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 31, 3, 6, 1795874635814, '{"at":"2026-11-28T14:03:55.814336845Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":7},"seq":31,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 31, '62437f75083ea56da15d2e0184d8a3d18adbfc6aaa0e02a8664a0035f1cf6d23');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 32, 3, 6, 1795874636173, '{"at":"2026-11-28T14:03:56.173949097Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-ada","email":"⟨f928db4b164ba11ec2f5822febd143f6⟩","kind":"reconfigure","message_id":"<ddr6tyaux6nzqcxsj32ejswf.4ab58b9f8d716103@lab.example>","record":"notice-queued","revision":1},"seq":32,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 32, '0769703cad28c6fa363a78a711859ffe0caad1bc75f9c5549d6283b9d26ecdb2');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 33, 3, 6, 1795874636231, '{"at":"2026-11-28T14:03:56.231055589Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-grace","email":"⟨328c5719009296d6ceaeb150dff18dc6⟩","kind":"reconfigure","message_id":"<4egktuzddb4d4scvjjkv64pm.5403db8dddf8eee2@lab.example>","record":"notice-queued","revision":1},"seq":33,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 33, '7e4e39da645a7f915dad7a7de5c5248f282f895cda0cb73ddc95624cdfcc29c4');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 34, 3, 6, 1795874636238, '{"at":"2026-11-28T14:03:56.238084471Z","by":"ada","host":"bastion-1","person":"ada","record":{"delivery":"sent","message_id":"<4egktuzddb4d4scvjjkv64pm.5403db8dddf8eee2@lab.example>","record":"notice-delivery","reply":"250 2.0.0 Ok: queued as 9RyiOxhMcM"},"seq":34,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 34, '5ff17dbe4b9477edcbf4c12179f29ca8ee47a5967ea2dbe52da460180b80a6ea');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 35, 3, 6, 1795874636241, '{"at":"2026-11-28T14:03:56.241594759Z","by":"ada","host":"bastion-1","person":"ada","record":{"delivery":"sent","message_id":"<ddr6tyaux6nzqcxsj32ejswf.4ab58b9f8d716103@lab.example>","record":"notice-delivery","reply":"250 2.0.0 Ok: queued as fw4CZ95qLx"},"seq":35,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 35, '50aa1fe4057aab427fb4a121e054ad1783687c6bb6470a12ad7c7e1f259874d0');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 36, 3, 6, 1795874636243, '{"at":"2026-11-28T14:03:56.243204898Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"2 accepted by the mail server","record":"step-succeeded","step":7},"seq":36,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 36, 'e4f4186fc40f4d8c44da3294e8dd18e52d9641a662ee7eb341543727e36c9898');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 37, 3, 7, 1795874636774, '{"at":"2026-11-28T14:03:56.774677983Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-ada","note":"at 14:03:56 UTC by the server''s clock","record":"client-back","source":"handshake"},"seq":37,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 37, '4d20e159c15b2bc45ee8e3192af6e4f17b78f3220fd56e0dc1e315a81c11a9a7');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 38, 3, 7, 1795874637040, '{"at":"2026-11-28T14:03:57.04007813Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-grace","note":"at 14:03:56 UTC by the server''s clock","record":"client-back","source":"handshake"},"seq":38,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 38, '40aba0b8d42db22042d0fd21e2fa8a7c7fe0a1874b5521400fb0d0e815e79128');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 39, 3, 8, 1795874637892, '{"at":"2026-11-28T14:03:57.892298685Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":8},"seq":39,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 39, '3f985d75ff1f6e0218f53d5b45084ec4307b64fc278d31d9f57faa4fb443d540');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 40, 3, 8, 1795874638039, '{"at":"2026-11-28T14:03:58.039511838Z","by":"ada","host":"bastion-1","person":"ada","record":{"answer":"1 deleted, none of the name left","name":"changeguard-staged-20261128-140351-b7de62-5390c0fad0cb9d405e5281ae860fb578","record":"key-destroyed","role":"staged"},"seq":40,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 40, 'f3bb689a3be8801fa6d5b3717b78d5351c7ec2ffa3fc795335dec36f6810d62e');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 41, 3, 8, 1795874638132, '{"at":"2026-11-28T14:03:58.132987733Z","by":"ada","host":"bastion-1","person":"ada","record":{"answer":"1 deleted, none of the name left","name":"changeguard-previous-20261128-140351-b7de62-5390c0fad0cb9d405e5281ae860fb578","record":"key-destroyed","role":"previous"},"seq":41,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 41, '6562d42735f766fd2833ad12eac3167edf8506592727fd2f653e186f3ce37ff9');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 42, 3, 8, 1795874638210, '{"at":"2026-11-28T14:03:58.210286411Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"2 back, 0 waived; 2 kept keys destroyed","record":"step-succeeded","step":8},"seq":42,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 42, '8a9f6005267f76d4fdf5015b5d73e1c8ece67959ce06f657aefbbdc9c0c8bd26');
INSERT INTO public.record VALUES ('20261128-140351-b7de62', 43, 3, 8, 1795874638210, '{"at":"2026-11-28T14:03:58.210286411Z","by":"ada","host":"bastion-1","person":"ada","record":{"note":"","outcome":"rotated","record":"finished"},"seq":43,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 43, '354f20e1e0a2d8c72eb8120fea6ec95a06a4be42a9d534ccd79d8bacb19a350f');
INSERT INTO public.rotation VALUES ('20261128-140351-b7de62', '5390c0fad0cb9d405e5281ae860fb578', 1795874631465, 43);
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
