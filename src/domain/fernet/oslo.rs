//! Configuration files as oslo.config reads them (oslo_config/iniparser.py and cfg.py): sections, comments, continuation lines,
//! quotes, substitution, the last one wins. What the options mean is `settings`.

use std::collections::BTreeMap;

/// Most bytes of one file that are read.
pub const LARGEST: usize = 1024 * 1024;

/// Deepest substitution of one value in another; Python's own recursion has no such bound, and a ring would have no end.
const DEEPEST: usize = 8;

/// One configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path, for messages.
    pub path: String,
    /// Its text. Only the wanted options of it should ever come from a node: the rest holds passwords.
    pub text: String,
}

/// Why oslo.config refuses a file; Keystone does not start with it. The line itself is never repeated: it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}, line {line}: {why}")]
pub struct Broken {
    /// Which file.
    pub path: String,
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: &'static str,
}

/// The options of all files together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// By section (lower case, but `DEFAULT`) and key.
    values: BTreeMap<(String, String), Vec<String>>,
}

impl Options {
    /// Reads files in the order in which Keystone gets them: what a later one says counts.
    ///
    /// Errors: a line that oslo.config does not understand, or a file above [`LARGEST`].
    pub fn read(files: &[File]) -> Result<Self, Broken> {
        let mut all = Self::default();
        for file in files {
            let mut of_file = Self::default();
            of_file.read_one(file)?;
            // Not merged value by value: an option that may be given several times is taken from one file only.
            all.values.append(&mut of_file.values);
        }
        Ok(all)
    }

    fn read_one(&mut self, file: &File) -> Result<(), Broken> {
        let mut section: Option<String> = None;
        let mut open: Option<(String, Vec<String>)> = None;
        let broken = |line: usize, why| Broken { path: file.path.clone(), line, why };
        if file.text.len() > LARGEST {
            return Err(broken(1, "the file is larger than 1 MiB"));
        }
        for (at, raw) in file.text.lines().enumerate() {
            let (number, line) = (at + 1, raw.trim_end());
            let begins_with_space = line.starts_with([' ', '\t']);
            if begins_with_space {
                match &mut open {
                    Some((_, value)) => value.push(line.trim_start().to_owned()),
                    None => return Err(broken(number, "a continuation of nothing (the line begins with a space)")),
                }
                continue;
            }
            self.close(&section, open.take()).map_err(|why| broken(number, why))?;
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(head) = line.strip_prefix('[') {
                let name = head.strip_suffix(']').ok_or_else(|| broken(number, "a section without its ]"))?;
                if name.is_empty() {
                    return Err(broken(number, "a section without a name"));
                }
                section = Some(normalized(name));
                continue;
            }
            let split = line.find([':', '=']).ok_or_else(|| broken(number, "neither : nor = in it"))?;
            let (key, value) = (line[..split].trim(), unquoted(line[split + 1..].trim()));
            if key.is_empty() {
                return Err(broken(number, "an option without a name"));
            }
            open = Some((key.to_owned(), vec![value.to_owned()]));
        }
        let last = file.text.lines().count();
        self.close(&section, open).map_err(|why| broken(last, why))
    }

    fn close(&mut self, section: &Option<String>, open: Option<(String, Vec<String>)>) -> Result<(), &'static str> {
        let Some((key, lines)) = open else { return Ok(()) };
        let section = section.as_ref().ok_or("an option before any section")?;
        self.values.entry((section.clone(), key)).or_default().push(lines.join("\n"));
        Ok(())
    }

    /// The value that counts, with what it refers to put in: the last one of the last file that has it.
    pub fn get(&self, section: &str, key: &str) -> Option<String> {
        let raw = self.raw(section, key)?;
        Some(self.substituted(raw, section, 0))
    }

    /// All values of an option that may be given several times (`backend_argument`), of the last file that has it.
    pub fn all(&self, section: &str, key: &str) -> &[String] {
        self.values.get(&(normalized(section), key.to_owned())).map_or(&[], Vec::as_slice)
    }

    fn raw(&self, section: &str, key: &str) -> Option<&str> {
        self.all(section, key).last().map(String::as_str)
    }

    /// `$name`, `${name}` and `${section.name}` as oslo.config puts them in; `$$` is a dollar sign. What is not known stays as
    /// it is.
    fn substituted(&self, text: &str, section: &str, depth: usize) -> String {
        if depth == DEEPEST {
            return text.to_owned();
        }
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            out.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('$') {
                out.push('$');
                rest = after;
                continue;
            }
            let (name, length) = reference(rest);
            let found = match name.split_once('.') {
                Some((group, key)) => self.raw(group, key).map(|raw| (raw, group)),
                // Within the section first, as `GroupAttr` of oslo.config looks it up.
                None => self
                    .raw(section, name)
                    .map(|raw| (raw, section))
                    .or(self.raw("DEFAULT", name).map(|r| (r, "DEFAULT"))),
            };
            match found {
                Some((raw, group)) if length > 0 => out.push_str(&self.substituted(raw, group, depth + 1)),
                _ => {
                    out.push('$');
                    out.push_str(&rest[..length]);
                }
            }
            rest = &rest[length..];
        }
        out.push_str(rest);
        out
    }
}

