//! What every store must do for leases and for the order of things, whoever's clock is right: one writer per tenant, by
//! instance and count. Run on SQLite by `store` and on a PostgreSQL server by `live_postgres`.

use crate::store_suite::{Place, at, living, lost, me, note, rotation, take, tenant};
use changeguard::engine::journal::{AppendError, Holder, Instance, JournalStore};
use changeguard::engine::record::Entry;
use changeguard::runtime::lease::Taker;
use changeguard::runtime::lookout::{LEASE_TTL, Lookout};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Hands the names of all tests to a macro that declares them.
macro_rules! every_lease_test {
    ($declare:ident) => {
        $declare! { store_leases:
            of_two_processes_exactly_one_gets_the_tenant,
            the_same_instance_keeps_its_fence_and_its_beginning,
            whoever_holds_one_tenant_is_found_without_a_look_at_the_others,
            two_with_one_host_and_process_id_never_share_a_fence,
            no_clock_makes_a_living_holders_lease_end,
            a_dead_holder_is_succeeded_and_can_write_no_more_when_it_wakes,
            a_holder_of_before_is_seen_to_live_by_its_heartbeat_and_finds_no_lease_of_ours_old,
            a_take_over_is_possible_at_once_and_a_release_frees_the_tenant,
            the_newest_rotation_is_the_one_that_was_begun_last_whatever_the_clocks_say,
            every_move_changes_the_mark_and_nothing_else_does
        }
    };
}
pub(crate) use every_lease_test;

pub async fn of_two_processes_exactly_one_gets_the_tenant<P: Place>() {
    let place = P::new().await;
    let (one, two) = (place.open().await, place.open().await);
    let id = tenant("t1");
    let (first, second) = (me(1, 0), me(2, 0));
    let answers = tokio::join!(one.acquire(&id, &first), two.acquire(&id, &second));
    let (a, b) = (answers.0.unwrap(), answers.1.unwrap());
    match (&a, &b) {
        (Ok(_), Err(holder)) => assert_eq!(holder.pid, 1),
        (Err(holder), Ok(_)) => assert_eq!(holder.pid, 2),
        other => panic!("{other:?}"),
    }
    assert_eq!(one.holders().await.unwrap().len(), 1);
}

pub async fn the_same_instance_keeps_its_fence_and_its_beginning<P: Place>() {
    let place = P::new().await;
    let store = place.open().await;
    let first = take(&store, "t1", me(1, 0)).await;
    let again = take(&store, "t1", me(1, 20)).await;
    assert_eq!(first, again);
    let (_, holder) = store.holders().await.unwrap().remove(0);
    assert_eq!((holder.since, holder.heartbeat, holder.fence), (at(0), at(20), first.fence));
    assert_eq!(holder.instance, me(1, 0).instance);
}

pub async fn whoever_holds_one_tenant_is_found_without_a_look_at_the_others<P: Place>() {
    let place = P::new().await;
    let store = place.open().await;
    let lease = take(&store, "t1", me(1, 0)).await;
    take(&store, "t2", me(2, 0)).await;
    for (id, holder) in store.holders().await.unwrap() {
        assert_eq!(store.holder(&id).await.unwrap(), Some(holder));
    }
    store.release(&lease).await.unwrap();
    assert_eq!(store.holder(&tenant("t1")).await.unwrap(), None, "given back");
    assert_eq!(store.holder(&tenant("t3")).await.unwrap(), None, "never taken");
}

