//! What `kops rolling-update cluster` prints, which instances must roll behind a change of keys, and whether all of them will.
//!
//! The ids of a keyset stand in the boot configuration of the instances that use it: those of the control plane have all of them,
//! workers only the general authority's (and those of Cilium's own etcd). A roll that finds fewer than those, or none, leaves instances that
//! trust the wrong authority: that is an alarm and never a success.

use super::keyset::GENERAL;
use crate::domain::sanitize::sanitize;
use serde::{Deserialize, Serialize};

/// What the instances of a group are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// The control plane, or API servers of their own.
    ControlPlane,
    /// Workers.
    Nodes,
    /// The way in; it holds no key of a keyset.
    Bastion,
}

/// What a group's name says of it, as kOps names them; the configuration may say otherwise.
pub fn purpose(group: &str) -> Purpose {
    let has = |word: &str| group.contains(word);
    if has("control-plane") || has("master") || has("apiserver") {
        Purpose::ControlPlane
    } else if has("bastion") {
        Purpose::Bastion
    } else {
        Purpose::Nodes
    }
}

/// One instance group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// As printed: `Ready`, `NeedsUpdate`.
    pub status: String,
    /// Instances whose boot configuration is not that of the state store.
    pub need_update: u32,
    /// Instances that are as they should be.
    pub ready: u32,
    /// How many there are to be; none where it is not printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<u32>,
}

impl Group {
    /// How many instances it has, or is to have.
    pub fn instances(&self) -> u32 {
        self.target.unwrap_or(0).max(self.need_update).max(if self.target.is_none() {
            self.need_update + self.ready
        } else {
            0
        })
    }

    /// Whether a roll goes over every instance.
    pub fn is_covered(&self) -> bool {
        self.need_update >= self.instances()
    }
}

/// Reads the table. Errors: there is none.
pub fn read(output: &str) -> Result<Vec<Group>, String> {
    let mut lines = output.lines().skip_while(|line| !line.starts_with("NAME"));
    let head: Vec<&str> = lines.next().ok_or("it prints no table of instance groups")?.split_whitespace().collect();
    let column = |name: &str| head.iter().position(|column| *column == name);
    let (Some(status), Some(need), Some(ready)) = (column("STATUS"), column("NEEDUPDATE"), column("READY")) else {
        return Err("its table of instance groups has other columns".into());
    };
    let target = column("TARGET");
    let mut found = Vec::new();
    for line in lines.take_while(|line| !line.trim().is_empty()) {
        let cells: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| cells.get(at).and_then(|cell| cell.parse::<u32>().ok());
        let (Some(need_update), Some(ready)) = (number(need), number(ready)) else {
            return Err(format!("a line of its table can't be read: {:?}", sanitize(line)));
        };
        let name = sanitize(cells[0]);
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if !is_name || name.starts_with('-') {
            return Err(format!("{name:?} is no name of an instance group"));
        }
        let status = sanitize(cells.get(status).copied().unwrap_or_default());
        found.push(Group { name, status, need_update, ready, target: target.and_then(number) });
    }
    Ok(found)
}

/// Whether instances for this purpose hold one of these keysets in their boot configuration.
pub fn must_roll<'a>(purpose: Purpose, changed: impl IntoIterator<Item = &'a str>) -> bool {
    changed.into_iter().any(|keyset| match purpose {
        Purpose::ControlPlane => true,
        Purpose::Nodes => keyset == GENERAL || keyset.contains("cilium"),
        Purpose::Bastion => false,
    })
}

/// What a roll would leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// It goes over every instance that must roll: so many.
    All(u32),
    /// It goes over none, though so many must roll.
    Nothing(u32),
    /// It goes over fewer: these groups are left, at least in part.
    Fewer(Vec<String>),
}

/// Whether a roll goes over every instance of the groups that must roll.
pub fn coverage<'a>(groups: impl IntoIterator<Item = &'a Group>) -> Coverage {
    let groups: Vec<&Group> = groups.into_iter().filter(|group| group.instances() > 0).collect();
    let all: u32 = groups.iter().map(|group| group.instances()).sum();
    if all == 0 || groups.iter().all(|group| group.is_covered()) {
        return Coverage::All(all);
    }
    if groups.iter().all(|group| group.need_update == 0) {
        return Coverage::Nothing(all);
    }
    let left = groups.iter().filter(|group| !group.is_covered());
    Coverage::Fewer(
        left.map(|group| format!("{} ({} of {})", group.name, group.need_update, group.instances())).collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(name: &str, need_update: u32, ready: u32, target: Option<u32>) -> Group {
        Group { name: name.into(), status: "Ready".into(), need_update, ready, target }
    }

    #[test]
    fn workers_roll_behind_the_general_authority_and_the_control_plane_behind_every_keyset() {
        let changed = ["etcd-peers-ca-main", "service-account"];
        assert!(must_roll(purpose("control-plane-main"), changed) && must_roll(purpose("master-eu-1a"), changed));
        assert!(!must_roll(purpose("nodes-main"), changed) && must_roll(purpose("nodes-main"), ["kubernetes-ca"]));
        assert!(
            must_roll(Purpose::Nodes, ["etcd-clients-ca-cilium"]) && !must_roll(purpose("bastions"), ["kubernetes-ca"])
        );
        assert!(!must_roll(Purpose::ControlPlane, []));
    }

    #[test]
    fn none_and_fewer_than_all_are_no_roll() {
        let cover = |groups: &[Group]| coverage(groups);
        assert_eq!(cover(&[group("a", 3, 0, Some(3)), group("b", 2, 0, None)]), Coverage::All(5));
        assert_eq!(cover(&[group("a", 0, 3, Some(3)), group("b", 0, 2, None)]), Coverage::Nothing(5));
        assert_eq!(
            cover(&[group("a", 1, 2, Some(3)), group("b", 2, 0, None), group("c", 0, 1, Some(1))]),
            Coverage::Fewer(vec!["a (1 of 3)".into(), "c (0 of 1)".into()])
        );
        assert_eq!(cover(&[group("empty", 0, 0, Some(0))]), Coverage::All(0));
    }

    #[test]
    fn a_table_with_a_column_more_is_read_and_one_that_is_none_is_not() {
        let text = "I1122 noise\nNAME\tSTATUS\tNEEDUPDATE\tREADY\tMIN\tTARGET\tMAX\tNODES\nnodes-a\tNeedsUpdate\t2\t0\t2\t2\t2\t2\n\nMust specify --yes to rolling-update.\n";
        let expected = Group { status: "NeedsUpdate".into(), ..group("nodes-a", 2, 0, Some(2)) };
        assert_eq!(read(text).unwrap(), [expected]);
        for bad in [
            "",
            "No rolling-update required.",
            "NAME\tREADY\na\t1\n",
            "NAME\tSTATUS\tNEEDUPDATE\tREADY\n--x\tReady\t0\t0\n",
        ] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }
}
