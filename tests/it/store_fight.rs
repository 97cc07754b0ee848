//! Two real processes fight for one tenant, one of them is stopped and overtaken, one runs out of disk. The fighters are
//! this test binary again, in a role that its environment names and that is told what to do on its standard input.

use crate::store::Folder;
use crate::store_suite::{Place, me, note, rotation, take, tenant};
use changeguard::adapters::PasswordSource;
use changeguard::adapters::store::{Server, SqlJournal};
use changeguard::engine::audit;
use changeguard::engine::journal::{AppendError, Holder, JournalStore, Lease};
use changeguard::engine::record::Record;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const ROUNDS: u64 = 1000;
const PLACE: &str = "CHANGEGUARD_FIGHT_PLACE";

/// Where a fight takes place, as one text for the environment.
pub fn sqlite(folder: &Folder) -> String {
    format!("sqlite\n{}", folder.state().display())
}

/// The same on a server.
pub fn postgres(url: &str, password_file: &str) -> String {
    format!("postgres\n{url}\n{password_file}")
}

async fn open(place: &str) -> SqlJournal {
    let parts: Vec<&str> = place.lines().collect();
    match parts[..] {
        ["sqlite", folder] => SqlJournal::in_folder(folder.as_ref()).await.unwrap(),
        ["postgres", url, file] => {
            let password = PasswordSource::File(file.into());
            SqlJournal::on_server(Server::new(url, password, None).unwrap()).await.unwrap()
        }
        _ => panic!("{place}"),
    }
}

#[test]
#[ignore = "a role that the fights start"]
fn a_fighter() {
    let Ok(place) = std::env::var(PLACE) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = open(&place).await;
        let mut lease = None;
        say("ready");
        for line in std::io::stdin().lines() {
            let line = line.unwrap();
            let (word, number) = line.split_once(' ').unwrap_or((&line, "0"));
            say(&obey(&store, &mut lease, word, number.parse().unwrap()).await);
        }
    });
}

fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n@@{text}").unwrap();
    out.flush().unwrap();
}

async fn obey(store: &SqlJournal, lease: &mut Option<Lease>, word: &str, number: u64) -> String {
    let now = jiff::Timestamp::now();
    let holder = Holder { since: now, heartbeat: now, ..me(std::process::id(), 0) };
    match word {
        "fight" => match store.acquire(&tenant("t1"), &holder).await.unwrap() {
            Ok(won) => {
                *lease = Some(won);
                let seq = next(store).await;
                let entry = note(seq, &format!("round {number}"));
                store.append(&rotation("r"), lease.as_ref().unwrap(), &[entry]).await.unwrap();
                "won".into()
            }
            Err(_) => match lease {
                // What was ours in an earlier round must be of no use any more.
                Some(old) => format!("lost, {}", useless(store, old).await),
                None => "lost, nothing held".into(),
            },
        },
        "overtake" => {
            let (_, met) = store.holders().await.unwrap().remove(0);
            *lease = store.take_from(&tenant("t1"), &met, &holder, true).await.unwrap();
            "overtook".into()
        }
        "release" => {
            store.release(lease.as_ref().unwrap()).await.unwrap();
            "released".into()
        }
        "use" => useless(store, lease.as_ref().unwrap()).await,
        "fill" => loop {
            let seq = next(store).await;
            let entry = note(seq, &"x".repeat(300));
            match store.append(&rotation("r"), lease.as_ref().unwrap(), &[entry]).await {
                Ok(()) if seq < 10_000 => {}
                Ok(()) => return "never full".into(),
                Err(error) => {
                    let kept = store.load(&rotation("r")).await.map(|entries| entries.len());
                    let advice = if let AppendError::Fault(fault) | AppendError::Unknown(fault) = &error {
                        fault.advice().to_owned()
                    } else {
                        String::new()
                    };
                    return format!("{}|{advice}|{}", kept.map_or(-1, |kept| kept as i64), error);
                }
            }
        },
        other => panic!("{other}"),
    }
}

/// The number after the last record.
async fn next(store: &SqlJournal) -> u64 {
    store.heads(Some(&tenant("t1"))).await.unwrap().first().map_or(1, |head| head.last_seq + 1)
}

/// Tries everything that a lease permits.
async fn useless(store: &SqlJournal, lease: &Lease) -> String {
    let seq = next(store).await;
    let append = store.append(&rotation("r"), lease, &[note(seq, "late")]).await;
    let append = match append {
        Ok(()) => "written",
        Err(AppendError::LeaseLost) => "refused",
        Err(other) => panic!("{other}"),
    };
    let renew = store.renew(lease, jiff::Timestamp::now()).await.unwrap();
    let holds = store.holds(lease).await.unwrap();
    format!("append {append}, renew {renew}, holds {holds}")
}

const USELESS: &str = "append refused, renew false, holds false";

struct Fighter {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Fighter {
    fn start(place: &str) -> Self {
        let program = std::env::current_exe().unwrap();
        Self::spawn(Command::new(program), place)
    }

