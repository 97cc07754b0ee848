//! Keystone's Fernet keys: what a repository is seen to be, and every judgement about it. Pure values; how nodes are reached is
//! `adapters::nodes`, how tokens are asked for is `adapters::keystone_tokens`.
//!
//! A repository is a folder of files named by numbers: `0` is staged (decrypts only, the next primary), the highest is the
//! primary (the only one that encrypts), all others are secondaries. Keystone opens **every** file of the folder at every
//! request (keystone/common/fernet_utils.py, `load_keys`), so whatever lies in it is judged, not only the numbers.
//!
//! | file | question |
//! | --- | --- |
//! | [`repository`] | what lies on one node, in which roles |
//! | [`finding`] | what is wrong with it, and what to do |
//! | [`agreement`] | do the nodes hold the same, and who differs |
//! | [`oslo`], [`settings`] | what `keystone.conf` says, and whether all nodes say the same |
//! | [`interval`] | how often one may rotate, in general |
//! | [`not_before`] | until when each key is needed, in fact |
//! | [`rotation`] | what one rotation makes of a repository, and whether a prepared copy is one |
//! | [`cadence`] | whether more than one rotates |
//! | [`union`] | the cure after two rotations without distribution |
//! | [`install`] | in which order a node's folder becomes the wanted one |
//! | [`matrix`] | which tokens were tried where, and what that proves |
//! | [`watch`] | whether refusals and errors have risen since |

pub mod agreement;
pub mod cadence;
pub mod duration;
pub mod finding;
pub mod install;
pub mod interval;
pub mod matrix;
pub mod not_before;
pub mod oslo;
pub mod repository;
pub mod rotation;
pub mod settings;
pub mod union;
pub mod watch;
