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
INSERT INTO public.chain VALUES ('5390c0fad0cb9d405e5281ae860fb578', 58, 'acb0f77ce696ca2b1027ec356140c302aa8fa55df57f3c7f3e483c3a006dd406', 0);
INSERT INTO public.lease VALUES ('5390c0fad0cb9d405e5281ae860fb578', 9, 0, 47, 'ada', 'bastion-1', 18803, 1795874743680, 1795874743680);
INSERT INTO public.person VALUES ('5ca9ba2565e9e8ee2827e1bfb56940cb', '5390c0fad0cb9d405e5281ae860fb578', '52fea14850cdc982d33bd8b4d2af61b5', '8585ea4e028f6ee5839a55d5a3db839a', 'ada.okafor@acme.example');
INSERT INTO public.person VALUES ('a89eaa2c29f27fe8a2c229f1fd56594f', '5390c0fad0cb9d405e5281ae860fb578', '52fea14850cdc982d33bd8b4d2af61b5', 'ae6a912fca1fb04aa61b4c97cdbe91a6', 'Ada Okafor');
INSERT INTO public.person VALUES ('0d77f164117ad4a3f42e14bcc31a6b34', '5390c0fad0cb9d405e5281ae860fb578', 'c23a57698fbca1b0d346b97879d4e48a', '70946f2f114a328de7f0d77ffe827e5b', 'grace.lindqvist@acme.example');
INSERT INTO public.person VALUES ('291e9bbd5d62f2a14f6a56da7ae86f63', '5390c0fad0cb9d405e5281ae860fb578', 'c23a57698fbca1b0d346b97879d4e48a', '0458739ae667f20d04805194c802aa5e', 'Grace Lindqvist');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 1, 3, 1, 1795874737200, '{"at":"2026-11-28T14:05:37.200935946Z","by":"ada","host":"bastion-1","person":"ada","record":{"cause":"compromise","record":"planned","reference":"CHG-4711","rotation":"20261128-140537-4f5838","tenant":{"gateway":"10.77.1.1","id":"5390c0fad0cb9d405e5281ae860fb578","name":"acme","server":"vpn-acme"},"window":{"end":"2026-11-28T15:35:00Z","revision":1,"start":"2026-11-28T14:05:00Z","zone":"UTC"}},"seq":1,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 1, '22b731d6ee5914d31a762cb36cbe5a0a588138df29badf3c95a8abd10ff0faa9');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 2, 3, 1, 1795874737284, '{"at":"2026-11-28T14:05:37.28469074Z","by":"ada","host":"bastion-1","person":"ada","record":{"clients":[{"email":"⟨5ca9ba2565e9e8ee2827e1bfb56940cb⟩","id":"u-ada","name":"⟨a89eaa2c29f27fe8a2c229f1fd56594f⟩","public_key":"oDgN6UIjzUcM21ukWQkE0Nk8K2R7HmlfYzEMZKfNEV0=","sources":["object","console"]},{"email":"⟨0d77f164117ad4a3f42e14bcc31a6b34⟩","id":"u-grace","name":"⟨291e9bbd5d62f2a14f6a56da7ae86f63⟩","public_key":"vmjJXTnDIxDcGCI6nGioVBPT7mc7C0YIYGtXx85KDFo=","sources":["object","console"]}],"record":"people-seen"},"seq":2,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 2, 'bddc4d805a59baeb5e54d2e9a6f653e3cc5a5f83afe1f1e9d20d140596326a47');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 3, 3, 2, 1795874737984, '{"at":"2026-11-28T14:05:37.984955375Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":1},"seq":3,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 3, '30d56b47028b4de70e1adcc4edfe74e0dd8ebaec8786ba4faa230de068ff153d');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 4, 3, 2, 1795874738110, '{"at":"2026-11-28T14:05:38.110126492Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-ada","email":"⟨5ca9ba2565e9e8ee2827e1bfb56940cb⟩","kind":"announcement","message_id":"<tgnztxxmqguq56cbxbsnug5k.79e2f7c9ea20a1d9@lab.example>","record":"notice-queued","revision":1},"seq":4,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 4, '1ff4b24ec1020b4a38efc860adf9a6b9ad4ab943e40eebedbd46578e74d33d43');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 5, 3, 2, 1795874738171, '{"at":"2026-11-28T14:05:38.17175325Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-grace","email":"⟨0d77f164117ad4a3f42e14bcc31a6b34⟩","kind":"announcement","message_id":"<d3hyeb6b23b47wymh7qxyw6j.86bb02edb5593d08@lab.example>","record":"notice-queued","revision":1},"seq":5,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 5, '5951f8f26406482ebdbfcee4b1d8e352535e75e756e520edf93b2dcb62a05973');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 6, 3, 2, 1795874738184, '{"at":"2026-11-28T14:05:38.184509019Z","by":"ada","host":"bastion-1","person":"ada","record":{"delivery":"sent","message_id":"<tgnztxxmqguq56cbxbsnug5k.79e2f7c9ea20a1d9@lab.example>","record":"notice-delivery","reply":"250 2.0.0 Ok: queued as PfBLkOMxAI"},"seq":6,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 6, '032c08abfa91b675febb4bf44e5a3bb5270ebdc31b5969a5c6ff6591fba3a877');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 7, 3, 2, 1795874738204, '{"at":"2026-11-28T14:05:38.204220976Z","by":"ada","host":"bastion-1","person":"ada","record":{"delivery":"sent","message_id":"<d3hyeb6b23b47wymh7qxyw6j.86bb02edb5593d08@lab.example>","record":"notice-delivery","reply":"250 2.0.0 Ok: queued as TZ703HZ4zz"},"seq":7,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 7, '7755fdbf150fed2bf308d86bfadd1c3e19c620c9429a251f489a43b6a21ed8a8');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 8, 3, 2, 1795874738212, '{"at":"2026-11-28T14:05:38.212692928Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"2 accepted by the mail server","record":"step-succeeded","step":1},"seq":8,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 8, '99a13d1ff24ae6a08b702364c52c3a9ffb2b830845f397bb17e54bebe839444e');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 9, 3, 3, 1795874738844, '{"at":"2026-11-28T14:05:38.844707848Z","by":"ada","host":"bastion-1","person":"ada","record":{"answer":"confirmed","channel":"phone","client":"u-ada","note":"","record":"answered","revision":1},"seq":9,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 9, '4027c6af2db350fc73b87d518450a99aa230198875e447743cb54ecda9a94589');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 10, 3, 4, 1795874739568, '{"at":"2026-11-28T14:05:39.568690634Z","by":"ada","host":"bastion-1","person":"ada","record":{"answer":"confirmed","channel":"phone","client":"u-grace","note":"","record":"answered","revision":1},"seq":10,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 10, '2954a2e817c8bf437baafd9f2597a73856f599d545557f1fefc448d728b07900');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 11, 3, 5, 1795874740441, '{"at":"2026-11-28T14:05:40.441228955Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":2},"seq":11,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 11, '5c2d40a24c5857915b91fd6c4a1318c55f2451853a9a55de5e9e73106e0198eb');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 12, 3, 5, 1795874740466, '{"at":"2026-11-28T14:05:40.46687599Z","by":"ada","host":"bastion-1","person":"ada","record":{"preflight":{"at":"2026-11-28T14:05:40.466774439Z","checks":[{"advice":"","finding":"token for ops until 15:05:40 UTC","name":"keystone","state":"pass"},{"advice":"","finding":"answers; 1 secrets in the project","name":"barbican","state":"pass"},{"advice":"","finding":"reachable, TLS and password accepted","name":"mail","state":"pass"},{"advice":"","finding":"operator, the token does not say when it ends","name":"console","state":"pass"},{"advice":"","finding":"looks the secret up by name","name":"agent","state":"pass"},{"advice":"","finding":"not through the tunnel: no ssh session is known; the way of server.command is not known","name":"own-route","state":"pass"},{"advice":"","finding":"one secret has the name, and it holds a key","name":"secret","state":"pass"},{"advice":"","finding":"readable and well-formed, 2 users","name":"object","state":"pass"},{"advice":"","finding":"`wg show` answers, 2 peers","name":"server","state":"pass"},{"advice":"","finding":"server +0 s, Keystone +0 s against this host","name":"clocks","state":"pass"},{"advice":"","finding":"all places show OB6MzXzR","name":"keys","state":"pass"},{"advice":"","finding":"2 clients, all places agree","name":"people","state":"pass"}],"keys":{"console":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","interface":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","object":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","secret":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI="}},"record":"checked"},"seq":12,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 12, '5074a841e437071bf9c0d99587187080019c5878ed8a4f9a1185d98b4e28fca3');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 13, 3, 5, 1795874740469, '{"at":"2026-11-28T14:05:40.469203781Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"12 checks, none failed","record":"step-succeeded","step":2},"seq":13,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 13, 'd507db0460d32552099a601b261d62f29b9063b7a8271a3d6d069d144c6b321b');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 14, 3, 5, 1795874740469, '{"at":"2026-11-28T14:05:40.469203781Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"rotate-confirmed","waived":[]},"seq":14,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 14, 'f82c3e4315a339b16e4f47f5731f113f7a165e7eabacc1cac07f745bb0a01cd4');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 15, 3, 5, 1795874740469, '{"at":"2026-11-28T14:05:40.469203781Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":3},"seq":15,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 15, 'dcd1923ed7393ac23f31d601a18a9921aeebce941f42518a4e2ee046bf05678f');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 30, 3, 5, 1795874740944, '{"at":"2026-11-28T14:05:40.944841308Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"after 0.0 s the interface shows ZTSWRLyx","record":"step-succeeded","step":6},"seq":30,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 30, '5d1b12cd07631afa3d28271bc25b0d03ea3fee652c109f58a990c94e17f874f9');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 16, 3, 5, 1795874740471, '{"at":"2026-11-28T14:05:40.471665487Z","by":"ada","host":"bastion-1","person":"ada","record":{"name":"changeguard-staged-20261128-140537-4f5838-5390c0fad0cb9d405e5281ae860fb578","public_key":"ZTSWRLyxyvpAL4hEki5LIMFx4a/DVzsRZ4ilP04RpTY=","record":"key-keeping","role":"staged"},"seq":16,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 16, '4f8534050819a792e75338fe9c10b6985711fb7287dab3508fa3477e53834dab');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 17, 3, 5, 1795874740477, '{"at":"2026-11-28T14:05:40.477178935Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"shape-seen","shape":{"acl":null,"algorithm":"aes","bit_length":256,"consumers":[],"content_type":"application/octet-stream","expiration":null,"metadata":{},"mode":"cbc","secret_type":"opaque","trailing_newline":false}},"seq":17,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 17, '80ab0b81825925f2ecf4fdc2087af39216153ed974136427c7c91ff0480b6d75');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 18, 3, 5, 1795874740668, '{"at":"2026-11-28T14:05:40.668390021Z","by":"ada","host":"bastion-1","person":"ada","record":{"href":"http://127.0.0.1:38589/v1/secrets/af6890bf-9fe9-4025-84cf-2c49610ffc66","name":"changeguard-staged-20261128-140537-4f5838-5390c0fad0cb9d405e5281ae860fb578","public_key":"ZTSWRLyxyvpAL4hEki5LIMFx4a/DVzsRZ4ilP04RpTY=","record":"key-kept","role":"staged"},"seq":18,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 18, '80f9bab806fb28cb5e20262c49bd637641fec7c0cb3dd792d4b7254f8e93b89a');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 19, 3, 5, 1795874740668, '{"at":"2026-11-28T14:05:40.66840672Z","by":"ada","host":"bastion-1","person":"ada","record":{"name":"changeguard-previous-20261128-140537-4f5838-5390c0fad0cb9d405e5281ae860fb578","public_key":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","record":"key-keeping","role":"previous"},"seq":19,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 19, '88d0f87e96a113eb3dd8614a4529aa58f505e6814930e8ae8b1b8dea8a151f38');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 20, 3, 5, 1795874740674, '{"at":"2026-11-28T14:05:40.674383852Z","by":"ada","host":"bastion-1","person":"ada","record":{"href":"http://127.0.0.1:38589/v1/secrets/dced7016-998e-42d3-ae63-90caa4b5c28e","name":"changeguard-previous-20261128-140537-4f5838-5390c0fad0cb9d405e5281ae860fb578","public_key":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","record":"key-kept","role":"previous"},"seq":20,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 20, '572faa68efe1c37ce4599730580ec180a24bfbf5d595803c1c0ab45b0783cc6e');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 21, 3, 5, 1795874740678, '{"at":"2026-11-28T14:05:40.678103705Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"staged ZTSWRLyx, previous OB6MzXzR kept; both read back","record":"step-succeeded","step":3},"seq":21,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 21, '7bf2c5826b5d98e3d456b9bfab5588085dc462562926c14be85a36b7fb769ac1');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 22, 3, 5, 1795874740678, '{"at":"2026-11-28T14:05:40.678103705Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":4},"seq":22,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 22, '37325c0f858d9bb8d3741a7deb633208e80144c8b40cb9863c4e8508eb6c0486');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 23, 3, 5, 1795874740870, '{"at":"2026-11-28T14:05:40.870869728Z","by":"ada","host":"bastion-1","person":"ada","record":{"gap_us":3459,"not_carried":[],"public_key":"ZTSWRLyxyvpAL4hEki5LIMFx4a/DVzsRZ4ilP04RpTY=","record":"swapped"},"seq":23,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 23, '8eda02e19b883c59706dd8d467b149c70db590e2d04f477d592ac4720461db7a');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 24, 3, 5, 1795874740920, '{"at":"2026-11-28T14:05:40.920838748Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"gap 3.4 ms, one secret, holds ZTSWRLyx","record":"step-succeeded","step":4},"seq":24,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 24, 'd75da310304afbfa56877bf4a826af8e41f3bb1b7402889a17c28a4163583be0');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 25, 3, 5, 1795874740920, '{"at":"2026-11-28T14:05:40.920838748Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":5},"seq":25,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 25, '3a409574000ec0ee6b31d2a383f473394a7837e89518358926f18f84e83f8afc');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 26, 3, 5, 1795874740928, '{"at":"2026-11-28T14:05:40.928129461Z","by":"ada","host":"bastion-1","person":"ada","record":{"etag":"5a4ff0a825c912b4aa9d1264d595c35b","from":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","record":"object-changed","to":"ZTSWRLyxyvpAL4hEki5LIMFx4a/DVzsRZ4ilP04RpTY="},"seq":26,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 26, '2d7dbd9299113b018d0384b9a97b596362d8c1a34d982b933cc5394fbfe26d4a');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 27, 3, 5, 1795874740934, '{"at":"2026-11-28T14:05:40.934310389Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"the object says ZTSWRLyx, read back","record":"step-succeeded","step":5},"seq":27,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 27, '4f096b33c721fd8ec94820fea19e784faf7d1a67b7bc892b246414a9045f9624');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 28, 3, 5, 1795874740934, '{"at":"2026-11-28T14:05:40.934310389Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":6},"seq":28,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 28, 'bea069dc2073a1739325cde59c31d78f46d6ad49c0c92c1e93fd1679c97c36e6');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 29, 3, 5, 1795874740943, '{"at":"2026-11-28T14:05:40.943312788Z","by":"ada","host":"bastion-1","person":"ada","record":{"baseline":{"clock":1795874740,"peers":{"oDgN6UIjzUcM21ukWQkE0Nk8K2R7HmlfYzEMZKfNEV0=":[1795874642,545419816],"vmjJXTnDIxDcGCI6nGioVBPT7mc7C0YIYGtXx85KDFo=":[1795874675,875512105]},"public_key":"ZTSWRLyxyvpAL4hEki5LIMFx4a/DVzsRZ4ilP04RpTY="},"record":"applied","waited_ms":8},"seq":29,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 29, '76a42b3ffbe381094081003b90044aed2944305db6ae4570e2902c78469b1254');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 31, 3, 6, 1795874741463, '{"at":"2026-11-28T14:05:41.463697658Z","by":"ada","host":"bastion-1","person":"ada","record":{"cut_again":[],"reason":"a rehearsal","record":"rollback-started","role":"fresh"},"seq":31,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 31, 'eb9128e62471b9bde539dd3b4a273d16b56a3b1fe173c8ddc749a18257d5a862');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 32, 3, 6, 1795874741463, '{"at":"2026-11-28T14:05:41.463697658Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":3},"seq":32,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 32, 'b8801adf70152c66dd857031820485c77d0be038622d5ea994976848ad141f8f');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 33, 3, 6, 1795874741525, '{"at":"2026-11-28T14:05:41.52508848Z","by":"ada","host":"bastion-1","person":"ada","record":{"name":"changeguard-fresh-20261128-140537-4f5838-5390c0fad0cb9d405e5281ae860fb578","public_key":"EskdJME5z8YrAEU6S7jP6Ti6pgnHSi8PagfIHLOMiFw=","record":"key-keeping","role":"fresh"},"seq":33,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 33, 'a5b18c24d9fdeab31155d74c33f8aabc1da8b00ff8a9a6d6505e2a99ba76e9b7');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 34, 3, 6, 1795874741567, '{"at":"2026-11-28T14:05:41.567961581Z","by":"ada","host":"bastion-1","person":"ada","record":{"href":"http://127.0.0.1:38589/v1/secrets/bd9c50be-eb45-4436-bec5-743e9f11a15e","name":"changeguard-fresh-20261128-140537-4f5838-5390c0fad0cb9d405e5281ae860fb578","public_key":"EskdJME5z8YrAEU6S7jP6Ti6pgnHSi8PagfIHLOMiFw=","record":"key-kept","role":"fresh"},"seq":34,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 34, 'f20a221be2121c2d12d39cdf9a8e18869b013651b0f8024556ea5bc4caf626ac');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 37, 3, 6, 1795874741610, '{"at":"2026-11-28T14:05:41.610555227Z","by":"ada","host":"bastion-1","person":"ada","record":{"gap_us":5007,"not_carried":[],"public_key":"EskdJME5z8YrAEU6S7jP6Ti6pgnHSi8PagfIHLOMiFw=","record":"swapped"},"seq":37,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 37, '8916dd270adaa979cfaa54e816f46df6ce55ebecdd6ab9227fe2921f2bf5a92e');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 41, 3, 6, 1795874741864, '{"at":"2026-11-28T14:05:41.864483095Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"the object says EskdJME5, read back","record":"step-succeeded","step":5},"seq":41,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 41, '4403ece8e4657341f4fd7b1a3d2bdba0e2a9a6908e64c9f0314934a2ccff24f9');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 42, 3, 6, 1795874741864, '{"at":"2026-11-28T14:05:41.864483095Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":6},"seq":42,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 42, '2b29057cbf659ef4740e3f50b62ddd15920b42c1fbda3e6ce34f22fd05b6987d');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 44, 3, 6, 1795874742020, '{"at":"2026-11-28T14:05:42.020609738Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"after 0.2 s the interface shows EskdJME5","record":"step-succeeded","step":6},"seq":44,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 44, 'd3febd7b4c4d26b0e29f0b500e8c41f1b3b489980b727d376c4d372ff2aca5d3');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 35, 3, 6, 1795874741583, '{"at":"2026-11-28T14:05:41.583854624Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"fresh key EskdJME5 for the way back, read back","record":"step-succeeded","step":3},"seq":35,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 35, 'bd088c33f2ea7fb2d1464860425d99d216ce602093a2ffcf280852cdd9ad10f9');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 36, 3, 6, 1795874741583, '{"at":"2026-11-28T14:05:41.583854624Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":4},"seq":36,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 36, 'b0789a8b2cf133d73163e05cf2c7dd7a9034c96f6d04d2c04b9a81d3d25ce4aa');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 38, 3, 6, 1795874741752, '{"at":"2026-11-28T14:05:41.752757846Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"gap 5.0 ms, one secret, holds EskdJME5","record":"step-succeeded","step":4},"seq":38,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 38, 'd9fa4b656108d62e0795a14dd5ce2c22f95acd84989e2733197b303db2a1956b');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 39, 3, 6, 1795874741752, '{"at":"2026-11-28T14:05:41.752757846Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":5},"seq":39,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 39, '5317ec17b29788ec4c3d2953bc428090f17c6bd647975803fdd30f4732348cd5');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 40, 3, 6, 1795874741775, '{"at":"2026-11-28T14:05:41.775887814Z","by":"ada","host":"bastion-1","person":"ada","record":{"etag":"4b2ea9eb23284ef540fc4ec32d5e1db3","from":"ZTSWRLyxyvpAL4hEki5LIMFx4a/DVzsRZ4ilP04RpTY=","record":"object-changed","to":"EskdJME5z8YrAEU6S7jP6Ti6pgnHSi8PagfIHLOMiFw="},"seq":40,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 40, '7b2bdc90c2c606a216c577efb93b08969e65d6ebb1ffb6554bc11d82f82359c3');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 43, 3, 6, 1795874742018, '{"at":"2026-11-28T14:05:42.018774815Z","by":"ada","host":"bastion-1","person":"ada","record":{"baseline":{"clock":1795874742,"peers":{"oDgN6UIjzUcM21ukWQkE0Nk8K2R7HmlfYzEMZKfNEV0=":[1795874642,545419816],"vmjJXTnDIxDcGCI6nGioVBPT7mc7C0YIYGtXx85KDFo=":[1795874675,875512105]},"public_key":"EskdJME5z8YrAEU6S7jP6Ti6pgnHSi8PagfIHLOMiFw="},"record":"applied","waited_ms":154},"seq":43,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 43, '557eae527038d51ec509bff8debb2f317fdb1b9c5e8c767456f24030ce6a6619');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 45, 3, 7, 1795874742720, '{"at":"2026-11-28T14:05:42.720550812Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":7},"seq":45,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 45, '36ed1ebe35ef27b89ab34989b81fb729de5d2f25c8b3cad58c1514ada4c22b63');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 46, 3, 7, 1795874742740, '{"at":"2026-11-28T14:05:42.740766831Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-ada","email":"⟨5ca9ba2565e9e8ee2827e1bfb56940cb⟩","kind":"reconfigure","message_id":"<tgnztxxmqguq56cbxbsnug5k.f10f1c3d9f249806@lab.example>","record":"notice-queued","revision":1},"seq":46,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 46, 'f2fe6c8771d3ce2323f2a0d027052b21f3cf13ce06c2152176523df539c13c94');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 47, 3, 7, 1795874742743, '{"at":"2026-11-28T14:05:42.74336516Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-grace","email":"⟨0d77f164117ad4a3f42e14bcc31a6b34⟩","kind":"reconfigure","message_id":"<d3hyeb6b23b47wymh7qxyw6j.1d4379f3a8b5ddc8@lab.example>","record":"notice-queued","revision":1},"seq":47,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 47, '880a32ce2c2c50e6d927f9e07fd2b7e85435881504bb51ffc945b66b9173d2e4');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 48, 3, 7, 1795874742749, '{"at":"2026-11-28T14:05:42.749608085Z","by":"ada","host":"bastion-1","person":"ada","record":{"delivery":"sent","message_id":"<tgnztxxmqguq56cbxbsnug5k.f10f1c3d9f249806@lab.example>","record":"notice-delivery","reply":"250 2.0.0 Ok: queued as Ub9-NmTDZt"},"seq":48,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 48, '5af66dfe7c9fc06d379a7665e664bb46a9c3939b161a4f3b09daa6a51b7cceaa');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 49, 3, 7, 1795874742755, '{"at":"2026-11-28T14:05:42.755152183Z","by":"ada","host":"bastion-1","person":"ada","record":{"delivery":"sent","message_id":"<d3hyeb6b23b47wymh7qxyw6j.1d4379f3a8b5ddc8@lab.example>","record":"notice-delivery","reply":"250 2.0.0 Ok: queued as PyD4cgieQ4"},"seq":49,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 49, '7bdf299920a1b60584a0ac26aee13c168c9b7a6caf8dcbeae596d0d55ce891bc');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 50, 3, 7, 1795874742756, '{"at":"2026-11-28T14:05:42.75665307Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"2 accepted by the mail server","record":"step-succeeded","step":7},"seq":50,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 50, 'a6a73c93c0f6d6e59a8be2ab1f3bb6e9014fe554312b0e3d04e46b843d619c88');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 51, 3, 8, 1795874743024, '{"at":"2026-11-28T14:05:43.024818398Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-ada","note":"at 14:05:42 UTC by the server''s clock","record":"client-back","source":"handshake"},"seq":51,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 51, 'd3bec964b97e146e138dca9ca18d859f0724c40ef4b66f49806eef529a66aeae');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 52, 3, 8, 1795874743334, '{"at":"2026-11-28T14:05:43.334654372Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-grace","note":"at 14:05:42 UTC by the server''s clock","record":"client-back","source":"handshake"},"seq":52,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 52, '3d00e7c11779512ac60a8156af532d81e06269b84a53af7b0fcfb6e2dcec8d0f');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 53, 3, 9, 1795874743913, '{"at":"2026-11-28T14:05:43.913533564Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":8},"seq":53,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 53, 'dde00549545ad6b93d13b9a6030335385b3b08d93a29bba86e2d5207cf39be72');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 54, 3, 9, 1795874743952, '{"at":"2026-11-28T14:05:43.952786694Z","by":"ada","host":"bastion-1","person":"ada","record":{"answer":"1 deleted, none of the name left","name":"changeguard-staged-20261128-140537-4f5838-5390c0fad0cb9d405e5281ae860fb578","record":"key-destroyed","role":"staged"},"seq":54,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 54, '5d0496659e45ce2fb7e14ddb87f3e239bdb056f19115142b66785a0a4eb80fb5');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 55, 3, 9, 1795874744074, '{"at":"2026-11-28T14:05:44.07430238Z","by":"ada","host":"bastion-1","person":"ada","record":{"answer":"1 deleted, none of the name left","name":"changeguard-previous-20261128-140537-4f5838-5390c0fad0cb9d405e5281ae860fb578","record":"key-destroyed","role":"previous"},"seq":55,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 55, 'edae2699512f6fe558b5d86dcc26fd56d80e4c89db5dcc18cb301db870c16e3f');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 56, 3, 9, 1795874744080, '{"at":"2026-11-28T14:05:44.080084987Z","by":"ada","host":"bastion-1","person":"ada","record":{"answer":"1 deleted, none of the name left","name":"changeguard-fresh-20261128-140537-4f5838-5390c0fad0cb9d405e5281ae860fb578","record":"key-destroyed","role":"fresh"},"seq":56,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 56, '82c82e51e8c569668c225af141c80cd96d480eee45ad104053550672773314c5');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 57, 3, 9, 1795874744134, '{"at":"2026-11-28T14:05:44.134683306Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"2 back, 0 waived; 3 kept keys destroyed","record":"step-succeeded","step":8},"seq":57,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 57, '5ac4afa716c2127acece37de5bc9532e6b769ac6688ef7d07e51582550cf2dcc');
INSERT INTO public.record VALUES ('20261128-140537-4f5838', 58, 3, 9, 1795874744134, '{"at":"2026-11-28T14:05:44.134683306Z","by":"ada","host":"bastion-1","person":"ada","record":{"note":"","outcome":"rolled-back","record":"finished"},"seq":58,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 58, 'acb0f77ce696ca2b1027ec356140c302aa8fa55df57f3c7f3e483c3a006dd406');
INSERT INTO public.rotation VALUES ('20261128-140537-4f5838', '5390c0fad0cb9d405e5281ae860fb578', 1795874737200, 58);
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
