//! Which tenants there are: those that the console API lists, then the cloud's projects that hold the object; and what one of them
//! has and the other lacks.

use crate::domain::fault::{Fault, FaultKind, Service};
use crate::domain::tenant::{Tenant, TenantId};

/// So many of those that one place lacks are named.
const NAMED: usize = 8;

/// What was discovered.
#[derive(Debug)]
pub struct Discovered {
    /// Everybody whom either place knows, by the console's name where that knows them.
    pub tenants: Vec<Tenant>,
    /// What of it may be wrong: a place that could not be asked, or a difference.
    pub fault: Option<Fault>,
}

/// Joins the two places. `listed`: what the console API lists, where one is configured. Nobody is dropped in silence.
pub fn discovered(
    listed: Option<Result<Vec<(TenantId, String)>, Fault>>,
    projects: Result<Vec<Tenant>, Fault>,
) -> Discovered {
    let (listed, projects) = match (listed, projects) {
        (None | Some(Err(_)), Err(fault)) => return Discovered { tenants: Vec::new(), fault: Some(fault) },
        (None, Ok(tenants)) => return Discovered { tenants, fault: None },
        (Some(Err(fault)), Ok(tenants)) => return Discovered { tenants, fault: Some(fault) },
        (Some(Ok(listed)), Err(fault)) => {
            return Discovered { tenants: listed.into_iter().map(tenant).collect(), fault: Some(fault) };
        }
        (Some(Ok(listed)), Ok(projects)) => (listed, projects),
    };
    let only_listed = listed.iter().filter(|(id, _)| projects.iter().all(|project| project.id != *id));
    let only_listed: Vec<&str> = only_listed.map(|(_, name)| name.as_str()).collect();
    let only_projects: Vec<&Tenant> =
        projects.iter().filter(|project| listed.iter().all(|(id, _)| *id != project.id)).collect();
    let names: Vec<&str> = only_projects.iter().map(|tenant| tenant.name.as_str()).collect();
    let mut parts = Vec::new();
    if !only_listed.is_empty() {
        let (names, object) = (some(&only_listed), "the cloud has no object of theirs that these credentials see");
        parts.push(format!("the console API lists {names}, and {object}"));
    }
    if !names.is_empty() {
        parts.push(format!("the cloud holds the object of {}, and the console API does not list them", some(&names)));
    }
    let fault = (!parts.is_empty()).then(|| {
        Fault::new(Service::Console, FaultKind::Conflict, parts.join("; ")).hint(
            "all of them are shown; find out whether they are being made or removed, or whether a credential sees too little",
        )
    });
    let others: Vec<Tenant> = only_projects.into_iter().cloned().collect();
    Discovered { tenants: listed.into_iter().map(tenant).chain(others).collect(), fault }
}

fn tenant((id, name): (TenantId, String)) -> Tenant {
    Tenant { id, name, server: None, gateway: None }
}

fn some(names: &[&str]) -> String {
    let more = names.len().saturating_sub(NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", names[..names.len().min(NAMED)].join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(id: &str) -> TenantId {
        TenantId::new(id).unwrap()
    }

    fn said(of: Discovered) -> (Vec<String>, String) {
        let fault = of.fault.map(|fault| fault.message).unwrap_or_default();
        (of.tenants.into_iter().map(|tenant| tenant.name).collect(), fault)
    }

    #[test]
    fn nobody_whom_either_place_knows_is_dropped_and_each_difference_is_said() {
        let listed =
            |ids: &[&str]| Some(Ok(ids.iter().map(|one| (id(one), format!("{one}-of-the-console"))).collect()));
        let projects =
            |ids: &[&str]| Ok(ids.iter().map(|one| tenant((id(one), format!("{one}-of-keystone")))).collect());
        let away = || Fault::new(Service::Console, FaultKind::Unreachable, "nobody listens");
        let (names, fault) = said(discovered(listed(&["a", "b"]), projects(&["a", "b"])));
        assert_eq!((names, fault), (vec!["a-of-the-console".into(), "b-of-the-console".into()], String::new()));
        let (names, fault) = said(discovered(listed(&["a", "b"]), projects(&["b", "c"])));
        assert_eq!(names, ["a-of-the-console", "b-of-the-console", "c-of-keystone"]);
        assert!(fault.contains("lists a-of-the-console") && fault.contains("the object of c-of-keystone"), "{fault}");
        let (names, fault) = said(discovered(Some(Err(away())), projects(&["a"])));
        assert_eq!((names, fault), (vec!["a-of-keystone".to_owned()], "nobody listens".into()));
        let (names, fault) = said(discovered(listed(&["a"]), Err(away())));
        assert_eq!((names, fault), (vec!["a-of-the-console".to_owned()], "nobody listens".into()));
        let (names, fault) = said(discovered(None, Err(away())));
        assert!(names.is_empty() && fault == "nobody listens");
        let many: Vec<String> = (0..20).map(|n| format!("t{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(said(discovered(listed(&many), projects(&[]))).1.contains(" and 12 more"));
    }
}
