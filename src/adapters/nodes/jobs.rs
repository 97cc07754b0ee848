//! Rotation jobs that lie on a node: the part of a script that looks for them in crontabs, systemd's timers and running containers, and
//! how it is read. Whether they are in the way is `domain::fernet::cadence`.

use super::script::Lines;
use crate::domain::fernet::cadence::Job;
use crate::domain::sanitize::sanitize;

/// Most jobs that are kept of one node.
const MOST_JOBS: usize = 50;

/// What a rotation is called: keystone-manage's three commands, kolla-ansible's and OpenStack-Ansible's scripts, openstack-helm's.
const NAMES: &str =
    "fernet[-_.]?(keys)?[-_.]?rotate|fernet-push|token_rotate|receipt_rotate|fernet[-_]manage|keystone[-_]fernet";

/// The shell function `jobs`. Where no user's crontab lies at a known path, `crontab` is asked for those of root and of Keystone. Assignments in a line lose their value on the node: they may be passwords. A crontab's comment is no job.
/// One program looks through all files: only one that names a rotation is read by itself.
pub(super) fn function() -> String {
    format!(
        r##"P="{NAMES}"
shown() {{ sed -e "s/\([A-Za-z_][A-Za-z0-9_]*\)=[^ ]*/\1=.../g" -e "s/${{T}}/ /g" | cut -c 1-200 | head -n 20; }}
told() {{ if [ -n "$3" ]; then printf "%s\n" "$3" | shown | while IFS= read -r l; do printf "@job\t%s\t%s\t%s\n" "$1" "$2" "$l"; done; fi; }}
jobs() {{
  set --
  s=
  for f in /var/spool/cron/* /var/spool/cron/crontabs/* /etc/crontabs/*; do if [ -f "$f" ] && [ -r "$f" ]; then s=1; fi; done
  if [ -z "$s" ] && command -v crontab >/dev/null 2>&1; then
    for u in root keystone; do told cron "the crontab of $u" "$(crontab -u "$u" -l 2>/dev/null | grep -Ei "$P" | grep -v "^[[:space:]]*#")"; done
  fi
  for f in /etc/crontab /etc/cron.d/* /var/spool/cron/* /var/spool/cron/crontabs/* /etc/crontabs/* /etc/cron.hourly/* /etc/cron.daily/* /etc/cron.weekly/* /etc/cron.monthly/*; do
    if [ -f "$f" ] && [ -r "$f" ]; then set -- "$@" "$f"; fi
  done
  if [ $# -gt 0 ]; then
    grep -Eil "$P" "$@" 2>/dev/null | while IFS= read -r f; do
      p=${{f#/etc/cron.}}; p=${{p%%/*}}
      case "$f" in
        /etc/cron.hourly/*|/etc/cron.daily/*|/etc/cron.weekly/*|/etc/cron.monthly/*) printf "@job\t%s\t%s\t%s\n" "$p" "$f" "run by cron.$p" ;;
        *) told cron "$f" "$(grep -Ei "$P" "$f" 2>/dev/null | grep -v "^[[:space:]]*#")" ;;
      esac
    done
  fi
  if command -v systemctl >/dev/null 2>&1; then
    told timer systemd "$(systemctl list-timers --all --no-legend --no-pager 2>/dev/null | grep -Ei "$P")"
  fi
  for c in docker podman; do
    if command -v $c >/dev/null 2>&1; then
      told container "$c" "$($c ps --format "{{{{.Names}}}}" 2>/dev/null | grep -Ei "$P")"
    fi
  done
}}
"##
    )
}

/// Reads the jobs of an answer, with the interval where the line tells one.
pub(super) fn read(node: &str, answer: &Lines<'_>) -> Vec<Job> {
    let job = |(name, fields): &(&str, Vec<&str>)| match (*name, fields.as_slice()) {
        ("job", [kind, place, line]) => {
            let (place, line) = (sanitize(place), sanitize(line));
            let (place, interval) = match *kind {
                "cron" => (place, interval(&line)),
                "hourly" => (place, Some(HOUR)),
                "daily" => (place, Some(DAY)),
                "weekly" => (place, Some(7 * DAY)),
                "monthly" => (place, Some(28 * DAY)),
                "timer" => ("a systemd timer".to_owned(), None),
                _ => (format!("a container of {place}"), None),
            };
            Some(Job { node: node.to_owned(), place, line, interval })
        }
        _ => None,
    };
    answer.all.iter().filter_map(job).take(MOST_JOBS).collect()
}

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// How often a crontab's line runs on average, s; none where it is not understood. Months count 28 days, so that nothing is taken for
/// rarer than it is.
fn interval(line: &str) -> Option<u64> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match *words.first()? {
        "@hourly" => return Some(HOUR),
        "@daily" | "@midnight" => return Some(DAY),
        "@weekly" => return Some(7 * DAY),
        "@monthly" => return Some(28 * DAY),
        _ => {}
    }
    let [minute, hour, day, month, weekday, ..] = *words.as_slice() else { return None };
    let in_an_hour = times(minute, 60)?;
    let in_a_day = times(hour, 24)?.checked_mul(in_an_hour)?;
    let days = match (day, weekday) {
        ("*", "*") => 28,
        ("*", weekday) => times(weekday, 7)?.checked_mul(4)?,
        (day, "*") => times(day, 28)?,
        // Either of both will do (crontab(5)).
        (day, weekday) => times(day, 28)?.checked_add(times(weekday, 7)?.checked_mul(4)?)?,
    };
    let runs = days.checked_mul(in_a_day)?.checked_mul(times(month, 12)?)?;
    (runs > 0).then(|| 12 * 28 * DAY / runs)
}

/// How many of `all` values a field matches.
fn times(field: &str, all: u64) -> Option<u64> {
    let part = |text: &str| {
        let (range, step) = text.split_once('/').map_or((text, Some(1)), |(range, step)| (range, step.parse().ok()));
        let step: u64 = step.filter(|step| *step > 0)?;
        let span = match range.split_once('-') {
            _ if range == "*" => all,
            Some((from, to)) => to.parse::<u64>().ok()?.checked_sub(from.parse().ok()?)?.checked_add(1)?,
            // Names of days and months are single values too.
            None if range.bytes().all(|byte| byte.is_ascii_alphanumeric()) && !range.is_empty() => 1,
            None => return None,
        };
        Some(span.min(all).div_ceil(step))
    };
    field.split(',').map(part).try_fold(0u64, |sum, one| sum.checked_add(one?)).map(|sum| sum.min(all))
}

#[cfg(test)]
mod tests {
    use super::super::script;
    use super::*;

    #[test]
    fn how_often_a_crontabs_line_runs_is_reckoned() {
        for (line, every) in [
            ("0 3 * * * keystone keystone-manage fernet_rotate", Some(DAY)),
            ("30 * * * * x", Some(HOUR)),
            ("*/15 * * * * x", Some(900)),
            ("0 0,12 * * * x", Some(12 * HOUR)),
            ("0 0 * * 0 x", Some(7 * DAY)),
            ("0 0 * * sun,wed x", Some(7 * DAY / 2)),
            ("0 0 1 * * x", Some(28 * DAY)),
            ("0 0 1 1 * x", Some(12 * 28 * DAY)),
            ("0 1-3 * * * x", Some(8 * HOUR)),
            ("@daily x", Some(DAY)),
            ("@reboot x", None),
            ("keystone-manage fernet_rotate", None),
            ("? 3 * * * x", None),
            ("*/0 3 * * * x", None),
        ] {
            assert_eq!(interval(line), every, "{line}");
        }
    }

    #[test]
    fn jobs_are_read_with_their_place() {
        let text = "@job\tcron\t/etc/cron.d/keystone\t0 3 * * * keystone X=... keystone-manage fernet_rotate\n\
                    @job\tdaily\t/etc/cron.daily/rotate\trun by cron.daily\n@job\tcontainer\tdocker\tkeystone_fernet\n@end\n";
        let jobs = read("node1", &script::lines(text.as_bytes()).unwrap());
        let told: Vec<_> = jobs.iter().map(|job| (job.place.as_str(), job.interval)).collect();
        assert_eq!(
            told,
            [
                ("/etc/cron.d/keystone", Some(DAY)),
                ("/etc/cron.daily/rotate", Some(DAY)),
                ("a container of docker", None)
            ]
        );
    }

    #[test]
    fn values_of_assignments_and_other_lines_stay_on_the_node() {
        let script =
            format!("{}{}printf \"OS_PASSWORD=secret a=b fernet_rotate\\n\" | shown\n", script::HEAD, function());
        let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "OS_PASSWORD=... a=... fernet_rotate\n");
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    #[test]
    fn the_deployment_tools_own_jobs_are_recognised() {
        let found = |line: &str| {
            let grep =
                std::process::Command::new("grep").args(["-Eiq", NAMES]).stdin(std::process::Stdio::piped()).spawn();
            let mut grep = grep.unwrap();
            std::io::Write::write_all(&mut grep.stdin.take().unwrap(), line.as_bytes()).unwrap();
            grep.wait().unwrap().success()
        };
        for line in [
            "keystone-manage fernet_rotate",
            "/usr/bin/fernet-rotate.sh",
            "/usr/bin/fernet-push.sh",
            "/opt/keystone-fernet-rotate.sh",
            "keystone-manage token_rotate",
            "keystone_fernet",
            "keystone-fernet-rotate-27",
            "/tmp/fernet-manage.py fernet_rotate",
        ] {
            assert!(found(line), "{line}");
        }
        assert!(!found("keystone-manage credential_setup") && !found("logrotate"));
    }
}
