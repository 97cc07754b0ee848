//! What the rest of the cloud asks of the nodes meanwhile: a service validates tokens, and a test may let a share of that go
//! wrong, so that a watch has a baseline and a spike to see. It goes past the faults, and is counted by nobody.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};
use bytes::Bytes;
use zeroize::Zeroizing;

use super::super::http::{Call, Site};
use super::super::state::lock;
use super::node::Keystone;
use super::world::World;

/// A token that ends within so many seconds is replaced, as the middleware does.
const SOON: u64 = 10;
const AGENT: &str = "python-keystonemiddleware.auth_token/10.9.0";

/// So many validations at a node, one after the other. A token that is not taken is replaced by a new one for the next, as
/// the middleware does. Returns how many were answered otherwise than 200.
pub(super) fn beat(world: &Arc<World>, number: usize, count: u64) -> u64 {
    let site = Keystone { world: Arc::clone(world), number };
    (0..count).filter(|_| one(world, &site) != 200).count() as u64
}

/// One validation at each node that runs, every period, until the lab stops.
pub(super) async fn run(world: Arc<World>, period: Duration) {
    let mut turns = tokio::time::interval(period.max(Duration::from_millis(1)));
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            _ = turns.tick() => {}
            () = world.shared.stopped() => return,
        }
        let off = world.off.borrow().clone();
        for number in (0..world.nodes.len()).filter(|number| !off.contains(number)) {
            beat(&world, number, 1);
        }
        world.shared.touch();
    }
}

fn one(world: &Arc<World>, site: &Keystone) -> u16 {
    let number = site.number;
    let node = &world.nodes[number];
    if site.is_off() {
        return 0;
    }
    let turn = {
        let mut beaten = lock(&node.beaten);
        *beaten += 1;
        *beaten
    };
    let spike = *lock(&node.spike);
    let token = token(world, number);
    let call = call(&token);
    let spiked = spike.filter(|spike| turn.is_multiple_of(spike.every.max(1)));
    let reply = match spiked {
        Some(spike) => Some(site.refuse(spike.status)),
        None => site.answer(&call),
    };
    let status = reply.as_ref().map_or(0, |reply| reply.status);
    if let Some(reply) = reply {
        site.answered(&call, &reply);
    }
    if spiked.is_none() && status != 200 {
        lock(&world.background).remove(&number);
    }
    status
}

/// The service's token at a node; a new one where it has none or one that ends soon. None at all where the node gives none.
fn token(world: &World, number: usize) -> Zeroizing<String> {
    let now = world.nodes[number].now();
    if let Some((token, expires)) = lock(&world.background).get(&number)
        && now + SOON < *expires
    {
        return token.clone();
    }
    let service = world.accounts.iter().find(|account| account.name == "nova");
    let Some(Ok(fresh)) = service.map(|account| world.issue(number, account, true)) else {
        return Zeroizing::default();
    };
    lock(&world.background).insert(number, (fresh.token.clone(), fresh.payload.expires));
    fresh.token
}

fn call(token: &str) -> Call {
    let mut headers = HeaderMap::new();
    if let Ok(mut value) = HeaderValue::from_str(token) {
        value.set_sensitive(true);
        headers.insert("x-auth-token", value.clone());
        headers.insert("x-subject-token", value);
    }
    headers.insert("user-agent", HeaderValue::from_static(AGENT));
    Call {
        method: "GET".to_owned(),
        path: "/v3/auth/tokens".to_owned(),
        query: "nocatalog=1".to_owned(),
        headers,
        body: Bytes::new(),
    }
}
