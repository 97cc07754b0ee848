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
INSERT INTO public.chain VALUES ('5390c0fad0cb9d405e5281ae860fb578', 53, '2f2c7f2239a62f67333682aad75f029d860d877ac811806cbfdcdfe0b648dfcc', 0);
INSERT INTO public.lease VALUES ('5390c0fad0cb9d405e5281ae860fb578', 9, 0, 43, 'ada', 'bastion-1', 32232, 1795874682952, 1795874682952);
INSERT INTO public.person VALUES ('179369de34a361bc73dd06946591f08a', '5390c0fad0cb9d405e5281ae860fb578', 'a03e9dd609d05bdef5578b8765518bf0', '9fe5d01b518f9a2a852fa51db5e45dec', 'ada.okafor@acme.example');
INSERT INTO public.person VALUES ('d5922c1d6b19897b4b88eb6cb54683ea', '5390c0fad0cb9d405e5281ae860fb578', 'a03e9dd609d05bdef5578b8765518bf0', '0ac0f7e9b2f09b9627b1d2bc49b7e772', 'Ada Okafor');
INSERT INTO public.person VALUES ('cc4f39a6fc686175a226e4faceb3a8cb', '5390c0fad0cb9d405e5281ae860fb578', 'e67d82063a6318d6b2553d040aaa556d', '29ba9cdf5ccdeb419afcab80e289ceac', 'grace.lindqvist@acme.example');
INSERT INTO public.person VALUES ('25a2197775244ddd178e869814cbdd9f', '5390c0fad0cb9d405e5281ae860fb578', 'e67d82063a6318d6b2553d040aaa556d', '36016ed2573da1234108412cc59dfa03', 'Grace Lindqvist');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 1, 3, 1, 1795874677433, '{"at":"2026-11-28T14:04:37.433720178Z","by":"ada","host":"bastion-1","person":"ada","record":{"cause":"scheduled","record":"planned","reference":"CHG-4711","rotation":"20261128-140437-49bbe6","tenant":{"gateway":"10.77.1.1","id":"5390c0fad0cb9d405e5281ae860fb578","name":"acme","server":"vpn-acme"},"window":{"end":"2026-11-28T15:34:00Z","revision":1,"start":"2026-11-28T14:04:00Z","zone":"UTC"}},"seq":1,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 1, 'a5a3ef30b73d6e2d327fc5a609022298e9bf1d28890ffa6dd296b2ae3ccb853f');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 2, 3, 1, 1795874677449, '{"at":"2026-11-28T14:04:37.449969188Z","by":"ada","host":"bastion-1","person":"ada","record":{"clients":[{"email":"⟨179369de34a361bc73dd06946591f08a⟩","id":"u-ada","name":"⟨d5922c1d6b19897b4b88eb6cb54683ea⟩","public_key":"oDgN6UIjzUcM21ukWQkE0Nk8K2R7HmlfYzEMZKfNEV0=","sources":["object","console"]},{"email":"⟨cc4f39a6fc686175a226e4faceb3a8cb⟩","id":"u-grace","name":"⟨25a2197775244ddd178e869814cbdd9f⟩","public_key":"vmjJXTnDIxDcGCI6nGioVBPT7mc7C0YIYGtXx85KDFo=","sources":["object","console"]}],"record":"people-seen"},"seq":2,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 2, '99c9bb3635b7519cb23845320e1f9d492d0404c74beb864d8d4d9f2c2bfc5afb');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 3, 3, 2, 1795874678109, '{"at":"2026-11-28T14:04:38.109583169Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":1},"seq":3,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 3, '74adc9046dafe0f7e68fbcbc2f1225715c3531d94ef1b6aa6d41d0b007f0c544');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 4, 3, 2, 1795874678258, '{"at":"2026-11-28T14:04:38.258680622Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-ada","email":"⟨179369de34a361bc73dd06946591f08a⟩","kind":"announcement","message_id":"<g3p44ck5u5rvw5rwgn6xfgur.5cd89bbbf5b421da@lab.example>","record":"notice-queued","revision":1},"seq":4,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 4, '94d37cd841568c6517bd48c1788c08e029e05bfb56002eed52052dbd7c4fd218');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 5, 3, 2, 1795874678261, '{"at":"2026-11-28T14:04:38.261441145Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-grace","email":"⟨cc4f39a6fc686175a226e4faceb3a8cb⟩","kind":"announcement","message_id":"<v7ktdyvl7r4wcps2qlzsjz6x.d19fb5b278048001@lab.example>","record":"notice-queued","revision":1},"seq":5,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 5, '0047ca45445b5c62761a5e666ca295ba1d17a8fbc68a7ed0c35e46f9937f6775');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 6, 3, 2, 1795874678288, '{"at":"2026-11-28T14:04:38.288050921Z","by":"ada","host":"bastion-1","person":"ada","record":{"delivery":"sent","message_id":"<v7ktdyvl7r4wcps2qlzsjz6x.d19fb5b278048001@lab.example>","record":"notice-delivery","reply":"250 2.0.0 Ok: queued as PfBLkOMxAI"},"seq":6,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 6, '2f82497f419788e7e7716ae8cd9bd1e9e747553f75f872e19bac0629c461ff70');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 7, 3, 2, 1795874678290, '{"at":"2026-11-28T14:04:38.290765373Z","by":"ada","host":"bastion-1","person":"ada","record":{"delivery":"sent","message_id":"<g3p44ck5u5rvw5rwgn6xfgur.5cd89bbbf5b421da@lab.example>","record":"notice-delivery","reply":"250 2.0.0 Ok: queued as TZ703HZ4zz"},"seq":7,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 7, '5934b09a1aa1020e96e075cba11ca5299089c1834a2b4dfbcb524861a7ac0c45');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 8, 3, 2, 1795874678293, '{"at":"2026-11-28T14:04:38.293012125Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"2 accepted by the mail server","record":"step-succeeded","step":1},"seq":8,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 8, '1686250c89f4da087368f3228731850542eea78af926a51ef68e747379a72dd8');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 9, 3, 3, 1795874679227, '{"at":"2026-11-28T14:04:39.227876222Z","by":"ada","host":"bastion-1","person":"ada","record":{"answer":"confirmed","channel":"phone","client":"u-ada","note":"","record":"answered","revision":1},"seq":9,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 9, '03c3054364336d03df00ac572c2d4f19b6196c001af2f9a6b0a754504ce0c46b');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 10, 3, 4, 1795874679717, '{"at":"2026-11-28T14:04:39.717315799Z","by":"ada","host":"bastion-1","person":"ada","record":{"answer":"confirmed","channel":"phone","client":"u-grace","note":"","record":"answered","revision":1},"seq":10,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 10, 'b5eba0f50ad7928f112f0b82c7212b2249acc9b15bcd22d373ca78f3b346905b');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 11, 3, 5, 1795874680210, '{"at":"2026-11-28T14:04:40.210936815Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":2},"seq":11,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 11, 'af8bb27e515200ef9ee78e032e5e4617b2d60a31b3cbc51fac0053ed54767810');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 12, 3, 5, 1795874680267, '{"at":"2026-11-28T14:04:40.267001101Z","by":"ada","host":"bastion-1","person":"ada","record":{"preflight":{"at":"2026-11-28T14:04:40.266859616Z","checks":[{"advice":"","finding":"token for ops until 15:04:40 UTC","name":"keystone","state":"pass"},{"advice":"","finding":"answers; 1 secrets in the project","name":"barbican","state":"pass"},{"advice":"","finding":"reachable, TLS and password accepted","name":"mail","state":"pass"},{"advice":"","finding":"operator, the token does not say when it ends","name":"console","state":"pass"},{"advice":"","finding":"looks the secret up by name","name":"agent","state":"pass"},{"advice":"","finding":"not through the tunnel: no ssh session is known; the way of server.command is not known","name":"own-route","state":"pass"},{"advice":"","finding":"one secret has the name, and it holds a key","name":"secret","state":"pass"},{"advice":"","finding":"readable and well-formed, 2 users","name":"object","state":"pass"},{"advice":"","finding":"`wg show` answers, 2 peers","name":"server","state":"pass"},{"advice":"","finding":"server +0 s, Keystone +0 s against this host","name":"clocks","state":"pass"},{"advice":"","finding":"all places show OB6MzXzR","name":"keys","state":"pass"},{"advice":"","finding":"2 clients, all places agree","name":"people","state":"pass"}],"keys":{"console":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","interface":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","object":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","secret":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI="}},"record":"checked"},"seq":12,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 12, '8a9a06538462e103d08fea3fe5ef139e47b3017dd438d9d3dc3f2d51eb8945a0');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 13, 3, 5, 1795874680270, '{"at":"2026-11-28T14:04:40.270644732Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"12 checks, none failed","record":"step-succeeded","step":2},"seq":13,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 13, 'ffc19eb485aa3963e4df46a972c3093d7545c2d8b2988c061dfbf07007723cac');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 14, 3, 5, 1795874680270, '{"at":"2026-11-28T14:04:40.270644732Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"rotate-confirmed","waived":[]},"seq":14,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 14, '6f245246570d472383cd93f3a56762ff963415a06ba5d6575501c9957c8c7c4f');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 15, 3, 5, 1795874680270, '{"at":"2026-11-28T14:04:40.270644732Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":3},"seq":15,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 15, 'c5cf276d0d8f13d4865040cc8d6ab072ff4a373ee47c41df9db7b6c869b3e134');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 17, 3, 5, 1795874680454, '{"at":"2026-11-28T14:04:40.454447752Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"shape-seen","shape":{"acl":null,"algorithm":"aes","bit_length":256,"consumers":[],"content_type":"application/octet-stream","expiration":null,"metadata":{},"mode":"cbc","secret_type":"opaque","trailing_newline":false}},"seq":17,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 17, 'd7678fd2b5600d7a858dfeb3f477471c9fdae28b0fa0fd94bb5dd6c57b6de53b');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 24, 3, 5, 1795874680481, '{"at":"2026-11-28T14:04:40.481438302Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"gap 3.8 ms, one secret, holds QsDi2iVL","record":"step-succeeded","step":4},"seq":24,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 24, 'f2a03aab022fa4bdadc12f42626a88798eff0ac7ea256342c5178a9f812a4ac4');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 25, 3, 5, 1795874680481, '{"at":"2026-11-28T14:04:40.481438302Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":5},"seq":25,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 25, '8ec2df1edaa1820ec04b5a26c92076b06bc6eaad58882f57e65cf482d3f4fe34');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 26, 3, 5, 1795874680589, '{"at":"2026-11-28T14:04:40.589698458Z","by":"ada","host":"bastion-1","person":"ada","record":{"etag":"07012772fba28766ed48d2debaa81990","from":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","record":"object-changed","to":"QsDi2iVLTI0H4SuT51xl8mgbXJ/+mGCeu4/aKuPanxY="},"seq":26,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 26, '18c2edf571934ff77557e3d17fbbd9243f7d60c3e2a2b62e56f228cc47826cd8');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 16, 3, 5, 1795874680446, '{"at":"2026-11-28T14:04:40.446387776Z","by":"ada","host":"bastion-1","person":"ada","record":{"name":"changeguard-staged-20261128-140437-49bbe6-5390c0fad0cb9d405e5281ae860fb578","public_key":"QsDi2iVLTI0H4SuT51xl8mgbXJ/+mGCeu4/aKuPanxY=","record":"key-keeping","role":"staged"},"seq":16,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 16, 'a2f03d67a563dc21956655a376e48b5e101ed5b53e848a82f21fe1c3ac770a3a');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 18, 3, 5, 1795874680457, '{"at":"2026-11-28T14:04:40.457331572Z","by":"ada","host":"bastion-1","person":"ada","record":{"href":"http://127.0.0.1:43419/v1/secrets/af6890bf-9fe9-4025-84cf-2c49610ffc66","name":"changeguard-staged-20261128-140437-49bbe6-5390c0fad0cb9d405e5281ae860fb578","public_key":"QsDi2iVLTI0H4SuT51xl8mgbXJ/+mGCeu4/aKuPanxY=","record":"key-kept","role":"staged"},"seq":18,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 18, '534c068f614a437b6d4e63e0e1bd71fd89744e5fc3a5a6ce5fb6bb57508d26cd');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 19, 3, 5, 1795874680457, '{"at":"2026-11-28T14:04:40.457341862Z","by":"ada","host":"bastion-1","person":"ada","record":{"name":"changeguard-previous-20261128-140437-49bbe6-5390c0fad0cb9d405e5281ae860fb578","public_key":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","record":"key-keeping","role":"previous"},"seq":19,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 19, '2ebeecdfa846e91d2f3661e3e68796fe467d45d09a126f076d7453b0acb3d367');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 21, 3, 5, 1795874680462, '{"at":"2026-11-28T14:04:40.462596448Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"staged QsDi2iVL, previous OB6MzXzR kept; both read back","record":"step-succeeded","step":3},"seq":21,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 21, 'e23f0fcd749cfd27923151ee5f44e75e184d925eb599262ed4cee25ad89944cc');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 22, 3, 5, 1795874680462, '{"at":"2026-11-28T14:04:40.462596448Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":4},"seq":22,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 22, '901a0d0026f76489bcde4b9d81df2f927033ba839a14880695af4b01a6a0a5eb');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 23, 3, 5, 1795874680479, '{"at":"2026-11-28T14:04:40.479947981Z","by":"ada","host":"bastion-1","person":"ada","record":{"gap_us":3859,"not_carried":[],"public_key":"QsDi2iVLTI0H4SuT51xl8mgbXJ/+mGCeu4/aKuPanxY=","record":"swapped"},"seq":23,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 23, 'cabcfc306b331c616029dde53fce53b0406ed78aa989374d73d1132db323d439');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 27, 3, 5, 1795874680591, '{"at":"2026-11-28T14:04:40.591453622Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"the object says QsDi2iVL, read back","record":"step-succeeded","step":5},"seq":27,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 27, '69ed3da905fb1aa2ff71f9f68c0dba8de9063923375736a05a957b4ade9234d5');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 28, 3, 5, 1795874680591, '{"at":"2026-11-28T14:04:40.591453622Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":6},"seq":28,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 28, 'e2a67736e3139aa5c30ddf5b75ac5febb0278014b4f11e821066e79e1f18133a');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 30, 3, 5, 1795874680746, '{"at":"2026-11-28T14:04:40.746197883Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"after 0.1 s the interface shows QsDi2iVL","record":"step-succeeded","step":6},"seq":30,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 30, '380afc04e22a494e8139b24e9822bd55adc2031e765d8345c7a19cefebebd477');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 20, 3, 5, 1795874680461, '{"at":"2026-11-28T14:04:40.461081094Z","by":"ada","host":"bastion-1","person":"ada","record":{"href":"http://127.0.0.1:43419/v1/secrets/dced7016-998e-42d3-ae63-90caa4b5c28e","name":"changeguard-previous-20261128-140437-49bbe6-5390c0fad0cb9d405e5281ae860fb578","public_key":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","record":"key-kept","role":"previous"},"seq":20,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 20, '1c926fefa826d6e366fea467cba8e265e60b3e2600153c20510bfcce8423e010');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 29, 3, 5, 1795874680692, '{"at":"2026-11-28T14:04:40.69258374Z","by":"ada","host":"bastion-1","person":"ada","record":{"baseline":{"clock":1795874680,"peers":{"oDgN6UIjzUcM21ukWQkE0Nk8K2R7HmlfYzEMZKfNEV0=":[1795874582,545419816],"vmjJXTnDIxDcGCI6nGioVBPT7mc7C0YIYGtXx85KDFo=":[1795874615,875512105]},"public_key":"QsDi2iVLTI0H4SuT51xl8mgbXJ/+mGCeu4/aKuPanxY="},"record":"applied","waited_ms":101},"seq":29,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 29, '8243dafaf521f1e5986727e8a68c678adecbcfaba5fdffd2c46af58dfae14fda');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 31, 3, 6, 1795874681091, '{"at":"2026-11-28T14:04:41.091723797Z","by":"ada","host":"bastion-1","person":"ada","record":{"cut_again":[],"reason":"a rehearsal","record":"rollback-started","role":"previous"},"seq":31,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 31, '9d173c59ee5a5f01c85dd0390d2bb678f8eb18948b5f68eee523656adaca00ee');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 32, 3, 6, 1795874681091, '{"at":"2026-11-28T14:04:41.091723797Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":4},"seq":32,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 32, '002f0a77d60b922dc2e8ea982383401d34e2bc7d5433006938b9020c039fde2f');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 33, 3, 6, 1795874681113, '{"at":"2026-11-28T14:04:41.113752005Z","by":"ada","host":"bastion-1","person":"ada","record":{"gap_us":4882,"not_carried":[],"public_key":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","record":"swapped"},"seq":33,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 33, '13035c1ac46467545c4a6bbaf16a8ca808c794b3cf19b7a6b8d0c3d7728d39bf');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 34, 3, 6, 1795874681116, '{"at":"2026-11-28T14:04:41.116116907Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"gap 4.8 ms, one secret, holds OB6MzXzR","record":"step-succeeded","step":4},"seq":34,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 34, '76ed02f95dc514bbf4cebe31fba880a04b1287e627adf0ab06189f985d825150');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 35, 3, 6, 1795874681116, '{"at":"2026-11-28T14:04:41.116116907Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":5},"seq":35,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 35, '4060276bc96eca4459902b6373eb2f84ff997114c665885630a1d0d5155f15f8');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 36, 3, 6, 1795874681120, '{"at":"2026-11-28T14:04:41.120418862Z","by":"ada","host":"bastion-1","person":"ada","record":{"etag":"88d95aebe94c3f72598da9addbf66dc9","from":"QsDi2iVLTI0H4SuT51xl8mgbXJ/+mGCeu4/aKuPanxY=","record":"object-changed","to":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI="},"seq":36,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 36, '77d238698054b17a004b558f1629fde2cd685f26db233486880fe1e73293df6d');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 37, 3, 6, 1795874681121, '{"at":"2026-11-28T14:04:41.121748138Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"the object says OB6MzXzR, read back","record":"step-succeeded","step":5},"seq":37,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 37, '0dda63a1e3bb0c372a5ba2b8bc32aee6d7a6316a58002f023fe34b247530d945');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 38, 3, 6, 1795874681121, '{"at":"2026-11-28T14:04:41.121748138Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":6},"seq":38,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 38, '65de8808bbc55a644accd9aaf8750ab8c1df8368cad4d7ad1528570197f1c0a1');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 39, 3, 6, 1795874681131, '{"at":"2026-11-28T14:04:41.131962725Z","by":"ada","host":"bastion-1","person":"ada","record":{"baseline":{"clock":1795874681,"peers":{"oDgN6UIjzUcM21ukWQkE0Nk8K2R7HmlfYzEMZKfNEV0=":[1795874582,545419816],"vmjJXTnDIxDcGCI6nGioVBPT7mc7C0YIYGtXx85KDFo=":[1795874615,875512105]},"public_key":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI="},"record":"applied","waited_ms":10},"seq":39,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 39, 'c47209ced227d9312aa4af089395651bedd1ef8b8a2ce6c737b6fa8edecef303');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 40, 3, 6, 1795874681134, '{"at":"2026-11-28T14:04:41.134726973Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"after 0.0 s the interface shows OB6MzXzR","record":"step-succeeded","step":6},"seq":40,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 40, '87d6ef0224ac337fa8e58720775677c83e7a2629541d9defa131c8d175ea2eb8');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 41, 3, 7, 1795874681493, '{"at":"2026-11-28T14:04:41.493199556Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":7},"seq":41,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 41, '5a23218637b5e625ad3b8c939602b0468e8c2f8fb5f172990a0886f89322279c');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 42, 3, 7, 1795874681509, '{"at":"2026-11-28T14:04:41.50911315Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-ada","email":"⟨179369de34a361bc73dd06946591f08a⟩","kind":"reconfigure","message_id":"<g3p44ck5u5rvw5rwgn6xfgur.a9c8d825dd1585f3@lab.example>","record":"notice-queued","revision":1},"seq":42,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 42, 'ebe8c2c5a522c869b67c26077b15476359f5d50b27bff2ea6b75ff1310be9508');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 43, 3, 7, 1795874681512, '{"at":"2026-11-28T14:04:41.512861141Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-grace","email":"⟨cc4f39a6fc686175a226e4faceb3a8cb⟩","kind":"reconfigure","message_id":"<v7ktdyvl7r4wcps2qlzsjz6x.16f2d3cc1e4e29f4@lab.example>","record":"notice-queued","revision":1},"seq":43,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 43, '7e6d08e30bec6ef5c97ca1f448286173620bc5b0dae0048b67739d6ae1ecd7a1');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 44, 3, 7, 1795874681516, '{"at":"2026-11-28T14:04:41.516210472Z","by":"ada","host":"bastion-1","person":"ada","record":{"delivery":"sent","message_id":"<g3p44ck5u5rvw5rwgn6xfgur.a9c8d825dd1585f3@lab.example>","record":"notice-delivery","reply":"250 2.0.0 Ok: queued as IOUBUb9-Nm"},"seq":44,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 44, '40f6aa9976340981ccb6e88af22ac82776ba23d5992024702c64a5b41686bd44');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 45, 3, 7, 1795874681524, '{"at":"2026-11-28T14:04:41.524287201Z","by":"ada","host":"bastion-1","person":"ada","record":{"delivery":"sent","message_id":"<v7ktdyvl7r4wcps2qlzsjz6x.16f2d3cc1e4e29f4@lab.example>","record":"notice-delivery","reply":"250 2.0.0 Ok: queued as TDZtPyD4cg"},"seq":45,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 45, '1720b9c99c6bff4017a40e5f161f1f7a1bb3f9a9dfe5a494a5c3b7835ee07ed7');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 46, 3, 7, 1795874681525, '{"at":"2026-11-28T14:04:41.525701293Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"2 accepted by the mail server","record":"step-succeeded","step":7},"seq":46,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 46, '780a967f5c78c3cbea2483d62170c6f5aeb4cc317fa708e8f5c2f95ab8e834ef');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 47, 3, 8, 1795874682036, '{"at":"2026-11-28T14:04:42.036227958Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-ada","note":"at 14:04:41 UTC by the server''s clock","record":"client-back","source":"handshake"},"seq":47,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 47, 'dd865d58b29d845bbfadc1ed88ce69fabecb0657a8802092caca662fb5719b57');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 48, 3, 8, 1795874682044, '{"at":"2026-11-28T14:04:42.044050623Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-grace","note":"at 14:04:41 UTC by the server''s clock","record":"client-back","source":"handshake"},"seq":48,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 48, '4deae9675acb21b9b8b086420f1f07edd5f01dada54b5eb33c665a233091d6c9');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 49, 3, 9, 1795874682971, '{"at":"2026-11-28T14:04:42.971748313Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":8},"seq":49,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 49, 'eba87c72c24b421500d9269e1e719716ae0b36967b8a829eebfef74f3778ce9e');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 50, 3, 9, 1795874683009, '{"at":"2026-11-28T14:04:43.00975202Z","by":"ada","host":"bastion-1","person":"ada","record":{"answer":"1 deleted, none of the name left","name":"changeguard-staged-20261128-140437-49bbe6-5390c0fad0cb9d405e5281ae860fb578","record":"key-destroyed","role":"staged"},"seq":50,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 50, 'b220b05ebd74852dd84a2d4461b92f9b3b7281b4fb7ba21a3fbbe588cda6ce24');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 51, 3, 9, 1795874683015, '{"at":"2026-11-28T14:04:43.015428589Z","by":"ada","host":"bastion-1","person":"ada","record":{"answer":"1 deleted, none of the name left","name":"changeguard-previous-20261128-140437-49bbe6-5390c0fad0cb9d405e5281ae860fb578","record":"key-destroyed","role":"previous"},"seq":51,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 51, '811a5fdfa8e472d193d8f59bba6422d75d64c0cb80a3727f1105ade9294d37c3');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 52, 3, 9, 1795874683017, '{"at":"2026-11-28T14:04:43.017542813Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"2 back, 0 waived; 2 kept keys destroyed","record":"step-succeeded","step":8},"seq":52,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 52, 'ea2c99d773544b10052cd80c448562b6e072fe5654ad1bd759bfe748178bbb86');
INSERT INTO public.record VALUES ('20261128-140437-49bbe6', 53, 3, 9, 1795874683017, '{"at":"2026-11-28T14:04:43.017542813Z","by":"ada","host":"bastion-1","person":"ada","record":{"note":"","outcome":"rolled-back","record":"finished"},"seq":53,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 53, '2f2c7f2239a62f67333682aad75f029d860d877ac811806cbfdcdfe0b648dfcc');
INSERT INTO public.rotation VALUES ('20261128-140437-49bbe6', '5390c0fad0cb9d405e5281ae860fb578', 1795874677433, 53);
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
