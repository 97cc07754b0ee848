//! The desks behind the screen: looked at in the background, and one worker each for what is asked of it.

use super::{Bell, Msg};
use crate::app::failure::Failure;
use crate::app::truth::rounds;
use crate::domain::tenant::TenantId;
use crate::engine::case::machine::Order;
use crate::engine::step::Progress;
use crate::runtime::case::{Desk, Onlooker, RunFault};
use crate::runtime::desks::Desks;
use crate::runtime::fence::is_loss;
use crate::runtime::follow::Follower;
use crate::runtime::lease;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::watch;

impl Onlooker for Bell {
    fn changed(&self, desk: &dyn Desk) {
        self.ring(Msg::Case(desk.key().clone(), Arc::new(desk.status())));
    }

    fn progress(&self, desk: &dyn Desk, progress: Progress) {
        // What was measured meanwhile stands in the panels.
        self.changed(desk);
        self.ring(Msg::Progress { tenant: desk.key().clone(), progress });
    }

    fn waits(&self, subject: &str, text: &str) {
        self.ring(Msg::Info(format!("{subject}: {text}")));
    }

    fn patience(&self) -> Duration {
        lease::PATIENCE
    }
}

/// Looks at the subject on the screen often, at those with an open case at each poll, at all of them now and then, and follows what
/// others write.
pub(super) async fn poll(
    desks: Arc<Desks>,
    watched: watch::Receiver<Option<TenantId>>,
    bell: Bell,
    interval: Duration,
) {
    if desks.all().is_empty() {
        return;
    }
    bell.ring(Msg::Subjects(desks.all().iter().map(|desk| desk.key().clone()).collect()));
    for desk in desks.all() {
        desk.follow().await;
        // Also where nothing was ever written: the row says that nobody has looked yet.
        bell.changed(desk.as_ref());
    }
    tokio::join!(
        sweep(&desks, &watched, interval),
        look(&desks, watched.clone(), interval),
        Follower::new(desks.as_ref()).forever()
    );
}

async fn sweep(desks: &Desks, watched: &watch::Receiver<Option<TenantId>>, interval: Duration) {
    let rest = rounds(u32::try_from(desks.all().len()).unwrap_or(u32::MAX));
    loop {
        desks.look_at_all().await;
        for _ in 0..rest {
            tokio::time::sleep(interval).await;
            let watched = watched.borrow().clone();
            desks.look_at_open(watched.as_ref()).await;
        }
    }
}

async fn look(desks: &Desks, mut watched: watch::Receiver<Option<TenantId>>, interval: Duration) {
    loop {
        let subject = watched.borrow_and_update().clone();
        let looking = async {
            match subject.and_then(|subject| desks.get(&subject)) {
                Some(desk) => loop {
                    desk.look().await;
                    tokio::time::sleep(interval).await;
                },
                None => std::future::pending::<()>().await,
            }
        };
        tokio::select! {
            () = looking => {}
            changed = watched.changed() => if changed.is_err() { return },
        }
    }
}

/// One worker a desk: it carries its orders out one after the other, in a task of its own, so that nothing that happens to the screen
/// stops it.
pub(super) struct DeskWorkers {
    desks: Arc<Desks>,
    bell: Bell,
    workers: HashMap<TenantId, UnboundedSender<Order>>,
}

impl DeskWorkers {
    pub(super) fn new(desks: Arc<Desks>, bell: Bell) -> Self {
        Self { desks, bell, workers: HashMap::new() }
    }

    /// Hands an order to the worker of a desk.
    pub(super) fn run(&mut self, subject: TenantId, order: Order) {
        self.bell.ring(Msg::JobStarted { tenant: subject.clone(), what: order.word().to_owned() });
        let Some(desk) = self.desks.get(&subject) else {
            let why = "it is not configured any more".to_owned();
            let result = Err(Failure::of_order(true, why, "read the configuration"));
            return self.bell.ring(Msg::JobEnded { tenant: subject, result });
        };
        let (desk, bell) = (desk.clone(), self.bell.clone());
        let worker = self.workers.entry(subject).or_insert_with(|| work(desk, bell));
        // The worker lives as long as its sender.
        let _ = worker.send(order);
    }

    /// Looks at everything of a subject now, and says what came of it.
    pub(super) fn look(&self, subject: TenantId) {
        let Some(desk) = self.desks.get(&subject).cloned() else { return };
        let bell = self.bell.clone();
        tokio::spawn(async move {
            desk.follow().await;
            desk.look().await;
            let status = desk.status();
            let silent: Vec<String> = status
                .seen
                .iter()
                .filter_map(|seen| Some(format!("{}: {}", seen.name, seen.fault.as_ref()?)))
                .collect();
            let said = match silent.as_slice() {
                [] => format!("all {} answered", status.seen.len()),
                silent => format!("no answer: {}", silent.join("; ")),
            };
            bell.ring(Msg::Info(format!("{subject}: {said}")));
        });
    }
}

fn work(desk: Arc<dyn Desk>, bell: Bell) -> UnboundedSender<Order> {
    let (sender, mut orders) = unbounded_channel();
    tokio::spawn(async move {
        while let Some(order) = orders.recv().await {
            let result = desk.run(order).await.map_err(|fault| failure(&fault, desk.status().safe));
            bell.ring(Msg::JobEnded { tenant: desk.key().clone(), result });
        }
    });
    sender
}

/// What came of an order that did not end well. `safe`: what the runbook knows to be true all the same.
fn failure(fault: &RunFault, safe: Option<String>) -> Failure {
    match fault {
        RunFault::Refused(refusal) => {
            Failure::of_order(true, refusal.to_string(), "press 2 to read the gates, ? for what is possible now")
        }
        RunFault::Held(_) => Failure::of_order(true, fault.to_string(), "wait, or talk to them"),
        // Whoever has taken it goes on.
        RunFault::Fault(fault) if is_loss(fault) => {
            Failure { advice: fault.advice().to_owned(), ..Failure::fault(fault) }
        }
        RunFault::Fault(fault) => {
            let advice =
                format!("{}; then u goes on: it looks first; Enter on the step has its troubles", fault.advice());
            let failure = Failure::fault(fault);
            let safe = safe.map_or(failure.safe.clone(), |safe| format!("{safe}; {}", failure.safe));
            Failure { advice, safe, ..failure }
        }
    }
}
