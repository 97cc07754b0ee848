//! The integration tests, one binary: building it once is what takes the time.
#![allow(clippy::unwrap_used, clippy::expect_used)] // the lint knows test functions, not the functions that they call

mod accountable;
mod aimed;
mod alerts;
mod amiss;
mod bastion;
mod bastions;
mod blind;
mod cli;
mod cli_hands;
mod config;
mod config_keystone;
mod config_trust;
mod converge;
mod costs;
mod fernet_amiss;
mod fernet_beside;
mod fernet_case;
mod fernet_faults;
mod fernet_install;
mod fernet_keys;
mod fernet_left;
mod fernet_nodes;
mod fernet_others;
mod fernet_put_back;
mod fernet_real;
mod fernet_rig;
mod fernet_rotator;
mod fernet_shell;
mod fernet_table;
mod house;
mod inbox;
mod inbox_ahead;
mod json;
mod keys_kept;
mod keystone_cli;
mod keystone_held;
mod keystone_only;
mod keystone_screen;
mod keystone_watch;
mod kops_case;
mod kops_cli;
mod kops_faults;
mod kops_lost;
mod kops_mail;
mod kops_met;
mod kops_pause;
mod kops_put_back;
mod kops_rehearse;
mod kops_rig;
mod kops_screen;
mod kops_trouble;
mod lab;
mod leads;
mod left_undone;
mod letters;
mod live;
mod live_alerts;
mod live_faults;
mod live_fernet;
mod live_inbox;
mod live_mail;
mod live_postgres;
mod live_postgres_faults;
mod live_rotation;
mod live_signers;
mod live_ssh;
mod live_standby;
mod live_watch;
mod lockout;
mod looks;
mod mail;
mod mail_copies;
mod mail_deferred;
mod mail_invitation;
mod mail_kills;
mod mail_texts;
mod memory;
mod moment;
mod named;
mod object_gone;
mod offers;
mod one_address;
mod openstack;
mod oslo_real;
mod others;
mod picture;
mod process;
mod pty;
mod readme;
mod refused;
mod rehearse;
mod rehearse_nodes;
mod replay;
mod replies;
mod rotation;
mod said;
mod sample;
mod scene;
mod screens;
mod senders;
mod signers;
mod store;
mod store_audit;
mod store_cli;
mod store_fight;
mod store_leases;
mod store_room;
mod store_suite;
mod strangers;
mod tells;
mod terminal;
mod touching;
mod toy;
mod transport;
mod truth;
mod watch;
mod watch_mail;
mod wireguard;

// Deaths and failing journals are rehearsed by debug builds only.
#[cfg(debug_assertions)]
mod ends;
mod fault_cases;
#[cfg(debug_assertions)]
mod fault_walk;
#[cfg(debug_assertions)]
mod gate_walk;
#[cfg(debug_assertions)]
mod journals;
#[cfg(debug_assertions)]
mod kill_walk;
#[cfg(debug_assertions)]
mod live_versions;
#[cfg(debug_assertions)]
mod manner;
mod meddling_walk;
#[cfg(debug_assertions)]
mod offered;
#[cfg(debug_assertions)]
mod proxy;
mod put_right;
#[cfg(debug_assertions)]
mod rig;
#[cfg(debug_assertions)]
mod store_trouble;
#[cfg(debug_assertions)]
mod unanswered;
mod unsure;
#[cfg(debug_assertions)]
mod witness;
#[cfg(debug_assertions)]
mod witness_walk;