/// Two containers on one machine, or two machines made from one image: all that can be seen of them but their instance is
/// the same, or the instance is not known.
pub async fn two_with_one_host_and_process_id_never_share_a_fence<P: Place>() {
    let place = P::new().await;
    let store = place.open().await;
    let other = Instance { id: "f".repeat(32), ..me(1, 0).instance };
    let nameless = || Holder { instance: Instance::default(), ..me(1, 0) };
    for (first, second) in [(me(1, 0), Holder { instance: other, ..me(1, 0) }), (nameless(), nameless())] {
        let lease = take(&store, "t1", first).await;
        let met = store.acquire(&tenant("t1"), &second).await.unwrap().unwrap_err();
        assert_eq!(met.fence, lease.fence);
        let taken = store.take_from(&tenant("t1"), &met, &second, false).await.unwrap().unwrap();
        assert_eq!(taken.fence, lease.fence + 1);
        assert!(!store.holds(&lease).await.unwrap());
        store.release(&taken).await.unwrap();
    }
}

/// The one writes with a clock that is days away from the other's: a living holder's lease is not to be had by that, and the
/// clock of whoever looks decides nothing either.
pub async fn no_clock_makes_a_living_holders_lease_end<P: Place>() {
    let place = P::new().await;
    let (one, two) = (place.open().await, place.open().await);
    let day = 86_400;
    for (mine, theirs) in [(0, 0), (0, day), (day, 0), (-day, 365 * day), (0, 7_000_000_000)] {
        let old = take(&one, "t1", me(1, mine)).await;
        let met = two.acquire(&tenant("t1"), &me(2, theirs)).await.unwrap().unwrap_err();
        assert_eq!((met.pid, met.heartbeat), (1, at(mine)), "shown as it was written");
        assert!(one.renew(&old, at(mine + 3)).await.unwrap());
        let taken = two.take_from(&tenant("t1"), &met, &me(2, theirs), false).await.unwrap();
        assert_eq!(taken, None, "it gave a sign of life since it was seen");
        assert!(one.holds(&old).await.unwrap());
        let seen = two.holders().await.unwrap().remove(0).1;
        assert_eq!((seen.beats, seen.heartbeat), (met.beats + 1, at(mine + 3)));
        one.release(&old).await.unwrap();
    }
}

pub async fn a_dead_holder_is_succeeded_and_can_write_no_more_when_it_wakes<P: Place>() {
    let place = P::new().await;
    let (one, two) = (place.open().await, place.open().await);
    let id = rotation("r");
    let old = take(&one, "t1", me(1, 0)).await;
    one.append(&id, &old, &[note(1, "a")]).await.unwrap();
    let met = two.acquire(&tenant("t1"), &me(2, 41)).await.unwrap().unwrap_err();
    let new = two.take_from(&tenant("t1"), &met, &me(2, 41), false).await.unwrap().unwrap();
    assert!(new.fence > old.fence);
    assert!(matches!(one.append(&id, &old, &[note(2, "late")]).await, Err(AppendError::LeaseLost)));
    assert!(!one.renew(&old, at(42)).await.unwrap());
    one.release(&old).await.unwrap();
    assert_eq!(two.holders().await.unwrap()[0].1.pid, 2, "a late release takes nothing away");
    two.append(&id, &new, &[note(2, "b")]).await.unwrap();
    let third = one.take_from(&tenant("t1"), &met, &me(3, 41), false).await.unwrap();
    assert_eq!(third, None, "of two who saw the same dead holder the second finds the first");
}

/// A changeguard of before, still running when the tables were changed, writes no count.
pub async fn a_holder_of_before_is_seen_to_live_by_its_heartbeat_and_finds_no_lease_of_ours_old<P: Place>() {
    let place = P::new().await;
    let store = place.open().await;
    let lease = take(&store, "t1", me(1, 0)).await;
    store.release(&lease).await.unwrap();
    // As it takes a tenant that is free.
    place
        .change("UPDATE lease SET fence = fence + 1, held = 1, name = 'bob', host = 'old', pid = 7, since_ms = 5000, heartbeat_ms = 5000")
        .await;
    let met = store.acquire(&tenant("t1"), &me(1, 0)).await.unwrap().unwrap_err();
    assert_eq!((met.pid, met.instance.is_unknown()), (7, true), "what we left in the row is not taken for its own");
    place.change("UPDATE lease SET heartbeat_ms = 11000").await;
    assert_ne!(store.holders().await.unwrap()[0].1, met, "a sign of life");
    assert_eq!(store.take_from(&tenant("t1"), &met, &me(1, 0), false).await.unwrap(), None);
    let met = store.holders().await.unwrap().remove(0).1;
    let lease = store.take_from(&tenant("t1"), &met, &me(1, 0), false).await.unwrap().unwrap();
    // As it looks for a lease that has run out: by its clock, which may be years ahead.
    place.change("UPDATE lease SET held = 0 WHERE heartbeat_ms < 4102444800000").await;
    assert!(store.holds(&lease).await.unwrap());
}

