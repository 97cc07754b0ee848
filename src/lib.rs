//! changeguard takes an on-call operator through a key rotation that other people will feel.
//!
//! # The idea
//!
//! A rotation is **the fold of its journal**: every step writes `started` before it touches the world and `succeeded` with
//! its evidence before the next is considered. After a crash a started step without an end is *interrupted*, and only a
//! *probe* of the world leads out. Nothing is scripted, everything **converges**: one function brings the Barbican secret
//! to one named state from whatever state it is in, another the Swift object; rotate, roll back and resume are the same
//! calls with another key. The **gate** before rotate is one pure function that names people, not counts.
//!
//! # The house
//!
//! | room | what lives there | may import |
//! | --- | --- | --- |
//! | [`domain`] | values and rules: key, window, answer, gate, freshness, fault | nothing |
//! | [`engine`] | journal records and their fold, the machine that decides, converge, the ports | domain |
//! | [`runbooks`] | the written procedures, one file a step | engine, domain |
//! | [`app`] | what the screen knows and what a key means (Elm: model, message, update, effect) | engine, domain |
//! | [`ui`] | the view: a pure function of the model | app, engine, domain |
//! | [`config`] | the one file, and `clouds.yaml` | domain |
//! | [`adapters`] | Keystone, Barbican, Swift, ssh, mail, journal, clock; and the embedded lab | engine, domain |
//! | [`runtime`] | the only place where things happen: tasks, signals, the terminal, the composition root | everything |
//! | [`cli`] | subcommands, their output and exit codes | runtime and below |
//!
//! `ui` and `adapters` never see each other, and adapters never see one another. A test reads the `use` lines.
//!
//! # How a key press becomes a rotation
//!
//! `ui` shows a [`app::model::Model`]; a key becomes a message, `app::update` answers with an effect, the
//! [`runtime::conductor`] takes the tenant's lease, loads the journal and hands the [`engine::command::Command`] to the
//! [`engine::machine`]. The machine answers with records, which are made durable, and with steps to perform, which
//! [`runtime::run`] performs through the [`engine::ports`]; what came of them goes back into the machine. The command line
//! takes the same way from the conductor on. What is true at any moment is one value, [`engine::status::TenantStatus`]:
//! the screen draws it and `status --json` prints it.
//!
//! # What keeps it safe
//!
//! * **One writer**: a lease per tenant in the store, held by one run of the program and judged by its count of signs of life
//!   ([`runtime::lookout`]); no clock decides between processes, and order is the chain's. [`engine::ports::Fence`] is asked
//!   right before every request that changes something outside: a process that was overtaken changes nothing when it wakes.
//! * **The pair**: once DELETE is sent, `adapters::openstack` sends the POST whatever happens to its caller;
//!   [`runtime::ending`] lets everything else stop at a record and gives the tenant back.
//! * **The end that is lost**: [`engine::witness`] compares a tenant's journal with what was seen of it where the journal is not,
//!   [`engine::recovery`] says what an operator goes on from where it has gone back in time.
//! * **Accountability**: [`engine::approval`] binds a second operator's word to the plan and to everybody's whose word the plan
//!   rests on ([`engine::acts`]), [`engine::signing`] says what they sign, `engine::machine::accountable` holds emergency, review
//!   and hand-over, [`engine::audit`] the chain of hashes, [`engine::persons`] what of it may be forgotten.
//! * **Answers**: [`engine::mailbox`] says whose a mail is, [`domain::reply`] what it says (doubtful is unclear),
//!   [`runtime::post`] sees to it that each is taken in once and none is passed over.
//! * **Nobody there**: [`engine::tend`] says what may go on without a person, [`runtime::watch`] does it.
//!
//! # Where to begin reading
//!
//! README, this page, `runbooks/wireguard.rs`, `domain/gate.rs`, `engine/machine.rs`, `engine/converge_secret.rs`, one
//! scenario in `tests/it/rotation.rs`, `app/command.rs`, `ui`.

pub mod adapters;
pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
pub mod engine;
pub mod runbooks;
pub mod runtime;
pub mod ui;
