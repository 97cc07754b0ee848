//! One node over HTTP: who gets a token, which are taken and for how long, the faults, the logs, and the rest of the cloud.

use std::time::Duration;

use changeguard::adapters::lab::{Fault, Loss, Rule, Service, Which};

use super::fernet_rig::{Rig, http, issue, own, password, subject};

#[tokio::test]
async fn a_token_is_issued_for_a_password_and_valid_at_every_node() {
    let rig = Rig::new().await;
    let answer = http(rig.port(0), "POST", "/v3/auth/tokens", &[], &rig.body()).await;
    let token = answer.header("x-subject-token").unwrap().to_owned();
    assert!(answer.status == 201 && token.starts_with("gAAAAA") && !token.ends_with('='), "{}", answer.head);
    let headers = [("x-auth-token", token.as_str()), ("x-subject-token", token.as_str())];
    for node in 0..3 {
        let seen = http(rig.port(node), "GET", "/v3/auth/tokens", &headers, "").await;
        assert_eq!((seen.status, seen.json()), (200, answer.json()));
    }
    let head = http(rig.port(0), "HEAD", "/v3/auth/tokens", &headers, "").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    let token = answer.json()["token"].clone();
    assert_eq!((&token["user"]["name"], &token["project"]["name"]), (&"admin".into(), &"admin".into()));
    assert_eq!(rig.matrix().await, vec![vec![(200, 200); 3]; 3]);
}

#[tokio::test]
async fn words_that_are_not_a_token_or_a_password_are_refused_as_keystone_refuses_them() {
    let rig = Rig::new().await;
    let (port, good) = (rig.port(0), rig.token(0).await);
    let get = async |headers: &[(&str, &str)]| http(port, "GET", "/v3/auth/tokens", headers, "").await;
    assert_eq!(issue(port, &password("admin", "wrong", "admin")).await.0, 401);
    assert_eq!(issue(port, &password("admin", &rig.cluster().admin().password, "elsewhere")).await.0, 401);
    assert_eq!((issue(port, "{}").await.0, issue(port, "{").await.0), (400, 400));
    assert_eq!(get(&[]).await.status, 401);
    let bad = get(&[("x-auth-token", "junk"), ("x-subject-token", &good)]).await;
    assert_eq!((bad.status, &bad.json()["error"]["code"]), (401, &401.into()));
    assert!(bad.header("www-authenticate").is_some());
    let bad = get(&[("x-auth-token", &good), ("x-subject-token", "junk")]).await;
    assert_eq!((bad.status, &bad.json()["error"]["message"]), (404, &"Could not recognize Fernet token".into()));
    assert_eq!(get(&[("x-auth-token", &good)]).await.json()["error"]["message"], "No token in the request");
    assert_eq!(http(port, "GET", "/v3", &[("x-auth-token", "junk")], "").await.status, 200);
    assert_eq!(http(port, "GET", "/", &[], "").await.status, 300);
    assert_eq!(http(port, "GET", "/v3/nowhere", &[], "").await.status, 404);
}

#[tokio::test]
async fn an_expired_token_is_taken_late_only_as_anothers_and_only_within_the_window() {
    let rig = Rig::with(|options| {
        options.expiration = Duration::from_secs(1000);
        options.window = Duration::from_secs(5000);
    })
    .await;
    let token = rig.token(0).await;
    let at = async |ahead: i64| {
        rig.cluster().skew(1, ahead).unwrap();
        let caller = rig.token(1).await;
        let port = rig.port(1);
        [
            own(port, &token).await,
            subject(port, &caller, &token, false).await,
            subject(port, &caller, &token, true).await,
        ]
    };
    assert_eq!(at(900).await, [200, 200, 200]);
    assert_eq!(at(1100).await, [401, 404, 200]);
    assert_eq!(at(5900).await, [401, 404, 200]);
    assert_eq!(at(6100).await, [401, 404, 404]);
}

#[tokio::test]
async fn a_nodes_clock_can_be_wrong_for_its_scripts_too() {
    let rig = Rig::new().await;
    let ahead = async || {
        let there: i64 = rig.out(1, "date +%s").await.trim().parse().unwrap();
        (there - i64::try_from(super::fernet_rig::now()).unwrap()) / 100
    };
    assert_eq!(ahead().await, 0);
    rig.cluster().skew(1, 7250).unwrap();
    assert_eq!(ahead().await, 72);
    rig.cluster().skew(1, 0).unwrap();
    assert_eq!(ahead().await, 0);
}

#[tokio::test]
async fn an_api_that_is_off_and_a_node_without_power_do_not_answer() {
    let rig = Rig::new().await;
    let token = rig.token(0).await;
    rig.out(1, "touch $OS_KEYSTONE_CONFIG_DIR/.api-off").await;
    assert_eq!((own(rig.port(1), &token).await, own(rig.port(0), &token).await), (0, 200));
    rig.out(1, "rm $OS_KEYSTONE_CONFIG_DIR/.api-off").await;
    assert_eq!(own(rig.port(1), &token).await, 200);
    rig.cluster().power(1, false);
    assert_eq!(own(rig.port(1), &token).await, 0);
    let refused = rig.run(1, "true").await;
    assert_eq!(refused.status.code(), Some(255));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("Connection refused"));
    rig.cluster().power(1, true);
    assert!(rig.run(1, "true").await.status.success());
    while own(rig.port(1), &token).await != 200 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_nodes_calls_are_counted_and_spoiled_one_node_at_a_time() {
    let rig = Rig::new().await;
    let (token, faults) = (rig.token(0).await, rig.lab.faults());
    let node = Service::Node(1);
    assert_eq!((faults.count(Service::Node(0), "POST"), faults.count(node, "POST")), (1, 0));
    faults.add(Rule::new(node, Fault::Status(503)).method("GET").nth(2));
    faults.add(Rule::new(node, Fault::LoseAnswer(Loss::Close)).method("GET").nth(3));
    let seen = [own(rig.port(1), &token).await, own(rig.port(1), &token).await, own(rig.port(1), &token).await];
    assert_eq!((seen, own(rig.port(2), &token).await, faults.count(node, "GET")), ([200, 503, 0], 200, 3));
    faults.add(Rule::new(node, Fault::Close).method("POST").which(Which::Always));
    assert_eq!(issue(rig.port(1), &rig.body()).await, (0, None));
    assert_eq!(rig.cluster().state().issued.len(), 1);
    assert_eq!(faults.requests(node)[0].path, "/v3/auth/tokens?nocatalog=1");
}