pub async fn a_take_over_is_possible_at_once_and_a_release_frees_the_tenant<P: Place>() {
    let place = P::new().await;
    let store = place.open().await;
    let old = take(&store, "t1", me(1, 50)).await;
    let met = store.acquire(&tenant("t1"), &me(2, 50)).await.unwrap().unwrap_err();
    assert!(store.renew(&old, at(51)).await.unwrap());
    let new = store.take_from(&tenant("t1"), &met, &me(2, 50), true).await.unwrap().unwrap();
    assert_eq!(new.fence, old.fence + 1, "although it lives");
    assert_eq!(
        store.take_from(&tenant("t1"), &met, &me(3, 50), true).await.unwrap(),
        None,
        "that one is overruled already"
    );
    store.release(&new).await.unwrap();
    assert!(store.holders().await.unwrap().is_empty());
    let answer = store.append(&rotation("r"), &new, &[note(1, "a")]).await;
    assert!(matches!(answer, Err(AppendError::LeaseLost)));
    let third = take(&store, "t1", me(2, 51)).await;
    assert_eq!(third.fence, new.fence + 1, "a tenant that was given back has changed hands");
}

pub async fn the_newest_rotation_is_the_one_that_was_begun_last_whatever_the_clocks_say<P: Place>() {
    let place = P::new().await;
    let store = place.open().await;
    for (at_second, name) in [(86_400, "20261125-9"), (0, "20261124-1"), (-86_400, "20261123-5"), (30, "20261124-0")] {
        let lease = take(&store, "t1", me(1, at_second)).await;
        let first = Entry { at: at(at_second), ..note(1, "a") };
        store.append(&rotation(name), &lease, &[first]).await.unwrap();
        store.release(&lease).await.unwrap();
        for heads in [store.heads(None).await.unwrap(), store.heads(Some(&tenant("t1"))).await.unwrap()] {
            assert_eq!(heads[0].rotation, rotation(name));
        }
    }
    let all: Vec<String> =
        store.heads(Some(&tenant("t1"))).await.unwrap().into_iter().map(|head| head.rotation.0).collect();
    assert_eq!(all, ["20261124-0", "20261123-5", "20261124-1", "20261125-9"]);
    // The lease log grows behind them and is none of them; and a damaged one is not passed over.
    store.add_to_lease_log(&tenant("t1"), &lost("step 4")).await.unwrap();
    place.change("DELETE FROM record WHERE rotation = '20261124-1'").await;
    assert_eq!(store.heads(None).await.unwrap()[0].rotation, rotation("20261124-1"));
}

pub async fn every_move_changes_the_mark_and_nothing_else_does<P: Place>() {
    let place = P::new().await;
    let (store, other) = (place.open().await, place.open().await);
    let (t1, t2) = (tenant("t1"), tenant("t2"));
    let mut last = other.mark().await.unwrap();
    assert!(last.is_same(&other.mark().await.unwrap()));
    let mut moved = async |what: &str| {
        let now = other.mark().await.unwrap();
        assert!(!now.is_same(&last), "{what}");
        assert!(now.is_same(&other.mark().await.unwrap()), "{what}: only once");
        last = now;
    };
    let one = take(&store, "t1", me(1, 0)).await;
    moved("taken").await;
    assert!(store.renew(&one, at(0)).await.unwrap());
    moved("a sign of life").await;
    store.append(&rotation("r"), &one, &[note(1, "a")]).await.unwrap();
    moved("a record").await;
    store.add_to_lease_log(&t2, &lost("step 4")).await.unwrap();
    moved("a line of the lease log").await;
    // One given back, another taken: no sum must hide it.
    store.release(&one).await.unwrap();
    let two = take(&store, "t2", me(2, 0)).await;
    moved("another tenant is held").await;
    store.release(&two).await.unwrap();
    moved("given back").await;
    let positions = other.positions().await.unwrap();
    assert_eq!(positions, [(t1, 1), (t2, 1)]);
}

