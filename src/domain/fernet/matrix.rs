//! The matrix of tokens: issued at one node, validated at another, new and old, in both ways in which Keystone meets a token; which
//! cells are measured and what the outcome proves. Asking is left to `adapters::keystone_tokens`.
//!
//! A node without the key answers 401 where the token is the caller's own, and 404 where a service asks about it; with a broken
//! repository it answers 500 to both. Under a cache of tokens that nodes share, 200 proves nothing.

use super::agreement::names;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Up to so many nodes every cell is measured; above, digests are the proof and the matrix is a sample that grows with the nodes and
/// not with their square.
pub const MOST_WHOLE: usize = 8;

/// When a token was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Age {
    /// Before the case changed anything.
    Old,
    /// After what is being verified.
    New,
}

/// In which way a token is shown to the validating node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// As `X-Auth-Token`, as somebody does who uses the API.
    Own,
    /// As `X-Subject-Token` beside a token of the validating node, as a service's middleware does.
    Subject,
}

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Cell {
    /// Whose token.
    pub issuer: String,
    /// Where it is validated.
    pub validator: String,
    /// How old it is.
    pub age: Age,
    /// How it is shown.
    pub way: Way,
}

/// What came of one cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The status of the answer.
    Status(u16),
    /// No answer, or no token to show; why. Sanitized.
    Failed(String),
}

impl Outcome {
    /// Whether the token was accepted.
    pub fn is_accepted(&self) -> bool {
        *self == Outcome::Status(200)
    }

    fn text(&self) -> String {
        match self {
            Outcome::Status(status) => status.to_string(),
            Outcome::Failed(why) => why.clone(),
        }
    }
}

/// The pairs of issuer and validator that are measured: all up to [`MOST_WHOLE`] nodes; above, each node's own, each with the next in a
/// ring, and the rotator with everybody in both directions.
pub fn pairs(nodes: &[String], rotator: &str) -> Vec<(String, String)> {
    let count = nodes.len();
    let is_measured = |from: usize, to: usize| {
        count <= MOST_WHOLE || from == to || (from + 1) % count == to || nodes[from] == rotator || nodes[to] == rotator
    };
    let all = (0..count).flat_map(|from| (0..count).map(move |to| (from, to)));
    all.filter(|(from, to)| is_measured(*from, *to))
        .map(|(from, to)| (nodes[from].clone(), nodes[to].clone()))
        .collect()
}

/// The cells of these pairs, both ways, for these ages.
pub fn cells(nodes: &[String], rotator: &str, ages: &[Age]) -> Vec<Cell> {
    let cell = |pair: &(String, String), age, way| Cell { issuer: pair.0.clone(), validator: pair.1.clone(), age, way };
    let pairs = pairs(nodes, rotator);
    let of = |pair| ages.iter().flat_map(move |age| [Way::Own, Way::Subject].map(|way| cell(pair, *age, way)));
    pairs.iter().flat_map(of).collect()
}

/// Whether a cell concerns a node, as issuer or as validator: it is measured after its turn.
pub fn is_of(cell: &Cell, node: &str) -> bool {
    cell.issuer == node || cell.validator == node
}

/// What the matrix proves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every cell that had to be measured was, and accepted the token.
    Green,
    /// Some were refused.
    Red(Vec<(Cell, Outcome)>),
    /// Some were not measured, or came to no answer; none was refused.
    Incomplete(Vec<(Cell, Option<Outcome>)>),
    /// All were accepted, and nodes share a cache of tokens: any of them may have answered for another's token without its key.
    Inconclusive,
}

/// Judges what was measured of what had to be. `is_cache_shared`: of any node ([`super::settings::Cache::is_shared`]).
pub fn judge(wanted: &[Cell], measured: &BTreeMap<Cell, Outcome>, is_cache_shared: bool) -> Verdict {
    // A refusal is a refusal whatever else is missing, and no cache makes one.
    let is_refused = |outcome: &Outcome| matches!(outcome, Outcome::Status(status) if *status != 200);
    let refused = measured.iter().filter(|(_, outcome)| is_refused(outcome));
    let refused: Vec<_> = refused.map(|(cell, outcome)| (cell.clone(), outcome.clone())).collect();
    if !refused.is_empty() {
        return Verdict::Red(refused);
    }
    let open = wanted.iter().filter(|cell| !measured.get(cell).is_some_and(Outcome::is_accepted));
    let open: Vec<_> = open.map(|cell| (cell.clone(), measured.get(cell).cloned())).collect();
    match (open.is_empty(), is_cache_shared) {
        (false, _) => Verdict::Incomplete(open),
        // Of nothing nothing follows.
        (true, _) if wanted.is_empty() => Verdict::Incomplete(open),
        (true, true) => Verdict::Inconclusive,
        (true, false) => Verdict::Green,
    }
}

