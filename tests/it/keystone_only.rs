//! A configuration that names clusters and nothing else: everything that a cluster has goes, and what only a tenant has says what is
//! missing.

use crate::config::{Folder, SMALLEST};
use crate::keystone_cli::Site;
use crate::pty::{PATIENCE, Program};

const CLUSTER: &str = "[keystone.prod]\nnodes = [{ name = \"ctl1\", url = \"https://ctl1:5000/v3\" }]\n\
                       auth = { user = \"cg\", project = \"service\", password_command = [\"pass\"] }\n";

/// The lab's cluster, whose configuration has nothing of a tenant's any more.
async fn site() -> Site {
    let site = Site::start().await;
    let text = std::fs::read_to_string(site.0.config()).unwrap();
    let mut kept = String::new();
    let mut keeps = false;
    for line in text.lines() {
        if line.starts_with('[') {
            keeps = ["[state", "[keystone", "[security"].iter().any(|section| line.starts_with(section));
        }
        if keeps {
            kept.extend([line, "\n"]);
        }
    }
    assert!(kept.contains("[keystone.lab]") && !kept.contains("[cloud]"), "{text}");
    std::fs::write(site.0.config(), kept).unwrap();
    site
}

#[test]
fn a_cluster_alone_needs_neither_cloud_nor_mail_and_half_of_them_is_told_as_before() {
    let folder = Folder::new();
    let config = folder.load(CLUSTER).unwrap_or_else(|error| panic!("{error}"));
    let lacks = config.no_tenants().unwrap();
    for part in ["[[tenant]]", "[cloud]", "[smtp]", "[notices]", "changeguard config example"] {
        assert!(lacks.contains(part), "{part}: {lacks}");
    }
    assert!(folder.load(SMALLEST).unwrap().no_tenants().is_none());
    let whole = format!("{}{CLUSTER}", SMALLEST.replace("[[tenant]]\nid = \"t1\"\nname = \"acme\"\n", ""));
    let lacks = folder.load(&whole).unwrap().no_tenants().unwrap();
    assert!(lacks.contains("[[tenant]]") && !lacks.contains("[smtp]"), "{lacks}");
    // Every section that is there is judged, and with a tenant all of them must be there.
    let tenant = "[[tenant]]\nid = \"t1\"\nname = \"acme\"\n";
    let all =
        ["cloud.name", "notices.guide_url", "notices.organisation", "notices.portal_url", "smtp.from", "smtp.host"];
    let cases: &[(String, &[&str])] = &[
        (format!("{CLUSTER}[cloud]\nread_timeout = \"9s\"\n"), &["cloud.name"]),
        (format!("{CLUSTER}[smtp]\nhost = \"localhost\"\n"), &["smtp.from"]),
        (format!("{CLUSTER}[notices]\norganisation = \"x\"\n"), &["notices.guide_url", "notices.portal_url"]),
        (format!("{CLUSTER}{tenant}"), &all),
        (format!("{CLUSTER}[tenants]\ndiscover = true\n"), &all),
        (
            String::new(),
            &[
                "cloud.name",
                "notices.guide_url",
                "notices.organisation",
                "notices.portal_url",
                "smtp.from",
                "smtp.host",
                "tenant",
            ],
        ),
        (format!("{CLUSTER}[cluod]\nname = \"x\"\n"), &["cluod"]),
    ];
    for (text, fields) in cases {
        let error = folder.load(text).expect_err(text);
        let mut found: Vec<&str> = error.problems().iter().map(|problem| problem.field.as_str()).collect();
        found.sort_unstable();
        assert_eq!(found, *fields, "{error}");
    }
    let broken = folder.load(&format!("{CLUSTER}[tenants]\ndiscover = \"yes\"\n")).unwrap_err();
    assert!(broken.problems().iter().any(|problem| problem.field == "tenants.discover"), "{broken}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_of_a_cluster_goes_and_a_tenants_verb_says_what_is_missing() {
    let site = site().await;
    site.issue();
    let checked = site.run("config check").await.ends(0);
    assert!(checked.out.contains("1 Keystone cluster\n") && !checked.out.contains("tenant"), "{}", checked.out);
    for section in ["cloud", "smtp", "inbox", "server."] {
        assert!(!checked.out.contains(section), "{section}: {}", checked.out);
    }
    let list = site.run("status").await.ends(0);
    assert!(list.out.starts_with("SUBJECT") && list.out.contains("keystone/lab  idle"), "{}", list.out);
    assert!(!format!("{}{}", list.out, list.err).to_lowercase().contains("tenant"), "{} {}", list.out, list.err);
    assert_eq!(site.run("status --json").await.ends(0).json().as_array().unwrap().len(), 1);
    for line in [
        "check keystone/lab",
        "rotate keystone/lab --confirm lab",
        "rollback keystone/lab --confirm lab --reason trial",
    ] {
        site.run(line).await.ends(0);
        site.is_whole();
    }
    let mut rotating = site.0.begin("rotate keystone/lab --confirm lab");
    rotating.says("step 4").await;
    rotating.signal("KILL");
    rotating.ends().await;
    site.run("resume keystone/lab").await.ends(0);
    site.run("watch --once").await.ends(5);
    site.run("purge keystone/lab --confirm lab").await.ends(0);
    site.is_whole();
    let report = site.run("report keystone/lab --json").await.ends(0).json();
    assert_eq!(report["headline"], "DONE");
    site.run("report keystone/lab --list").await.ends(0);
    let verified = site.run("audit verify").await.ends(0);
    assert!(verified.out.contains("keystone/lab: intact"), "{}", verified.out);
    for line in [
        "status acme",
        "check acme",
        "rotate acme --confirm acme",
        "resume acme",
        "notify acme --kind announcement",
        "takeover acme --confirm acme --reason night",
        "mail sync",
        "report acme",
    ] {
        let ran = site.run(line).await.ends(2);
        for part in ["add [[tenant]], [cloud], [smtp], [notices]", "changeguard config example"] {
            assert!(ran.err.contains(part), "{line}: {}", ran.err);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_screen_shows_clusters_only_and_takes_one_over_from_a_process_that_stands_still() {
    let site = site().await;
    site.issue();
    let config = site.0.config().to_str().unwrap().to_owned();
    let home = site.0.folder.path().to_str().unwrap().to_owned();
    let mut rotating = site.0.begin("rotate keystone/lab --confirm lab");
    rotating.says("step 5").await;
    rotating.signal("STOP");
    let screen = tokio::task::spawn_blocking(move || {
        let mut program = Program::start(&["--config", &config], &[("HOME", &home)], 110, 34);
        program.shows("subjects 1/1");
        let list = program.shows("T take over");
        assert!(list.contains("STEP") && !list.to_lowercase().contains("tenant"), "{list}");
        assert!(!list.contains("ANSWERS") && !list.contains("ACTIVE"), "{list}");
        let help = program.keys("?").shows("The verbs of keystone/lab");
        assert!(!help.to_lowercase().contains("tenant"), "{help}");
        program.keys("\x1b").hides("The verbs of");
        program.keys("\r").shows("1 Steps");
        let form = program.keys("T").shows("Take over: keystone/lab");
        assert!(form.contains("takes it from ") && form.contains("type lab to TAKE OVER"), "{form}");
        program.keys("its terminal is gone\rlab\r").shows("keystone/lab is yours");
        program.keys("q").shows("sorted by");
        program.keys("q");
        assert_eq!(program.ends_within(PATIENCE), 0);
    });
    screen.await.unwrap();
    rotating.signal("CONT");
    let ran = rotating.ends().await.ends(1);
    assert!(ran.err.contains("taken over by ") && ran.err.contains("its terminal is gone"), "{}", ran.err);
    site.run("resume keystone/lab").await.ends(0);
    site.is_whole();
}
