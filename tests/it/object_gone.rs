//! The object is gone while a rotation needs it, or others have rewritten it: it comes back from the copy that is kept beside it, or
//! it is said who must write it.

use crate::scene::Scene;
use crate::strangers::{OBJECT, hold_the_agents, silence_the_mailbox_once_a_key_is_kept};
use changeguard::adapters::lab::Service;
use changeguard::engine::command::Command;
use changeguard::engine::record::Record;
use changeguard::engine::secret::PrivateKey;
use serde_json::Value;
use std::time::Duration;

/// How many copies of the object's content are kept.
pub fn copies(scene: &Scene) -> usize {
    let (container, copy) = (scene.acme().tenant().id.to_string(), scene.acme().rotation().unwrap().object_copy());
    usize::from(scene.lab.world().object(&container, &format!("{OBJECT}.{copy}")).is_some())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_that_others_have_rewritten_while_a_later_step_failed_is_put_right_by_one_resume() {
    for is_deleted in [false, true] {
        let scene = Scene::start_with(|config| config.wireguard.reconcile_interval = Duration::from_secs(1)).await;
        scene.confirmed().await;
        let before = scene.object();
        hold_the_agents(&scene);
        scene.rotate().await.unwrap_err();
        assert!(scene.status().steps[5].state.word() == "FAILED", "{:?}", scene.status().steps[5]);
        let container = scene.acme().tenant().id.to_string();
        scene.lab.world().put_object(&container, OBJECT, &before);
        if is_deleted {
            // The secret is looked at first; what lies behind it is looked at all the same.
            let live = scene.lab.world().key_secrets("acme").remove(0);
            scene.lab.world().remove_secret(&live.id);
        }
        scene.acme().look().await;
        let said = scene.status().attention.join("; ");
        assert!(said.contains("the object was changed by somebody else: it says"), "{said}");
        scene.lab.faults().clear();
        scene.run(Command::Resume).await.unwrap();
        scene.acme().look().await;
        let (status, target) = (scene.status(), scene.acme().rotation().unwrap().target());
        assert_eq!(status.keys.object.key, target, "{is_deleted}: {:?}", status.steps[4]);
        // Nobody can download anything while it is away, and that is said.
        scene.lab.world().remove_object(&container, Some(OBJECT));
        scene.acme().look().await;
        let (next, lead) = (scene.status().next.text, scene.status().lead());
        assert!(next.contains("the object is not there any more"), "{next}");
        assert_eq!(lead.as_deref(), Some("NO DOWNLOAD"));
        // Its content of before is kept beside it, but names not every peer of the interface: whose it does not would be dropped.
        let copy = format!("{OBJECT}.{}", scene.acme().rotation().unwrap().object_copy());
        let kept = scene.lab.world().object(&container, &copy).unwrap();
        let mut fewer: Value = serde_json::from_slice(&kept).unwrap();
        let left_out = fewer["users"].as_array_mut().unwrap().remove(0);
        scene.lab.world().put_object(&container, &copy, &serde_json::to_vec(&fewer).unwrap());
        let refused = scene.run(Command::Resume).await.unwrap_err().to_string();
        let name = left_out["name"].as_str().unwrap();
        assert!(refused.contains("the server would drop them") && refused.contains(name), "{refused}");
        scene.acme().look().await;
        let (next, resume) = (scene.status().next.text, next);
        assert!(next.starts_with("have the platform write the object again"), "{next}");
        // Nor is anybody let in whom the interface does not have.
        let mut more: Value = serde_json::from_slice(&kept).unwrap();
        let mut stranger = more["users"][0].clone();
        stranger["id"] = "u-mallory".into();
        stranger["name"] = "Mallory".into();
        stranger["pubkey"] = PrivateKey::from_random([79; 32]).public().to_string().into();
        more["users"].as_array_mut().unwrap().push(stranger);
        scene.lab.world().put_object(&container, &copy, &serde_json::to_vec(&more).unwrap());
        let refused = scene.run(Command::Resume).await.unwrap_err().to_string();
        assert!(refused.contains("it names Mallory, whom the interface does not have"), "{refused}");
        assert!(scene.lab.world().object(&container, OBJECT).is_none());
        scene.lab.world().put_object(&container, &copy, &kept);
        assert!(resume.starts_with("resume"), "{resume}");
        scene.run(Command::Resume).await.unwrap();
        scene.acme().look().await;
        assert_eq!(scene.status().keys.object.key, target, "{:?}", scene.status().steps[4]);
        assert!(scene.status().steps[4].detail.contains("is put back"), "{:?}", scene.status().steps[4]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_that_goes_between_the_steps_4_and_5_comes_back_from_its_copy_or_it_is_said_that_there_is_none() {
    for is_copy_gone in [false, true] {
        let scene = Scene::start().await;
        scene.confirmed().await;
        let before = scene.object();
        let (container, copy) = (scene.acme().tenant().id.to_string(), scene.acme().rotation().unwrap().object_copy());
        let copy = format!("{OBJECT}.{copy}");
        scene.lab.faults().observe({
            let (world, container, copy) = (scene.lab.world().clone(), container.clone(), copy.clone());
            move |request| {
                if request.service == Service::Barbican && request.method == "DELETE" {
                    world.remove_object(&container, Some(OBJECT));
                    if is_copy_gone {
                        world.remove_object(&container, Some(&copy));
                    }
                }
            }
        });
        let rotated = scene.rotate().await;
        scene.lab.faults().observe(|_| {});
        let target = scene.acme().rotation().unwrap().target();
        if is_copy_gone {
            let said = rotated.unwrap_err().to_string();
            assert!(said.contains("no content of before is kept beside it"), "{said}");
            scene.acme().look().await;
            let status = scene.status();
            assert!(status.next.text.starts_with("have the platform write the object again"), "{}", status.next.text);
            assert!(status.next.text.contains("the object is wanted there, too"), "{}", status.next.text);
            // Whether the server has taken the key already is the agent's doing.
            assert!(["NO DOWNLOAD", "ALL CUT OFF"].contains(&status.lead().unwrap().as_str()), "{:?}", status.lead());
            scene.lab.world().put_object(&container, OBJECT, &before);
            scene.run(Command::Resume).await.unwrap();
        } else {
            rotated.unwrap();
            let detail = scene.status().steps[4].detail.clone();
            assert!(detail.contains("it was gone, and its content of ") && detail.contains("is put back"), "{detail}");
        }
        scene.acme().look().await;
        assert_eq!(scene.status().keys.object.key, target, "{:?}", scene.status().steps[4]);
        assert_eq!(copies(&scene), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancellation_removes_no_last_copy_of_the_objects_content() {
    for (is_gone, is_down) in [(true, false), (false, false), (false, true)] {
        let scene = Scene::start().await;
        scene.confirmed().await;
        silence_the_mailbox_once_a_key_is_kept(&scene);
        scene.rotate().await.unwrap_err();
        scene.lab.faults().observe(|_| {});
        scene.lab.faults().clear();
        assert_eq!(copies(&scene), 1, "{:?}", scene.status().steps[2]);
        if is_gone {
            scene.lab.world().remove_object(scene.acme().tenant().id.as_str(), Some(OBJECT));
        }
        scene.lab.world().set_down(Service::Swift, is_down);
        scene.run(Command::Cancel { confirm: "acme".into(), reason: "not now".into() }).await.unwrap();
        scene.lab.world().set_down(Service::Swift, false);
        assert_eq!(copies(&scene), usize::from(is_gone || is_down));
        scene.acme().look().await;
        let attention = scene.status().attention.join("; ");
        assert_eq!(attention.contains("a copy of the object's content stays"), is_gone || is_down, "{attention}");
        let told = scene.acme().entries().iter().any(|entry| match &entry.record {
            Record::Noted { text } => {
                text.starts_with("a copy of the object's content stays: at the end the object was not there")
            }
            _ => false,
        });
        assert_eq!(told, is_gone);
    }
}
