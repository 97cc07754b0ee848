//! The reader of configuration files against oslo.config's own parser, over some thousand texts. Ignored unless asked for:
//! `FERNET_PYTHON` is a Python that has oslo.config, such as the one that Keystone was installed with.

#![allow(clippy::unwrap_used)] // the lint knows test functions, not the closures that they call

use std::collections::BTreeMap;

/// What oslo.config's own parser makes of a text: `LINE` of its error, or every value in its order.
const PARSER: &str = r#"
import json, sys
from oslo_config import iniparser, cfg
class P(iniparser.BaseParser):
    def __init__(self): super().__init__(); self.section = None; self.found = []
    def new_section(self, section): self.section = section
    def assignment(self, key, value):
        if not self.section: raise iniparser.ParseError("x", self.lineno, "")
        self.found.append([cfg._normalize_group_name(self.section), key, "\n".join(value)])
out = []
for text in json.load(sys.stdin):
    p = P()
    try:
        p.parse(text.splitlines(keepends=True)); out.append(p.found)
    except iniparser.ParseError as e: out.append(e.lineno)
json.dump(out, sys.stdout)
"#;

#[test]
#[ignore = "needs a Python with oslo.config: FERNET_PYTHON"]
fn configuration_is_read_as_oslo_configs_own_parser_reads_it() {
    use changeguard::domain::fernet::oslo::{File, Options};
    use std::io::Write as _;
    let pieces = [
        "[a]",
        "[A]",
        "[DEFAULT]",
        "[default]",
        "[b",
        "[]",
        "[a] ",
        "x = 1",
        "x: 2",
        "y=\"q r\"",
        "y='",
        "y=''",
        "z = 'a\"",
        " cont",
        "\tcont  ",
        "",
        "   ",
        "# c",
        "; c",
        " # c",
        "= 1",
        "word",
        "x=a=b:c",
        "x:a=b",
        "x = ",
        "long key=v",
        "é=ü",
    ];
    // Every pair and many longer texts, always the same ones.
    let mut state = 88_172_645_463_325_252u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    let mut texts: Vec<String> =
        pieces.iter().flat_map(|a| pieces.iter().map(move |b| format!("[s]\n{a}\n{b}\n"))).collect();
    for _ in 0..5000 {
        let count = 1 + next(8);
        let lines: Vec<&str> = (0..count).map(|_| pieces[next(pieces.len())]).collect();
        texts.push(lines.join("\n"));
    }
    let mut python = std::process::Command::new(std::env::var("FERNET_PYTHON").expect("FERNET_PYTHON is set"));
    let mut python = python
        .args(["-c", PARSER])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(serde_json::to_string(&texts).unwrap().as_bytes()).unwrap();
    let answer = python.wait_with_output().unwrap();
    let theirs: Vec<serde_json::Value> = serde_json::from_slice(&answer.stdout).unwrap();
    assert_eq!(theirs.len(), texts.len());
    let mut refused = 0;
    for (text, theirs) in texts.iter().zip(theirs) {
        match (Options::read(&[File { path: "x".into(), text: text.clone() }]), theirs) {
            (Err(broken), serde_json::Value::Number(line)) => {
                refused += 1;
                assert_eq!(Some(broken.line as u64), line.as_u64(), "{text:?}");
            }
            (Ok(ours), serde_json::Value::Array(found)) => {
                let mut theirs: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
                for one in found {
                    let [section, key, value] = [0, 1, 2].map(|at| one[at].as_str().unwrap().to_owned());
                    theirs.entry((section, key)).or_default().push(value);
                }
                for ((section, key), values) in theirs {
                    assert_eq!(ours.all(&section, &key), values, "{text:?}");
                }
            }
            (ours, theirs) => panic!("{text:?}: {ours:?}, and oslo.config: {theirs}"),
        }
    }
    assert!(refused > 500 && refused < texts.len() - 500, "{refused} of {}", texts.len());
}
