//! kOps key sets: what a cluster's keypairs are seen to be, and every judgement about them. Pure values; how `kops` is asked is
//! `adapters::kops`.
//!
//! A keyset has one primary keypair, whose private key is used; the others are trusted, or distrusted. *Staged* is no state of kOps: it
//! is a trusted one with a private key and an id above the primary's.
//!
//! | file | question |
//! | --- | --- |
//! | [`keypair`] | what `kops get keypairs` prints, in each of its forms |
//! | [`keyset`] | in which roles the keypairs of a keyset are, and which keysets can be rotated |
//! | [`said`] | what a verb says that it has done |
//! | [`group`] | what `kops rolling-update` prints, which instances must roll, and whether all of them will |
//! | [`version`] | which procedure this kOps has |
//! | [`track`] | what a case remembers of a keyset, and whether somebody else has changed it |

pub mod group;
pub mod keypair;
pub mod keyset;
pub mod said;
pub mod track;
pub mod version;

#[cfg(test)]
mod transcript;
