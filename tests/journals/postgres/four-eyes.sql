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
INSERT INTO public.chain VALUES ('5390c0fad0cb9d405e5281ae860fb578', 51, '6b17286d1127e68221fc44964b23d2a467d2cff54d3ad952c13fa09f3b1bb095', 0);
INSERT INTO public.lease VALUES ('5390c0fad0cb9d405e5281ae860fb578', 15, 0, 44, 'bob', 'bastion-2', 14464, 1795874858806, 1795874858806);
INSERT INTO public.person VALUES ('518fe0e2cc4675241d87dd3bf1fc10f8', '5390c0fad0cb9d405e5281ae860fb578', '62eeed85be7e3e620f4f4c37568f08a9', 'cbbb2fad5ba0ae8176ce9de8e06d5c34', 'ada.okafor@acme.example');
INSERT INTO public.person VALUES ('1ef43d5834f3b0f0354782d588defd45', '5390c0fad0cb9d405e5281ae860fb578', '62eeed85be7e3e620f4f4c37568f08a9', '7a1009ce095ff2a966c52a2d6dd00832', 'Ada Okafor');
INSERT INTO public.person VALUES ('cc255c6c86950101939849e968c1a1de', '5390c0fad0cb9d405e5281ae860fb578', '4a23e98402b221b8fae852ef316cbaee', '35baf4ad277fe3e6044ad497d5936644', 'grace.lindqvist@acme.example');
INSERT INTO public.person VALUES ('479cfda9a44b5beab2f48bc80071a5d3', '5390c0fad0cb9d405e5281ae860fb578', '4a23e98402b221b8fae852ef316cbaee', '81811e1adf3f8251e6e3a9124120a9ca', 'Grace Lindqvist');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 1, 3, 1, 1795874855758, '{"at":"2026-11-28T14:07:35.758940469Z","by":"ada","host":"bastion-1","person":"ada","record":{"cause":"scheduled","record":"planned","reference":"CHG-4711","rotation":"20261128-140735-39bbbc","tenant":{"gateway":"10.77.1.1","id":"5390c0fad0cb9d405e5281ae860fb578","name":"acme","server":"vpn-acme"},"window":{"end":"2026-11-28T15:37:00Z","revision":1,"start":"2026-11-28T14:07:00Z","zone":"UTC"}},"seq":1,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 1, '2547c8e777ccd7c923aabb3e0ac857115ff7a73a4320941d65d29636d7e600ce');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 2, 3, 1, 1795874855816, '{"at":"2026-11-28T14:07:35.816117306Z","by":"ada","host":"bastion-1","person":"ada","record":{"clients":[{"email":"⟨518fe0e2cc4675241d87dd3bf1fc10f8⟩","id":"u-ada","name":"⟨1ef43d5834f3b0f0354782d588defd45⟩","public_key":"oDgN6UIjzUcM21ukWQkE0Nk8K2R7HmlfYzEMZKfNEV0=","sources":["object","console"]},{"email":"⟨cc255c6c86950101939849e968c1a1de⟩","id":"u-grace","name":"⟨479cfda9a44b5beab2f48bc80071a5d3⟩","public_key":"vmjJXTnDIxDcGCI6nGioVBPT7mc7C0YIYGtXx85KDFo=","sources":["object","console"]}],"record":"people-seen"},"seq":2,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 2, 'c58f589a481939409473263dc3afaee7010b624f5a06c735933f9b263926f58c');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 3, 3, 2, 1795874855979, '{"at":"2026-11-28T14:07:35.97966919Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":1},"seq":3,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 3, '200f0ea0059633ffdfd86a3cb5622640116e3e43c02c5c048bf91bbe9a9dd481');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 4, 3, 2, 1795874856012, '{"at":"2026-11-28T14:07:36.012849992Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-ada","email":"⟨518fe0e2cc4675241d87dd3bf1fc10f8⟩","kind":"announcement","message_id":"<4dzursn4kfguki5orkqumapk.877d8881ebff759d@lab.example>","record":"notice-queued","revision":1},"seq":4,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 4, '71d71f6febfde5b913e8f2f043849fcf55a355f687739144f3c44af64e27a989');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 5, 3, 2, 1795874856016, '{"at":"2026-11-28T14:07:36.016475383Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-grace","email":"⟨cc255c6c86950101939849e968c1a1de⟩","kind":"announcement","message_id":"<yln77p7bkq7t5dmgrljdc6hv.30ecd84e0f4f810f@lab.example>","record":"notice-queued","revision":1},"seq":5,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 5, '36a1cf21655b94ce98a838bfbab55a643378f903524e83045f6d0c36f0a8c633');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 6, 3, 2, 1795874856019, '{"at":"2026-11-28T14:07:36.019465681Z","by":"ada","host":"bastion-1","person":"ada","record":{"delivery":"sent","message_id":"<4dzursn4kfguki5orkqumapk.877d8881ebff759d@lab.example>","record":"notice-delivery","reply":"250 2.0.0 Ok: queued as FWxLr-aKXI"},"seq":6,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 6, 'b1f104a7d162dcbdeb5f46600d2c941f4f82b01e25294496d3e2df3a564326b9');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 7, 3, 2, 1795874856021, '{"at":"2026-11-28T14:07:36.021590229Z","by":"ada","host":"bastion-1","person":"ada","record":{"delivery":"sent","message_id":"<yln77p7bkq7t5dmgrljdc6hv.30ecd84e0f4f810f@lab.example>","record":"notice-delivery","reply":"250 2.0.0 Ok: queued as dmX6WHNTPZ"},"seq":7,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 7, '6e58c7b2f6272a50f1063cee641d5d79d67f3438c7be4b5b9fede3f7bbd010e5');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 8, 3, 2, 1795874856022, '{"at":"2026-11-28T14:07:36.022763802Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"2 accepted by the mail server","record":"step-succeeded","step":1},"seq":8,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 8, 'fb8e1b0e0219c0d2289dad862687808161ec9ae062f5c8ddbf186a0b1d2a418f');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 9, 3, 3, 1795874856158, '{"at":"2026-11-28T14:07:36.158051581Z","by":"ada","host":"bastion-1","person":"ada","record":{"answer":"confirmed","channel":"phone","client":"u-ada","note":"fine with her","record":"answered","revision":1},"seq":9,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 9, '223bcad759fd72b92514f3405bf027184a9a6cc033cc8f81dc5f222c5404b79c');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 10, 3, 4, 1795874856386, '{"at":"2026-11-28T14:07:36.386221875Z","by":"ada","host":"bastion-1","person":"ada","record":{"answer":"confirmed","channel":"phone","client":"u-grace","note":"fine with her","record":"answered","revision":1},"seq":10,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 10, 'fd9981509f1d014f07f029fa812cc97a0cb305d3cb6af7787c4a2a8d4ad7b013');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 11, 3, 5, 1795874856586, '{"at":"2026-11-28T14:07:36.58680109Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":2},"seq":11,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 11, 'd89aa345fc0e4b959306ac3e69f95aa7a2e87531b7f8197401538edbd7942e14');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 12, 3, 5, 1795874856628, '{"at":"2026-11-28T14:07:36.628655216Z","by":"ada","host":"bastion-1","person":"ada","record":{"preflight":{"at":"2026-11-28T14:07:36.628506433Z","checks":[{"advice":"","finding":"token for ops until 15:07:36 UTC","name":"keystone","state":"pass"},{"advice":"","finding":"answers; 1 secrets in the project","name":"barbican","state":"pass"},{"advice":"","finding":"reachable, TLS and password accepted","name":"mail","state":"pass"},{"advice":"","finding":"operator, the token does not say when it ends","name":"console","state":"pass"},{"advice":"","finding":"looks the secret up by name","name":"agent","state":"pass"},{"advice":"","finding":"not through the tunnel: no ssh session is known; the way of server.command is not known","name":"own-route","state":"pass"},{"advice":"","finding":"one secret has the name, and it holds a key","name":"secret","state":"pass"},{"advice":"","finding":"readable and well-formed, 2 users","name":"object","state":"pass"},{"advice":"","finding":"`wg show` answers, 2 peers","name":"server","state":"pass"},{"advice":"","finding":"server +0 s, Keystone +0 s against this host","name":"clocks","state":"pass"},{"advice":"","finding":"all places show OB6MzXzR","name":"keys","state":"pass"},{"advice":"","finding":"2 clients, all places agree","name":"people","state":"pass"}],"keys":{"console":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","interface":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","object":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","secret":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI="}},"record":"checked"},"seq":12,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 12, '2c22d2305f79c86985c7cda48dbd45f32404d45f7af0239140e9ffafe4886ff9');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 13, 3, 5, 1795874856631, '{"at":"2026-11-28T14:07:36.631620929Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"12 checks, none failed","record":"step-succeeded","step":2},"seq":13,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 13, '42b26d3296534c336f24eb3bec727ab7b8dd2bc051cdb9ce4377d29192a5acc9');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 14, 3, 6, 1795874856837, '{"at":"2026-11-28T14:07:36.837993136Z","by":"ada","host":"bastion-1","person":"ada","record":{"note":"only the approval is left","record":"handed-over","to":"bob"},"seq":14,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 14, '71cf613a02541590817e8a7a9e017ee6981b25e10a718e818f55205fb5acd335');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 15, 3, 7, 1795874857029, '{"at":"2026-11-28T14:07:37.029237846Z","by":"bob","host":"bastion-2","person":"bob","record":{"record":"hand-over-accepted"},"seq":15,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 15, '75e576f6c99bdb1f40b0006bffca93018251366ecfa1b6f937e3fd227c0491c2');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 16, 3, 8, 1795874857424, '{"at":"2026-11-28T14:07:37.42492408Z","by":"bob","host":"bastion-2","person":"bob","record":{"digest":"a05fb1e79d4c4005e6e3a09cda79b4befe5ae8a0ab8bc51147f8bdd5123dc105","expires":"2026-11-28T18:07:37.42492408Z","note":"read it","record":"approved"},"seq":16,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 16, 'cbd94c7a69554c7f4bae5c655187575bbf6f7934b87fd3e1e3e65eb82a2acdd2');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 17, 3, 9, 1795874857625, '{"at":"2026-11-28T14:07:37.62532809Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":2},"seq":17,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 17, '9d202411f469766fddb2233f2fabd3cdd964bc5392360373515bdde7ed173799');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 18, 3, 9, 1795874857673, '{"at":"2026-11-28T14:07:37.673734988Z","by":"ada","host":"bastion-1","person":"ada","record":{"preflight":{"at":"2026-11-28T14:07:37.673463657Z","checks":[{"advice":"","finding":"token for ops until 15:07:37 UTC","name":"keystone","state":"pass"},{"advice":"","finding":"answers; 1 secrets in the project","name":"barbican","state":"pass"},{"advice":"","finding":"reachable, TLS and password accepted","name":"mail","state":"pass"},{"advice":"","finding":"operator, the token does not say when it ends","name":"console","state":"pass"},{"advice":"","finding":"looks the secret up by name","name":"agent","state":"pass"},{"advice":"","finding":"not through the tunnel: no ssh session is known; the way of server.command is not known","name":"own-route","state":"pass"},{"advice":"","finding":"one secret has the name, and it holds a key","name":"secret","state":"pass"},{"advice":"","finding":"readable and well-formed, 2 users","name":"object","state":"pass"},{"advice":"","finding":"`wg show` answers, 2 peers","name":"server","state":"pass"},{"advice":"","finding":"server +0 s, Keystone +0 s against this host","name":"clocks","state":"pass"},{"advice":"","finding":"all places show OB6MzXzR","name":"keys","state":"pass"},{"advice":"","finding":"2 clients, all places agree","name":"people","state":"pass"}],"keys":{"console":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","interface":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","object":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","secret":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI="}},"record":"checked"},"seq":18,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 18, 'e9cbe562628e0402c3df40c9e97b9093bc3c8f66607ed47e75fcb930fac36144');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 19, 3, 9, 1795874857678, '{"at":"2026-11-28T14:07:37.678460457Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"12 checks, none failed","record":"step-succeeded","step":2},"seq":19,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 19, 'a7617c8454f9812098f1657404016738f7a118a93ab2b8cced82d2941845c719');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 20, 3, 9, 1795874857678, '{"at":"2026-11-28T14:07:37.678460457Z","by":"ada","host":"bastion-1","person":"ada","record":{"approved_by":"bob","record":"rotate-confirmed","waived":[]},"seq":20,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 20, '485902fc420baad9ce633559aabb0ad18620cd14a6281d2cf76e8e1c689fa939');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 21, 3, 9, 1795874857678, '{"at":"2026-11-28T14:07:37.678460457Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":3},"seq":21,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 21, '546f608163f1e59e90aaa245c5f759551d45f9fd0fa22eceb17c5017b8c58777');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 22, 3, 9, 1795874857684, '{"at":"2026-11-28T14:07:37.68478582Z","by":"ada","host":"bastion-1","person":"ada","record":{"name":"changeguard-staged-20261128-140735-39bbbc-5390c0fad0cb9d405e5281ae860fb578","public_key":"jSxZ8PK6UEcmH5Ej2EqthX+QuIbfecpfgMcgW3P4cg0=","record":"key-keeping","role":"staged"},"seq":22,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 22, '0eacc6093b2de316a0c7f84146484f50ac170a3b80a1ef1abac53c4720260a55');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 23, 3, 9, 1795874857695, '{"at":"2026-11-28T14:07:37.695582742Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"shape-seen","shape":{"acl":null,"algorithm":"aes","bit_length":256,"consumers":[],"content_type":"application/octet-stream","expiration":null,"metadata":{},"mode":"cbc","secret_type":"opaque","trailing_newline":false}},"seq":23,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 23, 'dadce3f578b543b062c357e94431f6ecdb7b8ebf7197f4c362fe737f9b2384e4');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 24, 3, 9, 1795874857699, '{"at":"2026-11-28T14:07:37.699671526Z","by":"ada","host":"bastion-1","person":"ada","record":{"name":"changeguard-previous-20261128-140735-39bbbc-5390c0fad0cb9d405e5281ae860fb578","public_key":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","record":"key-keeping","role":"previous"},"seq":24,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 24, '8ad96125e500298160f4d27a2d3a6190bf1c091e92ebb06f3da10f799cfcd0ce');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 25, 3, 9, 1795874857713, '{"at":"2026-11-28T14:07:37.713184891Z","by":"ada","host":"bastion-1","person":"ada","record":{"href":"http://127.0.0.1:41127/v1/secrets/c370553e-0f8a-4fb9-a45e-9205467c33d7","name":"changeguard-previous-20261128-140735-39bbbc-5390c0fad0cb9d405e5281ae860fb578","public_key":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","record":"key-kept","role":"previous"},"seq":25,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 25, 'cf723a60d4164548351acfbb808ae17646b44ef196d69e08d3562dbc56ba95a5');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 26, 3, 9, 1795874857719, '{"at":"2026-11-28T14:07:37.719943217Z","by":"ada","host":"bastion-1","person":"ada","record":{"href":"http://127.0.0.1:41127/v1/secrets/c5ee06bd-0dfe-45cc-a078-faf840a806b7","name":"changeguard-staged-20261128-140735-39bbbc-5390c0fad0cb9d405e5281ae860fb578","public_key":"jSxZ8PK6UEcmH5Ej2EqthX+QuIbfecpfgMcgW3P4cg0=","record":"key-kept","role":"staged"},"seq":26,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 26, 'fcb314f6eb14aa012e20d719ef344c38a0582fbd877fbc75f35736a49e19c781');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 27, 3, 9, 1795874857725, '{"at":"2026-11-28T14:07:37.725941608Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"staged jSxZ8PK6, previous OB6MzXzR kept; both read back","record":"step-succeeded","step":3},"seq":27,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 27, 'c362fc260b8a6ad47affda560eb33a7b82428a695ec4127a668a5eeda4c60826');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 28, 3, 9, 1795874857725, '{"at":"2026-11-28T14:07:37.725941608Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":4},"seq":28,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 28, '1177b9e817b6c92eb51963b6a01ec4834c8e21f5d67dd55d32b2e46d1aa6e228');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 29, 3, 9, 1795874857763, '{"at":"2026-11-28T14:07:37.763482846Z","by":"ada","host":"bastion-1","person":"ada","record":{"gap_us":4633,"not_carried":[],"public_key":"jSxZ8PK6UEcmH5Ej2EqthX+QuIbfecpfgMcgW3P4cg0=","record":"swapped"},"seq":29,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 29, '11f1ee76b1838b4292d3d0bd2f7b7ccf1ac2e9c43bf46f3b653fe778fe78fb32');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 30, 3, 9, 1795874857776, '{"at":"2026-11-28T14:07:37.776306259Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"gap 4.6 ms, one secret, holds jSxZ8PK6","record":"step-succeeded","step":4},"seq":30,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 30, '8cf8e072045b3652d2d2e3f3b8c5179dcd50a0e0f7837366d49a3eb31189bd75');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 31, 3, 9, 1795874857776, '{"at":"2026-11-28T14:07:37.776306259Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":5},"seq":31,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 31, '453b9cbea49131e56e64c963762f6700e5b64b7a51de57f16376707bf3181596');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 33, 3, 9, 1795874857785, '{"at":"2026-11-28T14:07:37.785637414Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"the object says jSxZ8PK6, read back","record":"step-succeeded","step":5},"seq":33,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 33, '3f30ebc2d7e7d654f24b887d3ba4724f529a5ad226f4c9137f1b16b66906aea6');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 34, 3, 9, 1795874857785, '{"at":"2026-11-28T14:07:37.785637414Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":6},"seq":34,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 34, '9032a823b07c4a47688de86b8804646b875b77a1945574314b8af5ac8935cec6');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 32, 3, 9, 1795874857783, '{"at":"2026-11-28T14:07:37.783829152Z","by":"ada","host":"bastion-1","person":"ada","record":{"etag":"79ce605a4f95a6d52577f5302899dc56","from":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","record":"object-changed","to":"jSxZ8PK6UEcmH5Ej2EqthX+QuIbfecpfgMcgW3P4cg0="},"seq":32,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 32, 'fddbbe7d7de2a9d1bcdd282ed03b51a25833479fd55b59735687be711ce46ae7');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 36, 3, 9, 1795874857805, '{"at":"2026-11-28T14:07:37.805083583Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"after 0.0 s the interface shows jSxZ8PK6","record":"step-succeeded","step":6},"seq":36,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 36, '7130f8d50b11307c4a7ff26b2c140a92c14736e2ca6a57e207dec91010630964');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 35, 3, 9, 1795874857802, '{"at":"2026-11-28T14:07:37.802209185Z","by":"ada","host":"bastion-1","person":"ada","record":{"baseline":{"clock":1795874857,"peers":{"oDgN6UIjzUcM21ukWQkE0Nk8K2R7HmlfYzEMZKfNEV0=":[1795874760,545419816],"vmjJXTnDIxDcGCI6nGioVBPT7mc7C0YIYGtXx85KDFo=":[1795874793,875512105]},"public_key":"jSxZ8PK6UEcmH5Ej2EqthX+QuIbfecpfgMcgW3P4cg0="},"record":"applied","waited_ms":16},"seq":35,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 35, 'b49f10d5114b996136eb676f90526a7e2094b1adfc1a23e5cce543ac862b3744');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 37, 3, 10, 1795874858045, '{"at":"2026-11-28T14:07:38.045604579Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":7},"seq":37,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 37, 'a070ad67c2a59521db8c6c63fbecfcceb13c330c8a933efe85dc5832c2d4abf7');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 38, 3, 10, 1795874858068, '{"at":"2026-11-28T14:07:38.068717974Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-ada","email":"⟨518fe0e2cc4675241d87dd3bf1fc10f8⟩","kind":"reconfigure","message_id":"<4dzursn4kfguki5orkqumapk.b3d8dc0dae3078a5@lab.example>","record":"notice-queued","revision":1},"seq":38,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 38, 'c6170bfa89bae5e546910d7ce437894678db37e9c247d1ce3adf80c6806ac1b6');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 39, 3, 10, 1795874858077, '{"at":"2026-11-28T14:07:38.077596245Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-grace","email":"⟨cc255c6c86950101939849e968c1a1de⟩","kind":"reconfigure","message_id":"<yln77p7bkq7t5dmgrljdc6hv.67648fe47153690e@lab.example>","record":"notice-queued","revision":1},"seq":39,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 39, 'ad5bb4181831ac35d9dc9406025c0e6c636f7e2add5a0a4cd9b7955309fa9fc6');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 40, 3, 10, 1795874858081, '{"at":"2026-11-28T14:07:38.08113707Z","by":"ada","host":"bastion-1","person":"ada","record":{"delivery":"sent","message_id":"<4dzursn4kfguki5orkqumapk.b3d8dc0dae3078a5@lab.example>","record":"notice-delivery","reply":"250 2.0.0 Ok: queued as vXkfrtxJm0"},"seq":40,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 40, 'f7d5afa371e85f034f48126b00fc5125d0536e54b820b63eeb225ae93c9aa89a');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 41, 3, 10, 1795874858087, '{"at":"2026-11-28T14:07:38.087817614Z","by":"ada","host":"bastion-1","person":"ada","record":{"delivery":"sent","message_id":"<yln77p7bkq7t5dmgrljdc6hv.67648fe47153690e@lab.example>","record":"notice-delivery","reply":"250 2.0.0 Ok: queued as -t8YmTpmGx"},"seq":41,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 41, '398fa61a36e5df08be23eb26a86f86132f57a15b6946d3a091d84f333fe2bc11');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 42, 3, 10, 1795874858095, '{"at":"2026-11-28T14:07:38.095917505Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"2 accepted by the mail server","record":"step-succeeded","step":7},"seq":42,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 42, '3bebb6732fa8c3f755512568cae5a4009ae0d35a71431cfd1afada9baae5d8ac');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 43, 3, 12, 1795874858440, '{"at":"2026-11-28T14:07:38.44096784Z","by":"bob","host":"bastion-2","person":"bob","record":{"forced":true,"from":{"heartbeat":"2026-11-28T14:07:38.205Z","host":"bastion-1","name":"ada","pid":14403,"since":"2026-11-28T14:07:38.205Z"},"reason":"she is on the train","record":"taken-over"},"seq":43,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 43, '7e6d56f270cc5eca4d016ccbbebc9874eacf8c9493c3972aa1bc72950259404b');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 44, 3, 13, 1795874858500, '{"at":"2026-11-28T14:07:38.500324894Z","by":"bob","host":"bastion-2","person":"bob","record":{"client":"u-ada","note":"at 14:07:38 UTC by the server''s clock","record":"client-back","source":"handshake"},"seq":44,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 44, 'dfffdc8b9863df4ad1d8f23cf1fa1487ab53b96d94c04649055babe921a97fa2');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 45, 3, 13, 1795874858502, '{"at":"2026-11-28T14:07:38.502072172Z","by":"bob","host":"bastion-2","person":"bob","record":{"client":"u-grace","note":"at 14:07:38 UTC by the server''s clock","record":"client-back","source":"handshake"},"seq":45,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 45, '484dd732493d092ab3da94789b857d98b32f6d0c7268fe7443ef6fee2399dfbc');
INSERT INTO public.record VALUES ('lease-5390c0fad0cb9d405e5281ae860fb578', 1, 3, 0, 1795874858513, '{"at":"2026-11-28T14:07:38.513108403Z","by":"ada","host":"bastion-1","person":"ada","record":{"doing":"verify","record":"lease-lost"},"seq":1,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 46, '63411a0758877cd339ba6f48650971f1f3bb2c1f4f18007628e64b92bab36935');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 46, 3, 15, 1795874858878, '{"at":"2026-11-28T14:07:38.878392245Z","by":"bob","host":"bastion-2","person":"bob","record":{"record":"step-started","step":8},"seq":46,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 47, '03ac8972279ab801137a167c92bbf9eb9d7da0c4773ada2677c1d09110dff532');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 47, 3, 15, 1795874858919, '{"at":"2026-11-28T14:07:38.919874606Z","by":"bob","host":"bastion-2","person":"bob","record":{"answer":"1 deleted, none of the name left","name":"changeguard-staged-20261128-140735-39bbbc-5390c0fad0cb9d405e5281ae860fb578","record":"key-destroyed","role":"staged"},"seq":47,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 48, 'a19c4a722fba7fbcceb231ed5a24ba225668a1067e44fe5f83a3eba70c00f30b');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 48, 3, 15, 1795874858926, '{"at":"2026-11-28T14:07:38.926308462Z","by":"bob","host":"bastion-2","person":"bob","record":{"answer":"1 deleted, none of the name left","name":"changeguard-previous-20261128-140735-39bbbc-5390c0fad0cb9d405e5281ae860fb578","record":"key-destroyed","role":"previous"},"seq":48,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 49, 'cf1aed51828aea923c9054cf83abc4bee2962a2341220491e64b1264c61078d3');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 49, 3, 15, 1795874858937, '{"at":"2026-11-28T14:07:38.93784914Z","by":"bob","host":"bastion-2","person":"bob","record":{"evidence":"2 back, 0 waived; 2 kept keys destroyed","record":"step-succeeded","step":8},"seq":49,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 50, '9393e8845a9b390da653484c65009db48680286330606e7f506b47a850cb3b1c');
INSERT INTO public.record VALUES ('20261128-140735-39bbbc', 50, 3, 15, 1795874858937, '{"at":"2026-11-28T14:07:38.93784914Z","by":"bob","host":"bastion-2","person":"bob","record":{"note":"","outcome":"rotated","record":"finished"},"seq":50,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 51, '6b17286d1127e68221fc44964b23d2a467d2cff54d3ad952c13fa09f3b1bb095');
INSERT INTO public.rotation VALUES ('lease-5390c0fad0cb9d405e5281ae860fb578', '5390c0fad0cb9d405e5281ae860fb578', 1795874858513, 1);
INSERT INTO public.rotation VALUES ('20261128-140735-39bbbc', '5390c0fad0cb9d405e5281ae860fb578', 1795874855758, 50);
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