/// The name behind a dollar sign, and how many bytes it takes with its braces; 0 where there is none.
fn reference(rest: &str) -> (&str, usize) {
    let inner = rest.strip_prefix('{').unwrap_or(rest);
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let length = inner.find(|c| !is_name(c)).unwrap_or(inner.len());
    let name = &inner[..length];
    let braced = inner.len() != rest.len();
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || braced && !inner[length..].starts_with('}')
    {
        return ("", 0);
    }
    (name, if braced { length + 2 } else { length })
}

fn normalized(section: &str) -> String {
    if section == "DEFAULT" { section.to_owned() } else { section.to_lowercase() }
}

/// One pair of equal quotes around the value goes. A lone quote is its own first and last character and goes whole, as in Python.
fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        if value.starts_with(quote) && value.ends_with(quote) {
            return if value.len() < 2 { "" } else { &value[1..value.len() - 1] };
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(texts: &[&str]) -> Result<Options, Broken> {
        let file = |(at, text): (usize, &&str)| File { path: format!("{at}.conf"), text: (*text).to_owned() };
        Options::read(&texts.iter().enumerate().map(file).collect::<Vec<_>>())
    }

    #[test]
    fn it_is_read_as_oslo_config_reads_it() {
        let text = "# [token]\n; x\n[Token]\nexpiration=1\nexpiration : 2 # no comment\n[other]\n[token]\n\
                    quoted = \"a b\"\nlone = '\nlong = one\n\ttwo\n   three\n\nempty =\ncolon:a=b\nequal=a:b\n";
        let options = read(&[text]).unwrap();
        let get = |key| options.get("token", key);
        assert_eq!(get("expiration").unwrap(), "2 # no comment", "a comment is a whole line");
        assert_eq!(get("quoted").unwrap(), "a b");
        assert_eq!(get("lone").unwrap(), "");
        assert_eq!(get("long").unwrap(), "one\ntwo\nthree");
        assert_eq!(
            (get("empty").unwrap(), get("colon").unwrap(), get("equal").unwrap()),
            ("".into(), "a=b".into(), "a:b".into())
        );
        assert_eq!((get("missing"), options.get("TOKEN", "quoted")), (None, Some("a b".into())));
    }

    #[test]
    fn a_later_file_counts_and_several_values_come_from_one_file() {
        let options = read(&["[a]\nx=1\ny=1\nm=1\nm=2\n", "[a]\nx=2\nm=3\n"]).unwrap();
        assert_eq!((options.get("a", "x"), options.get("a", "y")), (Some("2".into()), Some("1".into())));
        assert_eq!(options.all("a", "m"), ["3"]);
        assert_eq!(read(&["[a]\nm=1\nm=2\n"]).unwrap().all("a", "m"), ["1", "2"]);
    }

    #[test]
    fn values_refer_to_one_another_and_a_ring_ends() {
        let text = "[DEFAULT]\nbase=/srv\nring=$ring\n[a]\np=$base/x\nq=${b.r}/y\ns=$$5 $none ${none} $\nt=$ring\n[b]\nr=$base/b\n";
        let options = read(&[text]).unwrap();
        let got = ["p", "q", "s", "t"].map(|key| options.get("a", key).unwrap());
        assert_eq!(got, ["/srv/x", "/srv/b/y", "$5 $none ${none} $", "$ring"]);
    }

    #[test]
    fn what_oslo_config_refuses_is_refused_with_its_line_and_without_its_text() {
        for (text, line, says) in [
            ("[a]\nsecret-word\n", 2, "neither"),
            ("  secret-word = 1\n", 1, "continuation"),
            ("[a]\n\n x\n", 3, "continuation"),
            ("[a\n", 1, "]"),
            ("[]\n", 1, "name"),
            ("[a]\n= secret-word\n", 2, "name"),
            ("secret-word=1\n[a]\n", 2, "before any section"),
        ] {
            let broken = read(&[text]).unwrap_err();
            assert_eq!(broken.line, line, "{text:?}");
            assert!(broken.why.contains(says) && !broken.to_string().contains("secret-word"), "{broken}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[\\[\\]=:#; \\t\\n'\"$a-c{}é.]{0,80}") {
            if let Ok(options) = read(&[&text]) {
                for (section, key) in options.values.keys() {
                    proptest::prop_assert!(options.get(section, key).is_some());
                }
            }
        }
    }
}