    /// One whose files can't grow beyond so many KiB.
    fn cramped(place: &str, kib: u32) -> Self {
        let program = std::env::current_exe().unwrap();
        let mut command = Command::new("bash");
        // A write beyond the limit is to be an error, not the end of the process.
        let script = format!("trap '' XFSZ; ulimit -f {kib}; exec \"$0\" \"$@\"");
        command.args(["-c", &script]).arg(program);
        Self::spawn(command, place)
    }

    fn spawn(mut command: Command, place: &str) -> Self {
        command.args(["store_fight::a_fighter", "--exact", "--ignored", "--nocapture"]).env(PLACE, place);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let (orders, answers) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut fighter = Self { child, orders, answers };
        assert_eq!(fighter.answer(), "ready");
        fighter
    }

    fn order(&mut self, text: &str) {
        writeln!(self.orders, "{text}").unwrap();
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert_ne!(self.answers.read_line(&mut line).unwrap(), 0, "the fighter has ended");
            if let Some(answer) = line.trim_end().strip_prefix("@@") {
                return answer.to_owned();
            }
        }
    }

    fn ask(&mut self, text: &str) -> String {
        self.order(text);
        self.answer()
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

impl Drop for Fighter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Rounds: in each both reach for the tenant at once, exactly one gets it and writes one record.
pub fn rounds(place: &str, all: u64) {
    let mut fighters = [Fighter::start(place), Fighter::start(place)];
    let mut wins = [0u64; 2];
    for round in 1..=all {
        for fighter in &mut fighters {
            fighter.order(&format!("fight {round}"));
        }
        let answers = [0, 1].map(|at| fighters[at].answer());
        let winners: Vec<usize> = (0..2).filter(|at| answers[*at] == "won").collect();
        assert_eq!(winners.len(), 1, "round {round}: {answers:?}");
        let loser = &answers[1 - winners[0]];
        assert!(loser == "lost, nothing held" || *loser == format!("lost, {USELESS}"), "round {round}: {loser}");
        wins[winners[0]] += 1;
        assert_eq!(fighters[winners[0]].ask("release"), "released");
    }
    drop(fighters);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = open(place).await;
        let entries = store.load(&rotation("r")).await.unwrap();
        let texts: Vec<String> = entries.iter().map(|entry| entry.record.summary()).collect();
        let expected: Vec<String> = (1..=all).map(|round| format!("note: round {round}")).collect();
        assert_eq!(texts, expected, "one record a round, in their order");
        let verdicts = audit::verify(&store.tables().await.unwrap(), None, &[]);
        assert_eq!(verdicts[0].finding, None);
        assert_eq!(verdicts[0].records as u64, all);
        store.close().await;
    });
    println!("{all} rounds, {wins:?} won");
}

/// A holder that is stopped, overtaken and continued: nothing of its lease is of use.
pub fn a_stopped_holder_is_overtaken(place: &str) {
    let (mut one, mut two) = (Fighter::start(place), Fighter::start(place));
    assert_eq!(one.ask("fight 1"), "won");
    one.signal(Signal::STOP);
    assert!(two.ask("fight 2").starts_with("lost"), "its heartbeat is young still");
    assert_eq!(two.ask("overtake"), "overtook");
    one.order("use");
    one.signal(Signal::CONT);
    assert_eq!(one.answer(), USELESS);
    assert_eq!(two.ask("use"), "append written, renew true, holds true");
}

fn fast_folder() -> Folder {
    // In memory where that is possible: the fights are about who wins, not about the disk.
    let inside = std::path::Path::new("/dev/shm");
    let folder = if inside.is_dir() { tempfile::tempdir_in(inside) } else { tempfile::tempdir() };
    Folder(folder.unwrap())
}

#[test]
fn of_two_processes_one_wins_each_of_a_thousand_rounds() {
    rounds(&sqlite(&fast_folder()), ROUNDS);
}

#[test]
fn a_stopped_holder_that_wakes_after_a_take_over_changes_nothing() {
    a_stopped_holder_is_overtaken(&sqlite(&fast_folder()));
}

#[test]
fn on_a_full_disk_a_record_is_refused_and_everything_before_it_stays() {
    let folder = fast_folder();
    let mut fighter = Fighter::cramped(&sqlite(&folder), 2048);
    assert_eq!(fighter.ask("fight 1"), "won");
    let told = fighter.ask("fill");
    let [kept, advice, error] = told.split('|').collect::<Vec<_>>()[..] else { panic!("{told}") };
    let kept: usize = kept.parse().unwrap();
    assert!(kept > 10, "what is there can be read on a full disk: {told}");
    assert!(error.contains("full"), "{told}");
    assert!(advice.contains("make room"), "{told}");
    drop(fighter);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = folder.open().await;
        assert_eq!(store.load(&rotation("r")).await.unwrap().len(), kept);
        let lease = take(&store, "t2", me(1, 0)).await;
        store.append(&rotation("s"), &lease, &[note(1, "there is room again")]).await.unwrap();
        let verdicts = audit::verify(&store.tables().await.unwrap(), None, &[]);
        assert!(verdicts.iter().all(|verdict| verdict.finding.is_none()), "{verdicts:?}");
        assert!(matches!(store.load(&rotation("r")).await.unwrap()[0].record, Record::Noted { .. }));
    });
}
