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
INSERT INTO public.chain VALUES ('keystone/lab', 41, 'dbff7e30085733dd1d7b770c98a1f65e4032050cb09503f66504e1bfa095bbfc', 0);
INSERT INTO public.lease VALUES ('keystone/lab', 4, 0, 41, 'ada', 'bastion-1', 2066, 1796013251075, 253370764800000, '79a3ad69c3b39f27709b50f111a61e28', '8a1acb81-c1f2-42c5-9881-3cb783b5126c', 'pid:[4026531836] time:[4026531834]', 4002372, 4, 1796013251075);
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 1, 7, 1, 1796013246989, '{"at":"2026-11-30T04:34:06.989245655Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"case":"20261130-043406-574ae1","record":"opened","reference":"","runbook":"fernet","subject":"keystone/lab"},"record":"case"},"seq":1,"unproven":true,"version":7}', 'keystone/lab', 1, '697daafe92029114a79e021ad92585a59bb42f8b4f6259b1a7839f1237ed304a');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 2, 7, 1, 1796013246992, '{"at":"2026-11-30T04:34:06.992652988Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"record":"begun","verb":"check"},"record":"case"},"seq":2,"unproven":true,"version":7}', 'keystone/lab', 2, '0ecbc32f0c52b13632aa28b00986295803eac85c05120d053c7136b4844858b4');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 3, 7, 1, 1796013246998, '{"at":"2026-11-30T04:34:06.998701297Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"record":"step-started","step":1},"record":"case"},"seq":3,"unproven":true,"version":7}', 'keystone/lab', 3, '6c5f6122d94f0f98db6cfe8fc22202090500211ec5e6057eb96457d7c248d0c5');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 4, 7, 1, 1796013247329, '{"at":"2026-11-30T04:34:07.329090715Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"baseline":{"node0":{"failed":0,"refused":0,"requests":9},"node1":{"failed":0,"refused":0,"requests":9},"node2":{"failed":0,"refused":0,"requests":9}},"held":[{"keys":{"0":"029b0a9d0ed6dd663c2f453c022a0e92d3497276065b4bd5374b81fb61130931","16":"6073900169b7bf6b94735fced93947a21972142db69e043cb59dbab91bd1f97c","17":"3484b975af67f7bb998ea3395e71a22363cf8f05ad55b995b163629255a69a60"},"kind":"tokens","max_active_keys":3,"paths":{"node0":"/srv/lab/node0/etc/keystone/fernet-keys","node1":"/srv/lab/node1/etc/keystone/fernet-keys","node2":"/srv/lab/node2/etc/keystone/fernet-keys"}}],"record":"agreed"},"record":"case"},"seq":4,"unproven":true,"version":7}', 'keystone/lab', 4, '8cdad356e399ae288c1537e59f98e5c231e3e786e56d1d8fbecea0847897f21e');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 5, 7, 1, 1796013247332, '{"at":"2026-11-30T04:34:07.332871815Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"evidence":"3 nodes hold the same keys (tokens 0, 16, 17); 18 of 18 tokens accepted; rotating would purge key 16, which no token needs any more: the last one ended Sun 29 Nov 05:45 UTC","record":"step-succeeded","step":1},"record":"case"},"seq":5,"unproven":true,"version":7}', 'keystone/lab', 5, '2e653cbebed307945d61e51a4027beb851b219fa50ce568db18952a2dd61cb8e');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 6, 7, 2, 1796013248006, '{"at":"2026-11-30T04:34:08.006626236Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"afresh":true,"record":"begun","verb":"rotate"},"record":"case"},"seq":6,"unproven":true,"version":7}', 'keystone/lab', 6, '44ffbf422e46f8daf4be7eaa29a7151a724b797b330c03151b761135e85377e4');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 7, 7, 2, 1796013248009, '{"at":"2026-11-30T04:34:08.009760116Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"record":"step-started","step":1},"record":"case"},"seq":7,"unproven":true,"version":7}', 'keystone/lab', 7, '2f44be9194bb6a2e22485c8d8b020a97afaed4c08d5fb18915a7d1a15a8d69ec');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 8, 7, 2, 1796013248286, '{"at":"2026-11-30T04:34:08.286954403Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"baseline":{"node0":{"failed":0,"refused":0,"requests":20},"node1":{"failed":0,"refused":0,"requests":20},"node2":{"failed":0,"refused":0,"requests":20}},"held":[{"keys":{"0":"029b0a9d0ed6dd663c2f453c022a0e92d3497276065b4bd5374b81fb61130931","16":"6073900169b7bf6b94735fced93947a21972142db69e043cb59dbab91bd1f97c","17":"3484b975af67f7bb998ea3395e71a22363cf8f05ad55b995b163629255a69a60"},"kind":"tokens","max_active_keys":3,"paths":{"node0":"/srv/lab/node0/etc/keystone/fernet-keys","node1":"/srv/lab/node1/etc/keystone/fernet-keys","node2":"/srv/lab/node2/etc/keystone/fernet-keys"}}],"record":"agreed"},"record":"case"},"seq":8,"unproven":true,"version":7}', 'keystone/lab', 8, '8d2645a6471b153f9f81bdec458c84bab811ba6a3e0e658ef617c79d77cb7e0b');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 9, 7, 2, 1796013248288, '{"at":"2026-11-30T04:34:08.288817278Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"evidence":"3 nodes hold the same keys (tokens 0, 16, 17); 18 of 18 tokens accepted; rotating would purge key 16, which no token needs any more: the last one ended Sun 29 Nov 05:45 UTC","record":"step-succeeded","step":1},"record":"case"},"seq":9,"unproven":true,"version":7}', 'keystone/lab', 9, '275b671bf8d23efac7308cb86f3b2e362bb05c8cc7def546ccb1cb28ee67f732');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 10, 7, 2, 1796013248289, '{"at":"2026-11-30T04:34:08.289902604Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"record":"step-started","step":2},"record":"case"},"seq":10,"unproven":true,"version":7}', 'keystone/lab', 10, '76790a770899cb3391d96334948f23025ac063dc7ac9fff59cd3a8569d4491bb');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 11, 7, 2, 1796013248561, '{"at":"2026-11-30T04:34:08.56173395Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"node":"node0","record":"saved"},"record":"case"},"seq":11,"unproven":true,"version":7}', 'keystone/lab', 11, '28b084f020ef87bf6b338a7023d1c501daad894b4070b58f0ef4bf1c031628e3');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 12, 7, 2, 1796013248563, '{"at":"2026-11-30T04:34:08.563627156Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"node":"node1","record":"saved"},"record":"case"},"seq":12,"unproven":true,"version":7}', 'keystone/lab', 12, 'db4a1871bc47fb98242d8dd6153d97114cd241545d6afcd177c8232c20a8c188');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 13, 7, 2, 1796013248564, '{"at":"2026-11-30T04:34:08.564825388Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"node":"node2","record":"saved"},"record":"case"},"seq":13,"unproven":true,"version":7}', 'keystone/lab', 13, '1a793658146c2e4122816a089e9fc2d44b69f73b9e4b7b85e4fcb29ab4d020b8');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 14, 7, 2, 1796013248565, '{"at":"2026-11-30T04:34:08.565714682Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"evidence":"3 nodes are saved beside themselves, unencrypted, and could be restored","record":"step-succeeded","step":2},"record":"case"},"seq":14,"unproven":true,"version":7}', 'keystone/lab', 14, 'c6f4bad91287bd8ac31538df6977140383a2c8620533b077d43720e28e9f5cb9');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 15, 7, 2, 1796013248566, '{"at":"2026-11-30T04:34:08.566918809Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"record":"step-started","step":3},"record":"case"},"seq":15,"unproven":true,"version":7}', 'keystone/lab', 15, '80a88b6081673c7732b611e95eddd72d746523e66e9b1d7a383681de68a6613e');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 16, 7, 2, 1796013248757, '{"at":"2026-11-30T04:34:08.757875082Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"kind":"tokens","promotion":{"keys":{"0":"e176fb894b9a3d87a1e30b92dc005a3e2ea87355eb767913c2c74f634def07a6","17":"3484b975af67f7bb998ea3395e71a22363cf8f05ad55b995b163629255a69a60","18":"029b0a9d0ed6dd663c2f453c022a0e92d3497276065b4bd5374b81fb61130931"},"primary":18,"promoted":"029b0a9d0ed6dd663c2f453c022a0e92d3497276065b4bd5374b81fb61130931","purged":[16],"staged":"e176fb894b9a3d87a1e30b92dc005a3e2ea87355eb767913c2c74f634def07a6"},"record":"prepared"},"record":"case"},"seq":16,"unproven":true,"version":7}', 'keystone/lab', 16, '98ff69a2659c16baa685ee75bf0843cbdfc52249ccbd5d94b7d2702a999d5743');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 17, 7, 2, 1796013248760, '{"at":"2026-11-30T04:34:08.760117637Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"evidence":"prepared in a copy on node0: tokens: 029b0a9d0ed6 becomes the primary 18","record":"step-succeeded","step":3},"record":"case"},"seq":17,"unproven":true,"version":7}', 'keystone/lab', 17, '3b5e302bd02a05beafbb9ccf67c4a8af0f060cf8e09757264dec02cd28e075cc');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 20, 7, 2, 1796013248945, '{"at":"2026-11-30T04:34:08.945188958Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"node":"node1","record":"placed"},"record":"case"},"seq":20,"unproven":true,"version":7}', 'keystone/lab', 20, 'd091a72523f8369ea4e970bf9bc5768e8dcc824a87bfe95b5b46c370dc42c6cd');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 24, 7, 2, 1796013249152, '{"at":"2026-11-30T04:34:09.152268865Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"record":"touching","step":5},"record":"case"},"seq":24,"unproven":true,"version":7}', 'keystone/lab', 24, 'cbccc6c883301644da78b3a132fd236c5501659ecd142ca658e946655f738f93');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 25, 7, 2, 1796013249409, '{"at":"2026-11-30T04:34:09.409498219Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"back":false,"node":"node0","record":"installed"},"record":"case"},"seq":25,"unproven":true,"version":7}', 'keystone/lab', 25, '7c59bf6d8935f2ab6ad1fd27f72ac8330c162452c104b7a96498b90fac67b88f');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 26, 7, 2, 1796013249669, '{"at":"2026-11-30T04:34:09.669933089Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"back":false,"node":"node1","record":"installed"},"record":"case"},"seq":26,"unproven":true,"version":7}', 'keystone/lab', 26, '6020df1e365b3da9dcc1fc93d4b18e8fa8bef8a295af89a621cb2662d810cf52');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 30, 7, 2, 1796013250102, '{"at":"2026-11-30T04:34:10.102403042Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"evidence":"3 nodes hold what was installed; 36 of 36 tokens accepted (old and new)","record":"step-succeeded","step":6},"record":"case"},"seq":30,"unproven":true,"version":7}', 'keystone/lab', 30, 'f679060545dbedf4c86a07a73d058a96a9444cd27e011bfe3e2c2d9b5d136fe2');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 18, 7, 2, 1796013248761, '{"at":"2026-11-30T04:34:08.761787717Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"record":"step-started","step":4},"record":"case"},"seq":18,"unproven":true,"version":7}', 'keystone/lab', 18, 'a523d5a68971ea85c920dce6898c9b7e3ceb7deee5f4a4715789d0b653a6df1d');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 19, 7, 2, 1796013248943, '{"at":"2026-11-30T04:34:08.943446565Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"node":"node0","record":"placed"},"record":"case"},"seq":19,"unproven":true,"version":7}', 'keystone/lab', 19, '1e1d3d39fa433bcc1ae0ccd6f925525899389e479416045f6ea2ec3e5cc6c2d0');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 21, 7, 2, 1796013248946, '{"at":"2026-11-30T04:34:08.946270335Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"node":"node2","record":"placed"},"record":"case"},"seq":21,"unproven":true,"version":7}', 'keystone/lab', 21, 'd35a9dd9fe416ed7590a17964f7d4aed4e5ad54c4d0af69c41e1c9b4a0993b8a');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 22, 7, 2, 1796013248948, '{"at":"2026-11-30T04:34:08.948768431Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"evidence":"3 nodes have the prepared keys beside the live ones, equal by digest","record":"step-succeeded","step":4},"record":"case"},"seq":22,"unproven":true,"version":7}', 'keystone/lab', 22, '21dc05598752946c9f14d56a5134c9ca68c27b5915390a3f0a6d83f2b40c2d70');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 23, 7, 2, 1796013248950, '{"at":"2026-11-30T04:34:08.950589863Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"record":"step-started","step":5},"record":"case"},"seq":23,"unproven":true,"version":7}', 'keystone/lab', 23, '587aeb1b9d7029c861b798ff7eff9201912cc7ebc236c4950c07ba1a06df1f26');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 27, 7, 2, 1796013249671, '{"at":"2026-11-30T04:34:09.671829457Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"back":false,"node":"node2","record":"installed"},"record":"case"},"seq":27,"unproven":true,"version":7}', 'keystone/lab', 27, '9e44686ac8463afdf63695b24ae13bd9d0d9cd477e2b4a4306a0ecb97253ae01');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 28, 7, 2, 1796013249726, '{"at":"2026-11-30T04:34:09.726048398Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"evidence":"3 nodes have the new primary in force, one after the other; last row of the matrix: 20 of 20 tokens accepted","record":"step-succeeded","step":5},"record":"case"},"seq":28,"unproven":true,"version":7}', 'keystone/lab', 28, '085a76e74b241146fb4463058940abf7a7c3056cb0944fe34d3f9f5ede1570bd');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 29, 7, 2, 1796013249728, '{"at":"2026-11-30T04:34:09.728418689Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"record":"step-started","step":6},"record":"case"},"seq":29,"unproven":true,"version":7}', 'keystone/lab', 29, 'eb06ab0271ffe57abe029d567bf54775e0019b349fb7e22290eb047cc2a09419');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 31, 7, 2, 1796013250107, '{"at":"2026-11-30T04:34:10.107992921Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"record":"step-started","step":7},"record":"case"},"seq":31,"unproven":true,"version":7}', 'keystone/lab', 31, 'c76735e45248db60ed5eef763ace718b6f7ed23e650c055c2e36f75125af4385');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 32, 7, 2, 1796013250109, '{"at":"2026-11-30T04:34:10.109592847Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"evidence":"not watched (watch.length is 0)","record":"step-succeeded","step":7},"record":"case"},"seq":32,"unproven":true,"version":7}', 'keystone/lab', 32, '02796d7b766c424c3dce66f3970f28116d745d01bd7a276da62b379baf7f94ed');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 33, 7, 3, 1796013250589, '{"at":"2026-11-30T04:34:10.589879495Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"record":"noted","text":"looks well"},"record":"case"},"seq":33,"unproven":true,"version":7}', 'keystone/lab', 33, '925dc34e9cdad89daec29216a6562888e983c8b8389a8933e77a8ad38a9999d3');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 34, 7, 4, 1796013251307, '{"at":"2026-11-30T04:34:11.307566697Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"record":"begun","verb":"purge"},"record":"case"},"seq":34,"unproven":true,"version":7}', 'keystone/lab', 34, 'bba71cbebd786d882edc49a55f32ea3ef6eb63a778c82ce4c5262b90cbc7bcee');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 35, 7, 4, 1796013251310, '{"at":"2026-11-30T04:34:11.310639185Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"record":"step-started","step":8},"record":"case"},"seq":35,"unproven":true,"version":7}', 'keystone/lab', 35, '81db764407d21256a2ff50c33eb9848e05a416d7e276ee1382acfd7a1504b1f0');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 36, 7, 4, 1796013251526, '{"at":"2026-11-30T04:34:11.52618094Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"record":"touching","step":8},"record":"case"},"seq":36,"unproven":true,"version":7}', 'keystone/lab', 36, '330731029b8dd014a09211cd16c1ec075fe9a100546f906ec325baac89407ac1');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 37, 7, 4, 1796013251864, '{"at":"2026-11-30T04:34:11.864857021Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"node":"node0","record":"purged"},"record":"case"},"seq":37,"unproven":true,"version":7}', 'keystone/lab', 37, '0a35d75ec1121f593a3ab73244cbf90f16fb25845016e50507f90a59137be455');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 38, 7, 4, 1796013251867, '{"at":"2026-11-30T04:34:11.867159799Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"node":"node1","record":"purged"},"record":"case"},"seq":38,"unproven":true,"version":7}', 'keystone/lab', 38, '0d72e7e76085b6e8f8598d849fb3de1aa1ef3aef0a5450dd428343a2d99a63b9');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 39, 7, 4, 1796013251868, '{"at":"2026-11-30T04:34:11.868272053Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"node":"node2","record":"purged"},"record":"case"},"seq":39,"unproven":true,"version":7}', 'keystone/lab', 39, '01d0745a87ad6d09d5236d428f81762480d92dbb6d9c7a44f16230400e8b5398');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 40, 7, 4, 1796013251948, '{"at":"2026-11-30T04:34:11.948057139Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"evidence":"key 16 purged on 3 nodes; what was placed and saved is taken away","record":"step-succeeded","step":8},"record":"case"},"seq":40,"unproven":true,"version":7}', 'keystone/lab', 40, '0c06bc427c9556ed6510df2805503a5906d820162b85a39dfcdf8df484ca9a6a');
INSERT INTO public.record VALUES ('20261130-043406-574ae1', 41, 7, 4, 1796013251949, '{"at":"2026-11-30T04:34:11.949871277Z","by":"ada","host":"bastion-1","person":"ada","record":{"body":{"end":"done","note":"","record":"finished"},"record":"case"},"seq":41,"unproven":true,"version":7}', 'keystone/lab', 41, 'dbff7e30085733dd1d7b770c98a1f65e4032050cb09503f66504e1bfa095bbfc');
INSERT INTO public.rotation VALUES ('20261130-043406-574ae1', 'keystone/lab', 1796013246989, 41);
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
