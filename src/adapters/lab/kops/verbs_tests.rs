//! The lab's `kops` held against the transcript of a real one: the same words come to the same lines, ids and times aside.

use super::verbs::tabbed;

const TRANSCRIPT: &str = include_str!("../../../../tests/kops/transcript.txt");

#[test]
fn columns_are_filled_with_tabs_as_the_real_one_fills_them() {
    let lines: Vec<&str> = TRANSCRIPT.lines().collect();
    for head in ["$ kops get keypairs", "$ kops get keypairs --distrusted", "$ kops rolling-update cluster --cloudonly"]
    {
        let from = lines.iter().position(|line| *line == head).unwrap() + 1;
        let rows: Vec<&str> = lines[from..].iter().copied().take_while(|line| line.contains('\t')).collect();
        assert!(rows.len() > 2, "{head}");
        // The cells, by where a terminal shows them.
        let expanded = |line: &str| {
            let mut text = String::new();
            for letter in line.chars() {
                match letter {
                    '\t' => text.push_str(&" ".repeat(8 - text.len() % 8)),
                    letter => text.push(letter),
                }
            }
            text
        };
        let title = expanded(rows[0]);
        let starts: Vec<usize> = (0..title.len())
            .filter(|at| title.as_bytes()[*at] != b' ' && (*at == 0 || title.as_bytes()[*at - 1] == b' '))
            .collect();
        let cells = |line: &str| -> Vec<String> {
            let text = expanded(line);
            let cut = |at: usize| {
                let to = starts.get(at + 1).copied().unwrap_or(text.len()).min(text.len());
                text[starts[at].min(to)..to].trim().to_owned()
            };
            (0..starts.len()).map(cut).collect()
        };
        let cells: Vec<Vec<String>> = rows.iter().map(|row| cells(row)).collect();
        assert_eq!(tabbed(&cells).lines().collect::<Vec<_>>(), rows, "{head}");
    }
}
