//! The authorities and signing keys of a Kubernetes cluster, with kOps: a keypair is staged in each keyset, brought to every instance,
//! made the primary one, and the previous one is trusted no more, while every holder of a kubeconfig follows in time.
//!
//! | file | what |
//! | --- | --- |
//! | `spec` | the steps and the four words of an operator: rotate, promote, distrust, finish |
//! | `world` | the cluster, its holders, and the rules of the configuration |
//! | `sights` | what was last seen of it |
//! | `facts` | what shuts the gates |
//! | `holders` | who must follow now |
//! | `letters` | the mails to them, with the certificates that they must take |
//! | `record`, `state` | what it journals, and what that comes to |
//! | `back` | the way back |
//! | `recover` | what became of a case of which the end of the journal is lost |
//! | `roll` | what each change of keys is followed by: update, roll, validate |
//! | `steps` | the steps |
//! | `length` | how long the rolls ahead take |
//! | `panels` | what its screen shows |

mod back;
mod facts;
mod holders;
mod length;
mod letters;
mod panels;
mod record;
mod recover;
mod roll;
mod sights;
mod spec;
mod state;
mod steps;
mod world;

pub use record::{AlarmKind, KopsRecord, Round};
pub use sights::Sights;
pub use state::State;
pub use world::{Holder, Holds, Rules, World};

use crate::domain::fault::Fault;
use crate::domain::language::Language;
use crate::engine::case::core::{Core, Stamp};
use crate::engine::case::gate::Fact;
use crate::engine::case::letter::{Enclosure, Paper, Question};
use crate::engine::case::runbook::{Awaited, Case, Recovery, Runbook, Step, Telling};
use crate::engine::case::spec::{Move, Spec};
use crate::engine::witness::CaseSeen;
use async_trait::async_trait;
use jiff::Timestamp;

/// The runbook.
pub struct Kops;

#[async_trait]
impl Runbook for Kops {
    type Record = KopsRecord;
    type State = State;
    type World = World;
    type Sights = Sights;

    fn spec() -> &'static Spec {
        &spec::SPEC
    }

    fn steps() -> Vec<Box<dyn Step<Self>>> {
        steps::all()
    }

    fn check(case: &Case<Self>, record: &KopsRecord) -> Result<(), String> {
        state::check(case, record)
    }

    fn apply(state: &mut State, core: &Core, at: Stamp<'_>, record: &KopsRecord) {
        state.apply(core, at, record);
    }

    fn facts(world: &World, stretch: &str, case: Option<&Case<Self>>, sights: &Sights, _: Timestamp) -> Vec<Fact> {
        facts::before(world, stretch, case, sights)
    }

    fn awaited(world: &World, case: &Case<Self>) -> Vec<Awaited> {
        holders::awaited(world, case)
    }

    fn questions(world: &World, case: &Case<Self>) -> Vec<Question> {
        letters::questions(world, case)
    }

    fn paper(world: &World, about: &str, language: Language) -> Option<Paper> {
        letters::paper(world, about, language)
    }

    async fn enclosed(world: &World, enclosure: &Enclosure) -> Result<Vec<u8>, Fault> {
        world.cluster.kept(&enclosure.path, &enclosure.digest).await
    }

    fn way_back(case: &Case<Self>) -> Result<Vec<Move>, String> {
        back::road(case)
    }

    async fn recover(world: &World, case: &Case<Self>, seen: &CaseSeen) -> Result<Recovery<KopsRecord>, Fault> {
        recover::recover(world, case, seen).await
    }

    async fn look(world: &World, _: Option<&Case<Self>>, sights: &mut Sights) {
        sights.look(world).await;
    }

    fn tell(world: &World, case: Option<&Case<Self>>, sights: &Sights, now: Timestamp) -> Telling {
        panels::tell(world, case, sights, now)
    }
}
