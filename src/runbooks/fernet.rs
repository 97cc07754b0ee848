//! Keystone's Fernet keys over many nodes: one promotion is prepared in a copy, brought to every node, and put in force where all know
//! its key already, so that no token is refused anywhere; what is no longer needed is purged when its time has come.
//!
//! | file | what |
//! | --- | --- |
//! | `spec` | the steps and the three words of an operator: check, rotate, purge |
//! | `world` | the nodes, and the rules of the configuration |
//! | `sights` | what was last seen of them |
//! | `facts` | what shuts the gates |
//! | `beside` | what cases have left beside the live keys |
//! | `due` | whether a timer shall rotate |
//! | `record`, `state` | what it journals, and what that comes to |
//! | `back` | the way back |
//! | `recover` | what became of a case of which the end of the journal is lost |
//! | `matrix` | tokens of each node, shown at each |
//! | `steps` | the steps |
//! | `panels` | what its screen shows |

mod back;
mod beside;
mod due;
mod facts;
mod matrix;
mod panels;
mod record;
mod recover;
mod sights;
mod spec;
mod state;
mod steps;
mod world;

pub use record::FernetRecord;
pub use sights::{NodeSight, Sights};
pub use state::State;
pub use world::{Node, Purge, Rules, World};

use crate::domain::fault::Fault;
use crate::engine::case::core::{Core, Stamp};
use crate::engine::case::gate::Fact;
use crate::engine::case::runbook::{Case, Recovery, Runbook, Step, Strays, Telling};
use crate::engine::case::spec::{Move, Spec};
use crate::engine::witness::CaseSeen;
use async_trait::async_trait;
use jiff::Timestamp;

/// The runbook.
pub struct Fernet;

#[async_trait]
impl Runbook for Fernet {
    type Record = FernetRecord;
    type State = State;
    type World = World;
    type Sights = Sights;

    fn spec() -> &'static Spec {
        &spec::SPEC
    }

    fn steps() -> Vec<Box<dyn Step<Self>>> {
        steps::all()
    }

    fn check(case: &Case<Self>, record: &FernetRecord) -> Result<(), String> {
        state::check(case, record)
    }

    fn apply(state: &mut State, core: &Core, at: Stamp<'_>, record: &FernetRecord) {
        state.apply(core, at, record);
    }

    fn facts(world: &World, stretch: &str, case: Option<&Case<Self>>, sights: &Sights, now: Timestamp) -> Vec<Fact> {
        facts::before(world, stretch, case, sights, now)
    }

    fn way_back(case: &Case<Self>) -> Result<Vec<Move>, String> {
        back::road(case)
    }

    fn strays(world: &World, case: Option<&Case<Self>>, is_known: &dyn Fn(&str) -> bool, sights: &Sights) -> Strays {
        beside::strays(world, case, is_known, sights)
    }

    async fn recover(world: &World, case: &Case<Self>, seen: &CaseSeen) -> Result<Recovery<FernetRecord>, Fault> {
        recover::recover(world, case, seen).await
    }

    async fn look(world: &World, _: Option<&Case<Self>>, sights: &mut Sights) {
        sights.look(world).await;
    }

    fn tell(world: &World, case: Option<&Case<Self>>, sights: &Sights, now: Timestamp) -> Telling {
        let alone = if world.rules.purge == Purge::WhenSafe { vec![spec::PURGING] } else { Vec::new() };
        let (due, foreseen) = (due::due(world, sights, now), due::foreseen(world, sights));
        Telling { foreseen, due, alone, ..panels::tell(world, case, sights, now) }
    }
}