impl Verdict {
    /// Whether the gate that rests on it is open.
    pub fn is_green(&self) -> bool {
        *self == Verdict::Green
    }

    /// A fragment that names who refuses whose tokens: `node2 refuses new tokens of node0 (401 own, 404 subject)`.
    pub fn message(&self) -> String {
        match self {
            Verdict::Green => "every token is accepted everywhere".into(),
            Verdict::Inconclusive => {
                "every token is accepted, which proves nothing: nodes share a cache of tokens".into()
            }
            Verdict::Red(refused) => {
                let all: Vec<(&Cell, String)> = refused.iter().map(|(cell, outcome)| (cell, outcome.text())).collect();
                told(&all)
            }
            Verdict::Incomplete(open) if open.is_empty() => "nothing was to be measured".into(),
            Verdict::Incomplete(open) => causes(open),
        }
    }

    /// What to do. Empty where nothing is to be done.
    pub fn advice(&self) -> &'static str {
        match self {
            Verdict::Green => "",
            Verdict::Red(_) => {
                "stop and compare the digests of all nodes; as long as nothing was purged the way back loses no token"
            }
            Verdict::Incomplete(_) => "nothing goes on until each has answered",
            Verdict::Inconclusive => {
                "rely on the digests; for a proof by tokens set [token] caching and cache_on_issue to false, or use new tokens \
                 after the cache's time has passed"
            }
        }
    }
}

/// Each cause once, with how many tokens it has kept from being shown.
fn causes(open: &[(Cell, Option<Outcome>)]) -> String {
    let mut by: BTreeMap<String, usize> = BTreeMap::new();
    for (_, outcome) in open {
        let text = outcome.as_ref().map_or_else(|| "not measured".to_owned(), Outcome::text);
        // Whatever was asked for there, it is the same node that does not answer.
        let cause = text.find(" at ").map_or(text.as_str(), |at| &text[at + 1..]).to_owned();
        *by.entry(cause).or_default() += 1;
    }
    let count = by.len();
    let told = by.into_iter().take(MOST_TOLD).map(|(cause, cells)| match cells {
        1 => format!("1 token could not be shown: {cause}"),
        cells => format!("{cells} tokens could not be shown: {cause}"),
    });
    let more = (count > MOST_TOLD).then(|| format!("and {} more causes", count - MOST_TOLD));
    told.chain(more).collect::<Vec<_>>().join("; ")
}

/// Most sentences of one message.
const MOST_TOLD: usize = 4;

/// Whose tokens a validator has refused, and what it said of them.
#[derive(Default)]
struct Said<'a> {
    issuers: BTreeSet<&'a str>,
    texts: BTreeSet<String>,
}

