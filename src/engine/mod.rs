//! The rotation itself: records, their fold, the machine that decides, converge, and the ports to the world.
//!
//! No tokio, no reqwest, no file and no clock here: time comes in with each input, the world is reached through [`ports`].

pub mod acts;
pub mod alerts;
pub mod approval;
pub mod audit;
pub mod case;
pub mod closing;
pub mod command;
pub mod converge_object;
pub mod converge_secret;
pub mod gap;
pub mod hearing;
pub mod journal;
pub mod judging;
pub mod keys;
pub mod machine;
pub mod mail_store;
pub mod mailbox;
pub mod mailing;
pub mod next;
pub mod observe;
pub mod order;
pub mod persons;
pub mod ports;
pub mod record;
pub mod recovery;
pub mod remind;
pub mod reply_key;
pub mod review;
pub mod rotation;
pub mod secret;
pub mod senders;
pub mod signing;
pub mod sources;
pub mod status;
pub mod step;
pub mod tend;
pub mod transport;
pub mod truth;
pub mod unsettled;
pub mod witness;
