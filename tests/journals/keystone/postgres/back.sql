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
    heartbeat_ms bigint NOT NULL,
    instance text DEFAULT ''::text NOT NULL,
    boot text DEFAULT ''::text NOT NULL,
    namespace text DEFAULT ''::text NOT NULL,
    started bigint DEFAULT 0 NOT NULL,
    beats bigint DEFAULT 0 NOT NULL,
    beat_ms bigint DEFAULT 0 NOT NULL
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
INSERT INTO public.chain VALUES ('keystone/lab', 42, 'e000851c820450c77123e952bb23c76f8a57fdb02d0f7a0c143f82d0e4729241', 0);
INSERT INTO public.lease VALUES ('keystone/lab', 2, 0, 42, 'ada', 'bastion-1', 19312, 1796013273463, 253370764800000, '0c1523f3dd52985fd8c769766ef65800', '8a1acb81-c1f2-42c5-9881-3cb783b5126c', 'pid:[4026531836] time:[4026531834]', 4004611, 3, 1796013273463);
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 1, 7, 1, 1796013269099, '{"at":"2026-11-30T04:34:29.099599137Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"case":"20261130-043429-39dd25","record":"opened","reference":"CHG-4711","runbook":"fernet","subject":"keystone/lab"},"record":"case"},"seq":1,"unproven":true,"version":7}', 'keystone/lab', 1, 'bc08f94b920345e9a64e73f387b85889e336aa086781a4fe700d4ecde94cd181');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 2, 7, 1, 1796013269102, '{"at":"2026-11-30T04:34:29.102793544Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"afresh":true,"record":"begun","verb":"rotate"},"record":"case"},"seq":2,"unproven":true,"version":7}', 'keystone/lab', 2, 'b4be106b4316d50d607b2af81c831b5380b89f81bda9ca4bd6b5b5e6a229d0cd');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 3, 7, 1, 1796013269103, '{"at":"2026-11-30T04:34:29.103805944Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"record":"step-started","step":1},"record":"case"},"seq":3,"unproven":true,"version":7}', 'keystone/lab', 3, '37dc252e9601d873c7decb49b33ff4c91faba8bc3646219260e5b9b65bc422d2');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 4, 7, 1, 1796013269466, '{"at":"2026-11-30T04:34:29.466153694Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"baseline":{"node0":{"failed":0,"refused":0,"requests":9},"node1":{"failed":0,"refused":0,"requests":9},"node2":{"failed":0,"refused":0,"requests":9}},"held":[{"keys":{"0":"029b0a9d0ed6dd663c2f453c022a0e92d3497276065b4bd5374b81fb61130931","16":"6073900169b7bf6b94735fced93947a21972142db69e043cb59dbab91bd1f97c","17":"3484b975af67f7bb998ea3395e71a22363cf8f05ad55b995b163629255a69a60"},"kind":"tokens","max_active_keys":3,"paths":{"node0":"/srv/lab/node0/etc/keystone/fernet-keys","node1":"/srv/lab/node1/etc/keystone/fernet-keys","node2":"/srv/lab/node2/etc/keystone/fernet-keys"}},{"keys":{"0":"874acd492f401c3000e28640e68ef01c1db115c60a87cc33265df8397ee3cbaf","16":"647d2391d3c19edf7b739a3e732631928bb02dfd305798fbb14316f41ee96825","17":"5fcd42b4249ddee473f437aefafbf3077a3949e45a0d5765b0bc98b4b21193e2"},"kind":"receipts","max_active_keys":3,"paths":{"node0":"/srv/lab/node0/etc/keystone/fernet-receipts","node1":"/srv/lab/node1/etc/keystone/fernet-receipts","node2":"/srv/lab/node2/etc/keystone/fernet-receipts"}}],"record":"agreed"},"record":"case"},"seq":4,"unproven":true,"version":7}', 'keystone/lab', 4, '6a960bbf1d89942f16ca392b8ab5d3ef00fd8751216af11d4a242e116b42a5cb');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 5, 7, 1, 1796013269468, '{"at":"2026-11-30T04:34:29.468073694Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"evidence":"3 nodes hold the same keys (tokens 0, 16, 17, receipts 0, 16, 17); 18 of 18 tokens accepted; rotating would purge key 16, which no token needs any more: the last one ended Sun 29 Nov 05:45 UTC; rotating would purge key 16, which no token needs any more: the last one ended Sun 29 Nov 05:45 UTC","record":"step-succeeded","step":1},"record":"case"},"seq":5,"unproven":true,"version":7}', 'keystone/lab', 5, '5f548ea16d2ea2cbf124df18943ce6091174a2a4f25f67524863561c579d941d');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 6, 7, 1, 1796013269469, '{"at":"2026-11-30T04:34:29.469170806Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"record":"step-started","step":2},"record":"case"},"seq":6,"unproven":true,"version":7}', 'keystone/lab', 6, '96a54978de6f0064ff81bab650b01cfcae5cc54951522cba5e1b1edde6cfcc57');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 7, 7, 1, 1796013269945, '{"at":"2026-11-30T04:34:29.945674283Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"node":"node0","record":"saved"},"record":"case"},"seq":7,"unproven":true,"version":7}', 'keystone/lab', 7, 'fe4220b2d66b2cc744308e837599d15575626cab2d4abe543bd3d9d106397c43');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 8, 7, 1, 1796013269948, '{"at":"2026-11-30T04:34:29.948010362Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"node":"node1","record":"saved"},"record":"case"},"seq":8,"unproven":true,"version":7}', 'keystone/lab', 8, '5ff6fa4c97369d3eb9f1c42d73ca28c051a4bf8a12aa0054fabdaee5fb7ffdc4');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 9, 7, 1, 1796013269949, '{"at":"2026-11-30T04:34:29.949139168Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"node":"node2","record":"saved"},"record":"case"},"seq":9,"unproven":true,"version":7}', 'keystone/lab', 9, '28cb2df1313344fac7e9d164afe6a3bbf8b9ffbaf95e5c14b3c5245e9aff8161');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 10, 7, 1, 1796013269950, '{"at":"2026-11-30T04:34:29.950042296Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"evidence":"3 nodes are saved beside themselves, unencrypted, and could be restored","record":"step-succeeded","step":2},"record":"case"},"seq":10,"unproven":true,"version":7}', 'keystone/lab', 10, '63ea40e48a2e86186ed018203e90a6dcfb8e5b3b5d16fc8031c217c605490bd6');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 11, 7, 1, 1796013269951, '{"at":"2026-11-30T04:34:29.951074486Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"record":"step-started","step":3},"record":"case"},"seq":11,"unproven":true,"version":7}', 'keystone/lab', 11, '880d11c7620a7e64bbd9c1a058c028692e4c1ad0cf0195295f11d6503694c810');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 12, 7, 1, 1796013270264, '{"at":"2026-11-30T04:34:30.264160554Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"kind":"tokens","promotion":{"keys":{"0":"62365436c756fea01e52854930ce613389c31e0c944ba4c8ebfa9d922b1a0a1f","17":"3484b975af67f7bb998ea3395e71a22363cf8f05ad55b995b163629255a69a60","18":"029b0a9d0ed6dd663c2f453c022a0e92d3497276065b4bd5374b81fb61130931"},"primary":18,"promoted":"029b0a9d0ed6dd663c2f453c022a0e92d3497276065b4bd5374b81fb61130931","purged":[16],"staged":"62365436c756fea01e52854930ce613389c31e0c944ba4c8ebfa9d922b1a0a1f"},"record":"prepared"},"record":"case"},"seq":12,"unproven":true,"version":7}', 'keystone/lab', 12, '7efd4c0240ab17741c7896b70d9a3ba5d710e97dcd8197b2854d089244581e80');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 13, 7, 1, 1796013270266, '{"at":"2026-11-30T04:34:30.266050726Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"kind":"receipts","promotion":{"keys":{"0":"5ed7a31643ad8d818bd549213b52ea11aea158b2e061c29cf5f042a0f6d0c60e","17":"5fcd42b4249ddee473f437aefafbf3077a3949e45a0d5765b0bc98b4b21193e2","18":"874acd492f401c3000e28640e68ef01c1db115c60a87cc33265df8397ee3cbaf"},"primary":18,"promoted":"874acd492f401c3000e28640e68ef01c1db115c60a87cc33265df8397ee3cbaf","purged":[16],"staged":"5ed7a31643ad8d818bd549213b52ea11aea158b2e061c29cf5f042a0f6d0c60e"},"record":"prepared"},"record":"case"},"seq":13,"unproven":true,"version":7}', 'keystone/lab', 13, 'c0a94139d04b50b3e92a9c6c9debafe2e8137af8be2004c2b626e4249e8ff29f');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 14, 7, 1, 1796013270267, '{"at":"2026-11-30T04:34:30.267658684Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"evidence":"prepared in a copy on node0: tokens: 029b0a9d0ed6 becomes the primary 18; receipts: 874acd492f40 becomes the primary 18","record":"step-succeeded","step":3},"record":"case"},"seq":14,"unproven":true,"version":7}', 'keystone/lab', 14, '1279f87d4c66b69007aed6b292e00422d38d4998b5f334d0822d5b5329effdeb');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 15, 7, 1, 1796013270268, '{"at":"2026-11-30T04:34:30.268428614Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"record":"step-started","step":4},"record":"case"},"seq":15,"unproven":true,"version":7}', 'keystone/lab', 15, '24be64ce52ac3ce049940bb07305fab5fdb1811a06f1f27b73936a0a791f0c13');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 16, 7, 1, 1796013270621, '{"at":"2026-11-30T04:34:30.621248702Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"node":"node0","record":"placed"},"record":"case"},"seq":16,"unproven":true,"version":7}', 'keystone/lab', 16, '40eb39f377aef78f00b83fb22c62abe58d4133f862da4c5816d82c347ee5357c');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 20, 7, 1, 1796013270628, '{"at":"2026-11-30T04:34:30.628955638Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"record":"step-started","step":5},"record":"case"},"seq":20,"unproven":true,"version":7}', 'keystone/lab', 20, '455dc1f0808c1c6b3f2a171289c9223142d10075eb168ef71ea8ef1bc589843d');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 26, 7, 1, 1796013271947, '{"at":"2026-11-30T04:34:31.947817401Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"record":"step-started","step":6},"record":"case"},"seq":26,"unproven":true,"version":7}', 'keystone/lab', 26, '6f15a63bb7a2006bbf7545ab8ee827bd7b2731d6484d74fc8fea06d2a37642de');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 17, 7, 1, 1796013270624, '{"at":"2026-11-30T04:34:30.624622391Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"node":"node1","record":"placed"},"record":"case"},"seq":17,"unproven":true,"version":7}', 'keystone/lab', 17, '6c716f99445f833754f3374408760a4df3ba528f918a208fd232a17264578abf');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 21, 7, 1, 1796013270947, '{"at":"2026-11-30T04:34:30.947522999Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"record":"touching","step":5},"record":"case"},"seq":21,"unproven":true,"version":7}', 'keystone/lab', 21, '975a51813c03b247a1e31ff98fadbb050f628ccdd2dafb07c710f09f8077ce33');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 23, 7, 1, 1796013271881, '{"at":"2026-11-30T04:34:31.881525992Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"back":false,"node":"node1","record":"installed"},"record":"case"},"seq":23,"unproven":true,"version":7}', 'keystone/lab', 23, 'c2884b1980065933ec71f06940883a9544abdceebd154d7f3d8b03a5aac9c58c');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 27, 7, 1, 1796013272589, '{"at":"2026-11-30T04:34:32.589753025Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"evidence":"3 nodes hold what was installed; 36 of 36 tokens accepted (old and new)","record":"step-succeeded","step":6},"record":"case"},"seq":27,"unproven":true,"version":7}', 'keystone/lab', 27, '0f7acba6d547f3336ed23d668e33573a75c1e49c8c5abef745b274365f0cce3a');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 18, 7, 1, 1796013270625, '{"at":"2026-11-30T04:34:30.6258983Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"node":"node2","record":"placed"},"record":"case"},"seq":18,"unproven":true,"version":7}', 'keystone/lab', 18, 'fff0034381f30a1f07703d2dd4298b52dde53d67214cd0c50477d5a60fdc289e');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 19, 7, 1, 1796013270627, '{"at":"2026-11-30T04:34:30.627078997Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"evidence":"3 nodes have the prepared keys beside the live ones, equal by digest","record":"step-succeeded","step":4},"record":"case"},"seq":19,"unproven":true,"version":7}', 'keystone/lab', 19, '32ebb9add8a1f449e258a38529c77eb0b02086fc5fa58041f3c652e6771379a1');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 22, 7, 1, 1796013271379, '{"at":"2026-11-30T04:34:31.379977373Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"back":false,"node":"node0","record":"installed"},"record":"case"},"seq":22,"unproven":true,"version":7}', 'keystone/lab', 22, '9ee4bc0d8b1e4701377243a28e0e1a083f06bc156d5f05fbb15f6c966af01b2e');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 24, 7, 1, 1796013271883, '{"at":"2026-11-30T04:34:31.8832242Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"back":false,"node":"node2","record":"installed"},"record":"case"},"seq":24,"unproven":true,"version":7}', 'keystone/lab', 24, 'e4a1575d296bd7e719eb0e00243b6fb04124ac51d79aeac34f8d3fc50dab9f31');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 25, 7, 1, 1796013271945, '{"at":"2026-11-30T04:34:31.945476948Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"evidence":"3 nodes have the new primary in force, one after the other; last row of the matrix: 20 of 20 tokens accepted","record":"step-succeeded","step":5},"record":"case"},"seq":25,"unproven":true,"version":7}', 'keystone/lab', 25, '81cfb53c5275401854741f5d297cbb66c6c424f16f934e9573993508afa1a5ee');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 28, 7, 1, 1796013272591, '{"at":"2026-11-30T04:34:32.591651824Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"record":"step-started","step":7},"record":"case"},"seq":28,"unproven":true,"version":7}', 'keystone/lab', 28, 'bcfcf6dbf349221f401f8dce95cf3f8f26e226e214cfb448f62005df7977536e');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 29, 7, 1, 1796013272592, '{"at":"2026-11-30T04:34:32.592428213Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"evidence":"not watched (watch.length is 0)","record":"step-succeeded","step":7},"record":"case"},"seq":29,"unproven":true,"version":7}', 'keystone/lab', 29, '96cdef10a2876a6ef19cc94aca3e0425f2517fc9dd456f94efe68ffb71ba92d6');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 30, 7, 2, 1796013273848, '{"at":"2026-11-30T04:34:33.848000888Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"reason":"too many 401","record":"turned-back","road":[{"move":"undo","step":5},{"move":"undo","step":4},{"move":"undo","step":3},{"move":"undo","step":2}]},"record":"case"},"seq":30,"unproven":true,"version":7}', 'keystone/lab', 30, '890078576c2ee45c8893934483583fee13b7810e05077db4e665b28e874bd2d5');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 31, 7, 2, 1796013273850, '{"at":"2026-11-30T04:34:33.85083299Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"record":"step-started","step":5},"record":"case"},"seq":31,"unproven":true,"version":7}', 'keystone/lab', 31, 'eddcfdf020929dd6197a639b1e0f56dcc0cba9c0d5bb6a023e7e4b7c7cdeceb3');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 32, 7, 2, 1796013274486, '{"at":"2026-11-30T04:34:34.48614692Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"back":true,"node":"node0","record":"installed"},"record":"case"},"seq":32,"unproven":true,"version":7}', 'keystone/lab', 32, 'a49ee194a74c81eda6b9e05ef628d8ac1841e06cb22e1801b49bd14c9fed563a');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 33, 7, 2, 1796013274895, '{"at":"2026-11-30T04:34:34.895539962Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"back":true,"node":"node1","record":"installed"},"record":"case"},"seq":33,"unproven":true,"version":7}', 'keystone/lab', 33, '660133c80928e8f95a0cf92161a5c4b068cbab2e2d85ba47aa46c30e2184be27');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 34, 7, 2, 1796013274897, '{"at":"2026-11-30T04:34:34.897639431Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"back":true,"node":"node2","record":"installed"},"record":"case"},"seq":34,"unproven":true,"version":7}', 'keystone/lab', 34, 'c1308f8e0f178417906745e82889ff15e35b9d65326487a56b448ed236caf31c');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 35, 7, 2, 1796013274926, '{"at":"2026-11-30T04:34:34.92615865Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"evidence":"3 nodes have what was saved in force again; tokens issued meanwhile stay valid; 18 of 18 tokens accepted","record":"step-succeeded","step":5},"record":"case"},"seq":35,"unproven":true,"version":7}', 'keystone/lab', 35, '174e922c06a93469203d3790c6b3944bd406613ada0fe85006768f8e2d42d3c6');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 36, 7, 2, 1796013274927, '{"at":"2026-11-30T04:34:34.927877431Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"record":"step-started","step":4},"record":"case"},"seq":36,"unproven":true,"version":7}', 'keystone/lab', 36, 'd076655d9f512940208a101c15926de24bcce07211cde73be9c339f5f2d98ed6');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 37, 7, 2, 1796013275028, '{"at":"2026-11-30T04:34:35.02871618Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"evidence":"what was placed beside the live keys is taken away","record":"step-succeeded","step":4},"record":"case"},"seq":37,"unproven":true,"version":7}', 'keystone/lab', 37, '1cc79943053b253950a0fa9d1bba5ae4d9c0dc197120e78429d2776ac0ff692a');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 38, 7, 2, 1796013275030, '{"at":"2026-11-30T04:34:35.030512944Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"record":"step-started","step":3},"record":"case"},"seq":38,"unproven":true,"version":7}', 'keystone/lab', 38, 'e6146a4a8420292e69069cd27d757ed3dbe3beec04305ea6f2c006485361bd14');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 39, 7, 2, 1796013275073, '{"at":"2026-11-30T04:34:35.073131362Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"evidence":"the copy on node0 is taken away","record":"step-succeeded","step":3},"record":"case"},"seq":39,"unproven":true,"version":7}', 'keystone/lab', 39, '476ade7ce6111bd49e995a1a99f70bd129a710949c0f4501c6687aaeb229834e');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 40, 7, 2, 1796013275076, '{"at":"2026-11-30T04:34:35.076270841Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"record":"step-started","step":2},"record":"case"},"seq":40,"unproven":true,"version":7}', 'keystone/lab', 40, '956cb8e1e64e6f9640a829360f907ace0a5a47da9a21791a381a9e7c27e4d6d8');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 41, 7, 2, 1796013275170, '{"at":"2026-11-30T04:34:35.170282926Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"evidence":"what was saved is taken away","record":"step-succeeded","step":2},"record":"case"},"seq":41,"unproven":true,"version":7}', 'keystone/lab', 41, '025ec73ca87a3da5b6b670ea82fe4fb19d46cb7bde5c48f5297ea1332031db90');
INSERT INTO public.record VALUES ('20261130-043429-39dd25', 42, 7, 2, 1796013275177, '{"at":"2026-11-30T04:34:35.17703604Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"end":"taken-back","note":"","record":"finished"},"record":"case"},"seq":42,"unproven":true,"version":7}', 'keystone/lab', 42, 'e000851c820450c77123e952bb23c76f8a57fdb02d0f7a0c143f82d0e4729241');
INSERT INTO public.rotation VALUES ('20261130-043429-39dd25', 'keystone/lab', 1796013269099, 42);
INSERT INTO public.schema_version VALUES (1);
INSERT INTO public.schema_version VALUES (2);
INSERT INTO public.schema_version VALUES (3);
INSERT INTO public.schema_version VALUES (4);
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