fn told(all: &[(&Cell, String)]) -> String {
    let mut by: BTreeMap<(&str, Age), Said<'_>> = BTreeMap::new();
    for (cell, text) in all {
        let said = by.entry((&cell.validator, cell.age)).or_default();
        said.issuers.insert(&cell.issuer);
        let way = match cell.way {
            Way::Own => "own",
            Way::Subject => "subject",
        };
        said.texts.insert(format!("{text} {way}"));
    }
    let count = by.len();
    let mut sentences = Vec::new();
    for ((validator, age), said) in by.into_iter().take(MOST_TOLD) {
        let age = match age {
            Age::Old => "old",
            Age::New => "new",
        };
        let issuers: Vec<String> = said.issuers.into_iter().map(str::to_owned).collect();
        let texts: Vec<String> = said.texts.into_iter().take(3).collect();
        sentences.push(format!("{validator} refuses {age} tokens of {} ({})", names(&issuers), texts.join(", ")));
    }
    if count > MOST_TOLD {
        sentences.push(format!("and {} more", count - MOST_TOLD));
    }
    sentences.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(count: usize) -> Vec<String> {
        (0..count).map(|n| format!("node{n}")).collect()
    }

    fn next(node: &str, count: usize) -> String {
        let number: usize = node.trim_start_matches("node").parse().unwrap();
        format!("node{}", (number + 1) % count)
    }

    fn measured(cells: &[Cell], outcome: impl Fn(&Cell) -> Outcome) -> BTreeMap<Cell, Outcome> {
        cells.iter().map(|cell| (cell.clone(), outcome(cell))).collect()
    }

    fn accepted(_: &Cell) -> Outcome {
        Outcome::Status(200)
    }

    #[test]
    fn up_to_eight_nodes_every_cell_is_measured_and_above_it_grows_with_the_nodes() {
        assert_eq!(pairs(&nodes(3), "node0").len(), 9);
        assert_eq!(pairs(&nodes(8), "node0").len(), 64);
        for count in [9, 50, 200] {
            let pairs = pairs(&nodes(count), "node4");
            // Own cells, the ring, and row and column of the rotator without what is counted already.
            assert_eq!(pairs.len(), 4 * count - 4, "{count}");
            for node in nodes(count) {
                assert!(
                    pairs.contains(&(node.clone(), "node4".into())) && pairs.contains(&("node4".into(), node.clone()))
                );
                assert!(pairs.contains(&(node.clone(), node.clone())));
                assert!(
                    pairs.iter().any(|(from, to)| *from == node && *to != node && *to == next(&node, count)),
                    "{node}"
                );
            }
        }
        assert_eq!(cells(&nodes(3), "node0", &[Age::Old, Age::New]).len(), 36);
        let all = cells(&nodes(3), "node0", &[Age::New]);
        assert_eq!(all.iter().filter(|cell| is_of(cell, "node1")).count(), 10);
    }

    #[test]
    fn all_accepted_is_green_and_under_a_shared_cache_inconclusive() {
        let wanted = cells(&nodes(3), "node0", &[Age::New]);
        let all = measured(&wanted, accepted);
        assert_eq!(judge(&wanted, &all, false), Verdict::Green);
        let cached = judge(&wanted, &all, true);
        assert_eq!(cached, Verdict::Inconclusive);
        assert!(!cached.is_green() && cached.message().contains("proves nothing"));
    }

    #[test]
    fn a_refusal_is_red_with_names_whatever_is_cached_or_missing() {
        let wanted = cells(&nodes(3), "node0", &[Age::Old, Age::New]);
        let mut some =
            measured(&wanted, |cell| match (cell.validator.as_str(), cell.issuer.as_str(), cell.age, cell.way) {
                ("node2", "node0", Age::New, Way::Own) => Outcome::Status(401),
                ("node2", "node0", Age::New, Way::Subject) => Outcome::Status(404),
                _ => Outcome::Status(200),
            });
        some.pop_last();
        for shared in [false, true] {
            let verdict = judge(&wanted, &some, shared);
            assert_eq!(verdict.message(), "node2 refuses new tokens of node0 (401 own, 404 subject)");
            assert!(verdict.advice().contains("way back"));
        }
    }

    #[test]
    fn what_was_not_measured_or_not_answered_is_never_green() {
        let wanted = cells(&nodes(2), "node0", &[Age::New]);
        let mut some = measured(&wanted, accepted);
        some.insert(wanted[0].clone(), Outcome::Failed("no connection".into()));
        some.remove(&wanted[7]);
        let verdict = judge(&wanted, &some, false);
        assert_eq!(
            verdict.message(),
            "1 token could not be shown: no connection; 1 token could not be shown: not measured"
        );
        assert!(!judge(&[], &BTreeMap::new(), false).is_green(), "nothing measured proves nothing");
    }

    #[test]
    fn a_disaster_on_many_nodes_stays_one_line() {
        let wanted = cells(&nodes(8), "node0", &[Age::New]);
        let verdict = judge(&wanted, &measured(&wanted, |_| Outcome::Status(500)), false);
        assert!(verdict.message().ends_with("; and 4 more"), "{}", verdict.message());
    }
}