#[tokio::test]
async fn the_access_log_tells_of_every_answer_and_of_no_token() {
    let rig = Rig::new().await;
    let token = rig.token(1).await;
    own(rig.port(1), &token).await;
    own(rig.port(1), "junk").await;
    rig.lab.faults().add(Rule::new(Service::Node(1), Fault::Status(500)));
    own(rig.port(1), &token).await;
    let text = std::fs::read_to_string(rig.cluster().access_log(1)).unwrap();
    let seen: Vec<String> =
        text.lines().map(|line| line.split(' ').skip(5).take(4).collect::<Vec<_>>().join(" ")).collect();
    let get = "\"GET /v3/auth/tokens?nocatalog=1 HTTP/1.1\"";
    assert_eq!(
        seen,
        [
            "\"POST /v3/auth/tokens?nocatalog HTTP/1.1\" 201".to_owned(),
            format!("{get} 200"),
            format!("{get} 401"),
            format!("{get} 500")
        ]
    );
    let log = std::fs::read_to_string(rig.cluster().etc(1).join("../../var/log/keystone/keystone.log")).unwrap();
    assert!(!text.contains(&token) && !log.contains(&token) && log.contains("Authorization failed."), "{log}");
}

#[tokio::test]
async fn the_rest_of_the_cloud_has_a_baseline_and_a_spike_that_harms_nobody_else() {
    let rig = Rig::new().await;
    let shares = || {
        let text = std::fs::read_to_string(rig.cluster().access_log(1)).unwrap();
        let count = |status: &str| text.lines().filter(|line| line.contains(status)).count();
        (text.lines().count(), count("\" 401 "), count("\" 500 "))
    };
    assert_eq!((rig.cluster().traffic(1, 50), shares()), (0, (50, 0, 0)));
    rig.cluster().spike(1, 401, 5);
    assert_eq!((rig.cluster().traffic(1, 50), shares()), (10, (100, 10, 0)));
    rig.cluster().spike(1, 500, 2);
    assert_eq!((rig.cluster().traffic(1, 10), shares()), (5, (110, 10, 5)));
    assert_eq!(own(rig.port(1), &rig.token(1).await).await, 200);
    rig.cluster().spike(1, 401, 0);
    assert_eq!(rig.cluster().traffic(1, 10), 0);
    assert_eq!(rig.lab.faults().count(Service::Node(1), "GET"), 1);
    // Real trouble shows in it too.
    std::fs::rename(rig.keys(1), rig.keys(1).with_extension("away")).unwrap();
    assert_eq!(rig.cluster().traffic(1, 10), 10);
}

#[tokio::test]
async fn the_background_runs_by_itself_where_it_is_asked_for() {
    let rig = Rig::with(|options| options.background = Some(Duration::from_millis(5))).await;
    let log = rig.cluster().access_log(2);
    while std::fs::read_to_string(&log).unwrap_or_default().lines().count() < 3 {
        tokio::task::yield_now().await;
    }
    rig.lab.stop().await;
}

#[tokio::test]
async fn two_clusters_of_one_seed_have_the_same_keys_and_of_another_seed_others() {
    let digests = async |seed| {
        let rig = Rig::with(|options| (options.seed, options.receipts_apart) = (seed, true)).await;
        let state = rig.cluster().state();
        let first = state.nodes[0].clone();
        let digest = |keys: &[changeguard::adapters::lab::fernet::KeyState]| -> Vec<String> {
            keys.iter().map(|key| key.digest.clone()).collect()
        };
        assert!(state.nodes.iter().all(|node| (&node.tokens, &node.receipts) == (&first.tokens, &first.receipts)));
        (digest(&first.tokens), digest(&first.receipts))
    };
    let (one, same, other) = (digests(1).await, digests(1).await, digests(2).await);
    assert_eq!((one.0.len(), one.1.len()), (3, 3));
    assert!(one == same && one != other && one.0 != one.1);
}

#[tokio::test]
async fn fifty_nodes_start_and_answer_and_agree() {
    let rig = Rig::with(|options| options.nodes = 50).await;
    let token = rig.token(0).await;
    for node in 0..50 {
        assert_eq!(own(rig.port(node), &token).await, 200, "node{node}");
    }
    let outputs = futures_util::future::join_all((0..50).map(|node| rig.run(node, "hostname"))).await;
    let names: Vec<String> = outputs.into_iter().map(|output| String::from_utf8(output.stdout).unwrap()).collect();
    assert_eq!(names, (0..50).map(|node| format!("node{node}\n")).collect::<Vec<_>>());
    let state = rig.cluster().state();
    assert!(state.nodes.iter().all(|node| node.tokens == state.nodes[0].tokens));
    assert_eq!(rig.cluster().still_valid(super::fernet_rig::now()), Vec::<String>::new());
}
