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
INSERT INTO public.chain VALUES ('5390c0fad0cb9d405e5281ae860fb578', 43, '32467d084f431a14fba001a71c47aab6059ba1b6bd21f87d6feba81d47c0780f', 0);
INSERT INTO public.lease VALUES ('5390c0fad0cb9d405e5281ae860fb578', 5, 0, 33, 'bob', 'bastion-2', 12540, 1795874836411, 1795874836411);
INSERT INTO public.person VALUES ('b7391da56564d26e30918c9f7448241b', '5390c0fad0cb9d405e5281ae860fb578', '6643de4c6e043c02e312e2ef7036250f', 'dcab1033cbc948d193a5824a54e4c9dd', 'ada.okafor@acme.example');
INSERT INTO public.person VALUES ('b12865b65bd135011087f8f3b589a23f', '5390c0fad0cb9d405e5281ae860fb578', '6643de4c6e043c02e312e2ef7036250f', 'd20cd9f6a668bd891d1e8baacaf69cca', 'Ada Okafor');
INSERT INTO public.person VALUES ('3f842d63118d37d94b297dc5ae422e9b', '5390c0fad0cb9d405e5281ae860fb578', 'c149bb4ed5936e04c7888202eea74cd6', '347746324adcc89d4da91ee31c0db8d4', 'grace.lindqvist@acme.example');
INSERT INTO public.person VALUES ('74cce2d18b5dabeef77cdd36682c0ae3', '5390c0fad0cb9d405e5281ae860fb578', 'c149bb4ed5936e04c7888202eea74cd6', 'de3073c4e810a3cc70e763f78a24b864', 'Grace Lindqvist');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 1, 3, 1, 1795874834881, '{"at":"2026-11-28T14:07:14.881084127Z","by":"ada","host":"bastion-1","person":"ada","record":{"cause":"scheduled","record":"planned","reference":"CHG-4711","rotation":"20261128-140714-d237a2","tenant":{"gateway":"10.77.1.1","id":"5390c0fad0cb9d405e5281ae860fb578","name":"acme","server":"vpn-acme"},"window":{"end":"2026-11-28T15:37:00Z","revision":1,"start":"2026-11-28T14:07:00Z","zone":"UTC"}},"seq":1,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 1, '91f0719f6cf963c914b3235f1c8c7b6767d5d71984950c2655e87c6f7a55a11c');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 2, 3, 1, 1795874834897, '{"at":"2026-11-28T14:07:14.897110378Z","by":"ada","host":"bastion-1","person":"ada","record":{"clients":[{"email":"⟨b7391da56564d26e30918c9f7448241b⟩","id":"u-ada","name":"⟨b12865b65bd135011087f8f3b589a23f⟩","public_key":"oDgN6UIjzUcM21ukWQkE0Nk8K2R7HmlfYzEMZKfNEV0=","sources":["object","console"]},{"email":"⟨3f842d63118d37d94b297dc5ae422e9b⟩","id":"u-grace","name":"⟨74cce2d18b5dabeef77cdd36682c0ae3⟩","public_key":"vmjJXTnDIxDcGCI6nGioVBPT7mc7C0YIYGtXx85KDFo=","sources":["object","console"]}],"record":"people-seen"},"seq":2,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 2, 'a9526360f497974f72983a8dc9266121c53057a2bd4384c558cc9cf3f75e8669');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 3, 3, 2, 1795874835184, '{"at":"2026-11-28T14:07:15.184443354Z","by":"ada","host":"bastion-1","person":"ada","record":{"covers":[],"reason":"a rehearsal","record":"emergency-declared","review_due":"2026-11-29T14:07:15.184443354Z"},"seq":3,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 3, 'e118af3b56b216e71e9831f9d15408656639e6c2125e6d3ffee82f8c2d227817');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 4, 3, 2, 1795874835184, '{"at":"2026-11-28T14:07:15.184443354Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":1},"seq":4,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 4, '23858486c503d37f95bb0ad0d867bd92d6272aa2d2e2b83fc6c0efaf1cb281e6');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 5, 3, 2, 1795874835214, '{"at":"2026-11-28T14:07:15.214770676Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-ada","email":"⟨b7391da56564d26e30918c9f7448241b⟩","kind":"emergency","message_id":"<d33tdbcoybgaqhnuu7ur2sf6.c138fe68f4443458@lab.example>","record":"notice-queued","revision":1},"seq":5,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 5, '95b44f6c247ee44b7b5a2e96127f0b9c84040478b88179fc0758fb0483630ffa');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 6, 3, 2, 1795874835217, '{"at":"2026-11-28T14:07:15.217305664Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-grace","email":"⟨3f842d63118d37d94b297dc5ae422e9b⟩","kind":"emergency","message_id":"<jwwwgjrg3bxwc7q7liyobtus.0ac8123bdabeca99@lab.example>","record":"notice-queued","revision":1},"seq":6,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 6, '26d60cfd68f3fd95c2ad6bb3c57200755ab9295c94ea5e3d04e319a1bf6cf39a');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 7, 3, 2, 1795874835227, '{"at":"2026-11-28T14:07:15.227268869Z","by":"ada","host":"bastion-1","person":"ada","record":{"delivery":"sent","message_id":"<jwwwgjrg3bxwc7q7liyobtus.0ac8123bdabeca99@lab.example>","record":"notice-delivery","reply":"250 2.0.0 Ok: queued as PfBLkOMxAI"},"seq":7,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 7, 'd0d2f9259e63e2280d46d4d34b48a5a4901126b9d0e9cb6e8184e5b52421bdcb');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 8, 3, 2, 1795874835236, '{"at":"2026-11-28T14:07:15.23670447Z","by":"ada","host":"bastion-1","person":"ada","record":{"delivery":"sent","message_id":"<d33tdbcoybgaqhnuu7ur2sf6.c138fe68f4443458@lab.example>","record":"notice-delivery","reply":"250 2.0.0 Ok: queued as TZ703HZ4zz"},"seq":8,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 8, '721d60984d0aaf61d1698d77f35c6b67587e5d6297d5a45da43d951e5cfdeaa3');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 9, 3, 2, 1795874835238, '{"at":"2026-11-28T14:07:15.23803052Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"2 accepted by the mail server","record":"step-succeeded","step":1},"seq":9,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 9, '1a00a70849178d8d989d72e1acca5e3a6cca90d402bc87f3f09e949b65121d8b');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 10, 3, 2, 1795874835238, '{"at":"2026-11-28T14:07:15.23803052Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":2},"seq":10,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 10, '6e273aa48056c35cea3418130da1f389dec5cda993be648bd757c58f14aeae52');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 11, 3, 2, 1795874835266, '{"at":"2026-11-28T14:07:15.266542614Z","by":"ada","host":"bastion-1","person":"ada","record":{"preflight":{"at":"2026-11-28T14:07:15.266441397Z","checks":[{"advice":"","finding":"token for ops until 15:07:15 UTC","name":"keystone","state":"pass"},{"advice":"","finding":"answers; 1 secrets in the project","name":"barbican","state":"pass"},{"advice":"","finding":"reachable, TLS and password accepted","name":"mail","state":"pass"},{"advice":"","finding":"operator, the token does not say when it ends","name":"console","state":"pass"},{"advice":"","finding":"looks the secret up by name","name":"agent","state":"pass"},{"advice":"","finding":"not through the tunnel: no ssh session is known; the way of server.command is not known","name":"own-route","state":"pass"},{"advice":"","finding":"one secret has the name, and it holds a key","name":"secret","state":"pass"},{"advice":"","finding":"readable and well-formed, 2 users","name":"object","state":"pass"},{"advice":"","finding":"`wg show` answers, 2 peers","name":"server","state":"pass"},{"advice":"","finding":"server +0 s, Keystone +0 s against this host","name":"clocks","state":"pass"},{"advice":"","finding":"all places show OB6MzXzR","name":"keys","state":"pass"},{"advice":"","finding":"2 clients, all places agree","name":"people","state":"pass"}],"keys":{"console":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","interface":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","object":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","secret":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI="}},"record":"checked"},"seq":11,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 11, 'c5621c4b7b8d03b54fdfdeba5cd82a8583795f5b30b2689495e2e0f4985dc798');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 12, 3, 2, 1795874835269, '{"at":"2026-11-28T14:07:15.269410111Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"12 checks, none failed","record":"step-succeeded","step":2},"seq":12,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 12, '514531dfa143eb38b9e81328880ccc8cefe77dc0241e72883208fb1eb300a643');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 13, 3, 2, 1795874835269, '{"at":"2026-11-28T14:07:15.269410111Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"rotate-confirmed","waived":[]},"seq":13,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 13, '208a2d2aa1c56f7948d6047f55c867fccc43909e8b198b37a51fabdb827d7603');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 14, 3, 2, 1795874835269, '{"at":"2026-11-28T14:07:15.269410111Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":3},"seq":14,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 14, 'cc6594074285bde10e1461e23f4f552188ca5dc20f4471e1c6e537cb3d76da12');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 15, 3, 2, 1795874835271, '{"at":"2026-11-28T14:07:15.271087603Z","by":"ada","host":"bastion-1","person":"ada","record":{"name":"changeguard-staged-20261128-140714-d237a2-5390c0fad0cb9d405e5281ae860fb578","public_key":"VqqTh41VBbAns22/Q89wv3ijXupdU6BZwEKgYljWnic=","record":"key-keeping","role":"staged"},"seq":15,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 15, '0762c9556f14eb630ff447425cdf1320662bcdcbc0d5f480e20cf4956cd448c9');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 16, 3, 2, 1795874835276, '{"at":"2026-11-28T14:07:15.276483221Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"shape-seen","shape":{"acl":null,"algorithm":"aes","bit_length":256,"consumers":[],"content_type":"application/octet-stream","expiration":null,"metadata":{},"mode":"cbc","secret_type":"opaque","trailing_newline":false}},"seq":16,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 16, 'fe1b414f42090cb5231e0413069a88c548cbe8c1e4eb62f5cb05a051002ba83a');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 20, 3, 2, 1795874835306, '{"at":"2026-11-28T14:07:15.306704819Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"staged VqqTh41V, previous OB6MzXzR kept; both read back","record":"step-succeeded","step":3},"seq":20,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 20, '72b071a2307e46877798b19c07a9b7fa8904087d805a352aa115d6e951490c98');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 21, 3, 2, 1795874835306, '{"at":"2026-11-28T14:07:15.306704819Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":4},"seq":21,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 21, 'ababcf7d3a13637ef8ab5ae786d2d3af32976c879527425a746eb29a36e9e675');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 23, 3, 2, 1795874835367, '{"at":"2026-11-28T14:07:15.36791904Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"gap 6.9 ms, one secret, holds VqqTh41V","record":"step-succeeded","step":4},"seq":23,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 23, 'aed44a6f9c77591ed539ed0870b3bf55c130903a446926f9bd9bfb35a1b48bd8');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 24, 3, 2, 1795874835367, '{"at":"2026-11-28T14:07:15.36791904Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":5},"seq":24,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 24, '41b5d405c21527820d0a5f04389da70cb627ca5ac42314002a8ca09b042758fc');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 25, 3, 2, 1795874835383, '{"at":"2026-11-28T14:07:15.383543622Z","by":"ada","host":"bastion-1","person":"ada","record":{"etag":"e62146ca4eb7cd3e80cdddb116bfae98","from":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","record":"object-changed","to":"VqqTh41VBbAns22/Q89wv3ijXupdU6BZwEKgYljWnic="},"seq":25,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 25, '858229c473496464a73994d3e9c98542f1b966655bd14fe3a33b93b43599fae6');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 29, 3, 2, 1795874835410, '{"at":"2026-11-28T14:07:15.410560159Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"after 0.0 s the interface shows VqqTh41V","record":"step-succeeded","step":6},"seq":29,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 29, '33e2a603d3b34165c21493e4f4408f40bdb1944afca6c675e8e7c430d7e16f73');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 30, 3, 2, 1795874835410, '{"at":"2026-11-28T14:07:15.410560159Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":7},"seq":30,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 30, '3142bc4032abd5943ab2d1fd2dadb8a975279d9b605f13cfa9ec6a6ce5cc094f');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 31, 3, 2, 1795874835444, '{"at":"2026-11-28T14:07:15.444473805Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-ada","email":"⟨b7391da56564d26e30918c9f7448241b⟩","kind":"reconfigure","message_id":"<d33tdbcoybgaqhnuu7ur2sf6.2d83bde8c20f7483@lab.example>","record":"notice-queued","revision":1},"seq":31,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 31, '3dc18c4b6907c098bd04c990fcabfea1413498dee918193b5dad50b899212a78');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 33, 3, 2, 1795874835451, '{"at":"2026-11-28T14:07:15.451168101Z","by":"ada","host":"bastion-1","person":"ada","record":{"delivery":"sent","message_id":"<d33tdbcoybgaqhnuu7ur2sf6.2d83bde8c20f7483@lab.example>","record":"notice-delivery","reply":"250 2.0.0 Ok: queued as qKLKLK7p-4"},"seq":33,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 33, '2c9f62b165a0ed4a5b846cf559a3884e67cc17143c45797eb1f501e3d8845cfd');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 17, 3, 2, 1795874835300, '{"at":"2026-11-28T14:07:15.300766647Z","by":"ada","host":"bastion-1","person":"ada","record":{"href":"http://127.0.0.1:45563/v1/secrets/eb6d6933-1af0-4fa0-b5de-670171abbed2","name":"changeguard-staged-20261128-140714-d237a2-5390c0fad0cb9d405e5281ae860fb578","public_key":"VqqTh41VBbAns22/Q89wv3ijXupdU6BZwEKgYljWnic=","record":"key-kept","role":"staged"},"seq":17,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 17, 'a0f280e9a2dfa1def04c30bb3cd538780dc86ea32ee9fa697051b04349aafd67');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 18, 3, 2, 1795874835300, '{"at":"2026-11-28T14:07:15.300777877Z","by":"ada","host":"bastion-1","person":"ada","record":{"name":"changeguard-previous-20261128-140714-d237a2-5390c0fad0cb9d405e5281ae860fb578","public_key":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","record":"key-keeping","role":"previous"},"seq":18,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 18, '26b0c9efe198f38d909c61d73bc78322b7f71afdef66f088b73f25b8863096a8');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 28, 3, 2, 1795874835408, '{"at":"2026-11-28T14:07:15.408835998Z","by":"ada","host":"bastion-1","person":"ada","record":{"baseline":{"clock":1795874835,"peers":{"oDgN6UIjzUcM21ukWQkE0Nk8K2R7HmlfYzEMZKfNEV0=":[1795874739,545419816],"vmjJXTnDIxDcGCI6nGioVBPT7mc7C0YIYGtXx85KDFo=":[1795874772,875512105]},"public_key":"VqqTh41VBbAns22/Q89wv3ijXupdU6BZwEKgYljWnic="},"record":"applied","waited_ms":23},"seq":28,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 28, 'e601b20596b8a778449f7f14ebdd11c2b483e1588fbf53ec22f565d3aee78f31');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 34, 3, 2, 1795874835453, '{"at":"2026-11-28T14:07:15.453446544Z","by":"ada","host":"bastion-1","person":"ada","record":{"delivery":"sent","message_id":"<jwwwgjrg3bxwc7q7liyobtus.d4e847555d0a11ae@lab.example>","record":"notice-delivery","reply":"250 2.0.0 Ok: queued as TORjJ945po"},"seq":34,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 34, 'fb796521dd57a8dac3c230b8d17fab45587646eb794be6f2b47288a535b1f86b');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 19, 3, 2, 1795874835304, '{"at":"2026-11-28T14:07:15.304985032Z","by":"ada","host":"bastion-1","person":"ada","record":{"href":"http://127.0.0.1:45563/v1/secrets/ff47c81f-c856-4b45-8e4c-26b20d1f264b","name":"changeguard-previous-20261128-140714-d237a2-5390c0fad0cb9d405e5281ae860fb578","public_key":"OB6MzXzRM4dYFrap9Frwk4Ti9AgNh6pfahnYY7EzfhI=","record":"key-kept","role":"previous"},"seq":19,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 19, 'dfa8ceb0007daa8ead2de161454b0e9e9f4d25ed1399a4a1475a003554a051ca');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 22, 3, 2, 1795874835349, '{"at":"2026-11-28T14:07:15.349191001Z","by":"ada","host":"bastion-1","person":"ada","record":{"gap_us":6968,"not_carried":[],"public_key":"VqqTh41VBbAns22/Q89wv3ijXupdU6BZwEKgYljWnic=","record":"swapped"},"seq":22,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 22, '5be3620cf455cb77048e2deebb18bb75bdd24e9b98423fa8773194ecb34db35b');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 26, 3, 2, 1795874835385, '{"at":"2026-11-28T14:07:15.385363444Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"the object says VqqTh41V, read back","record":"step-succeeded","step":5},"seq":26,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 26, 'd6e73636b6a3c48e973f07b0d4714b0d5e429c0520c57176e2667298b674e4a3');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 27, 3, 2, 1795874835385, '{"at":"2026-11-28T14:07:15.385363444Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":6},"seq":27,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 27, 'f360e0f2329862f5f1512bd090cdf09d3dd2783508ba33b608f8bc0c389e88e9');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 32, 3, 2, 1795874835446, '{"at":"2026-11-28T14:07:15.44691742Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-grace","email":"⟨3f842d63118d37d94b297dc5ae422e9b⟩","kind":"reconfigure","message_id":"<jwwwgjrg3bxwc7q7liyobtus.d4e847555d0a11ae@lab.example>","record":"notice-queued","revision":1},"seq":32,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 32, 'b4fc4f711571947e822c365740ff2d4b1aefac249e35fe11b432457c2c66ebff');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 35, 3, 2, 1795874835455, '{"at":"2026-11-28T14:07:15.455065871Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"2 accepted by the mail server","record":"step-succeeded","step":7},"seq":35,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 35, '44bb4cc04eb1e8a4c38367365a6b38bf3ddca6270b2f6ae19cb90ec6e2e00933');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 36, 3, 3, 1795874835711, '{"at":"2026-11-28T14:07:15.711954031Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-ada","note":"at 14:07:15 UTC by the server''s clock","record":"client-back","source":"handshake"},"seq":36,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 36, '21aeba7b8929df86442ac183e6318b0e0155d302713797305a75e3361b474cfb');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 37, 3, 3, 1795874835714, '{"at":"2026-11-28T14:07:15.714554344Z","by":"ada","host":"bastion-1","person":"ada","record":{"client":"u-grace","note":"at 14:07:15 UTC by the server''s clock","record":"client-back","source":"handshake"},"seq":37,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 37, '6e11a1581aaebbe28a67e68f314d0309b0036a54a7e5887c019d428c1c63ba30');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 38, 3, 4, 1795874835975, '{"at":"2026-11-28T14:07:15.975542509Z","by":"ada","host":"bastion-1","person":"ada","record":{"record":"step-started","step":8},"seq":38,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 38, 'd125ffda3aa20f995230ca3f57b7f420abc03937af2d595be4f6a5a039c51494');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 39, 3, 4, 1795874836017, '{"at":"2026-11-28T14:07:16.017861117Z","by":"ada","host":"bastion-1","person":"ada","record":{"answer":"1 deleted, none of the name left","name":"changeguard-staged-20261128-140714-d237a2-5390c0fad0cb9d405e5281ae860fb578","record":"key-destroyed","role":"staged"},"seq":39,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 39, '3b0cef9a08ce84771ef7fff86ab1f895976f8517631ae37bd58b888e25c996b0');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 40, 3, 4, 1795874836023, '{"at":"2026-11-28T14:07:16.023279429Z","by":"ada","host":"bastion-1","person":"ada","record":{"answer":"1 deleted, none of the name left","name":"changeguard-previous-20261128-140714-d237a2-5390c0fad0cb9d405e5281ae860fb578","record":"key-destroyed","role":"previous"},"seq":40,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 40, 'a172df8ddbccbd4bb25b7743e87d2a854ca0af020308c7b3fed71824a22f90ab');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 41, 3, 4, 1795874836029, '{"at":"2026-11-28T14:07:16.02902569Z","by":"ada","host":"bastion-1","person":"ada","record":{"evidence":"2 back, 0 waived; 2 kept keys destroyed","record":"step-succeeded","step":8},"seq":41,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 41, '596f3a824e011a7bc6894bf4881b07f54f9f6004077724d3ff8cd984628b98c9');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 42, 3, 4, 1795874836029, '{"at":"2026-11-28T14:07:16.02902569Z","by":"ada","host":"bastion-1","person":"ada","record":{"note":"","outcome":"rotated","record":"finished"},"seq":42,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 42, '331f324e640a3f93b0bb890b6888bd602d8a47947971f9013fa48b4dbfe143e3');
INSERT INTO public.record VALUES ('20261128-140714-d237a2', 43, 3, 5, 1795874836462, '{"at":"2026-11-28T14:07:16.462124991Z","by":"bob","host":"bastion-2","person":"bob","record":{"note":"the laptop was found","record":"review-closed"},"seq":43,"version":3}', '5390c0fad0cb9d405e5281ae860fb578', 43, '32467d084f431a14fba001a71c47aab6059ba1b6bd21f87d6feba81d47c0780f');
INSERT INTO public.rotation VALUES ('20261128-140714-d237a2', '5390c0fad0cb9d405e5281ae860fb578', 1795874834881, 43);
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