/// A one-shot command, which has watched nobody before: it sees that a holder on another machine lives, and it waits the whole
/// time before it takes the tenant from one that does not. The one test that waits as long as an operator would.
pub async fn whoever_has_not_watched_watches_first<P: Place>() {
    let place = P::new().await;
    let (one, two) = (place.open().await, place.open().await);
    let lease = take(&one, "t1", me(1, 86_400)).await;
    let holder = living(Arc::new(one.clone()), &lease);
    let told = Mutex::new(Vec::new());
    let tell = |text: String| told.lock().unwrap().push(text);
    let (tenant, bob, lookout) = (tenant("t1"), me(2, -86_400), Lookout::default());
    let taker = Taker { store: &two, tenant: &tenant, me: &bob, lookout: &lookout, patience: Duration::ZERO };
    let Err(met) = taker.take(None, &tell).await.unwrap() else { panic!("it lives") };
    assert_eq!(met.pid, 1);
    holder.abort();
    let (began, lookout) = (Instant::now(), Lookout::default());
    let taker = Taker { lookout: &lookout, ..taker };
    let Ok((new, Some(taken))) = taker.take(None, &tell).await.unwrap() else { panic!("it is dead") };
    assert!(began.elapsed() >= LEASE_TTL && new.fence > lease.fence);
    assert_eq!((taken.reason.as_str(), taken.forced), ("no sign of life for 30 s", false));
    assert!(told.lock().unwrap()[0].contains("goes on at 30 s"), "{told:?}");
    assert!(!one.holds(&lease).await.unwrap());
}

/// `watch` takes a mail in, and an operator types the answer of a phone call at that moment.
pub async fn whoever_meets_a_living_holder_waits_for_a_moment_and_says_so_at_once<P: Place>() {
    let place = P::new().await;
    let (one, two) = (place.open().await, place.open().await);
    let (tenant, bob, lookout) = (tenant("t1"), me(2, 0), Lookout::default());
    let lease = take(&one, "t1", me(1, 0)).await;
    let holder = living(Arc::new(one.clone()), &lease);
    let (told, mut hears) = tokio::sync::mpsc::unbounded_channel();
    let tell = |text: String| told.send(text).unwrap();
    // Given back behind the first word of the waiting, and not before.
    let gives_back = async {
        let text = hears.recv().await.unwrap();
        assert!(text.starts_with("waiting for ada"), "{text}");
        holder.abort();
        one.release(&lease).await.unwrap();
    };
    let taker = Taker { store: &two, tenant: &tenant, me: &bob, lookout: &lookout, patience: LEASE_TTL };
    let (taken, ()) = tokio::join!(taker.take(None, &tell), gives_back);
    let Ok((new, None)) = taken.unwrap() else { panic!("it was free again") };
    // Whoever works on is not waited for longer than that.
    let holder = living(Arc::new(two.clone()), &new);
    let (ada, lookout) = (me(3, 0), Lookout::default());
    let taker = Taker { me: &ada, lookout: &lookout, patience: Duration::from_millis(1), ..taker };
    let Err(met) = taker.take(None, &tell).await.unwrap() else { panic!("it is held") };
    assert!(met.pid == 2 && two.holds(&new).await.unwrap());
    holder.abort();
}
