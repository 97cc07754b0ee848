//! The README's picture, drawn by the program itself: the screen of the demo in the middle of a rotation, as an SVG.

use crate::pty::{PATIENCE, Program};
use crate::terminal::{confirm_all, insist, open, plan};
use std::fmt::Write;
use vt100::{Cell, Color, Screen};

const COLUMNS: u16 = 120;
const ROWS: u16 = 40;
/// Of a cell, in px; the usual proportion of a monospace font at 14 px.
const CELL: (f32, f32) = (8.43, 19.0);
const MARGIN: f32 = 16.0;
const BACKGROUND: &str = "#15181e";
const FOREGROUND: &str = "#c9d1d9";
const PALETTE: [&str; 16] = [
    "#484f58", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#b1bac4", "#8b949e", "#ffa198",
    "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#f0f6fc",
];

/// How a run of cells looks.
#[derive(Clone, PartialEq)]
struct Look {
    ink: String,
    ground: Option<String>,
    bold: bool,
    dim: bool,
    underline: bool,
}

fn colour(color: Color, default: &str) -> String {
    match color {
        Color::Default => default.to_owned(),
        Color::Idx(at @ 16..232) => {
            let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
            let (red, green, blue) = ((at - 16) / 36, (at - 16) / 6 % 6, (at - 16) % 6);
            format!("#{:02x}{:02x}{:02x}", level(red), level(green), level(blue))
        }
        Color::Idx(at @ 232..) => format!("#{0:02x}{0:02x}{0:02x}", 8 + 10 * (at - 232)),
        Color::Idx(at) => PALETTE.get(usize::from(at)).map_or(default, |hex| hex).to_owned(),
        Color::Rgb(r, g, b) => format!("#{r:02x}{g:02x}{b:02x}"),
    }
}

fn look(cell: &Cell) -> Look {
    let (ink, ground) = (colour(cell.fgcolor(), FOREGROUND), colour(cell.bgcolor(), BACKGROUND));
    let (ink, ground) = if cell.inverse() { (ground, ink) } else { (ink, ground) };
    let ground = (ground != BACKGROUND).then_some(ground);
    Look { ink, ground, bold: cell.bold(), dim: cell.dim(), underline: cell.underline() }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The runs of a row: first column, cells, look, text.
fn runs(screen: &Screen, row: u16) -> Vec<(u16, u16, Look, String)> {
    let mut runs: Vec<(u16, u16, Look, String)> = Vec::new();
    for column in 0..COLUMNS {
        let Some(cell) = screen.cell(row, column).filter(|cell| !cell.is_wide_continuation()) else { continue };
        let text = if cell.has_contents() { cell.contents() } else { " " };
        let width = if cell.is_wide() { 2 } else { 1 };
        match runs.last_mut() {
            Some((_, cells, same, line)) if *same == look(cell) => {
                *cells += width;
                line.push_str(text);
            }
            _ => runs.push((column, width, look(cell), text.to_owned())),
        }
    }
    runs
}

/// The screen as an SVG document.
fn svg(screen: &Screen) -> String {
    let (width, height) = (f32::from(COLUMNS) * CELL.0 + 2.0 * MARGIN, f32::from(ROWS) * CELL.1 + 2.0 * MARGIN);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
         height=\"{height:.0}\" font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" \
         font-size=\"14\">\n<title>changeguard: the dashboard of a tenant while clients come back</title>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{BACKGROUND}\"/>\n"
    );
    for row in 0..ROWS {
        let top = MARGIN + f32::from(row) * CELL.1;
        for (column, cells, look, text) in runs(screen, row) {
            let (left, wide) = (MARGIN + f32::from(column) * CELL.0, f32::from(cells) * CELL.0);
            if let Some(ground) = &look.ground {
                let high = CELL.1;
                let _ = writeln!(
                    out,
                    "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{wide:.1}\" height=\"{high:.1}\" fill=\"{ground}\"/>"
                );
            }
            if text.trim().is_empty() {
                continue;
            }
            let kept = text.trim_start_matches(' ');
            let skipped = (text.len() - kept.len()) as f32;
            let kept = kept.trim_end_matches(' ');
            let (left, wide) = (left + skipped * CELL.0, wide - (text.len() - kept.len()) as f32 * CELL.0);
            let mut style = String::new();
            if look.ink != FOREGROUND {
                let _ = write!(style, " fill=\"{}\"", look.ink);
            }
            if look.bold {
                style.push_str(" font-weight=\"bold\"");
            }
            if look.dim {
                style.push_str(" opacity=\"0.65\"");
            }
            if look.underline {
                style.push_str(" text-decoration=\"underline\"");
            }
            let base = top + CELL.1 * 0.74;
            // Each run is as long as its cells, whatever font the reader has.
            let _ = writeln!(
                out,
                "<text x=\"{left:.1}\" y=\"{base:.1}\" textLength=\"{wide:.1}\" lengthAdjust=\"spacingAndGlyphs\" \
                 xml:space=\"preserve\"{style}>{}</text>",
                escaped(kept)
            );
        }
    }
    let style = format!(" fill=\"{FOREGROUND}\">");
    out = out.replacen("font-size=\"14\">", &format!("font-size=\"14\"{style}"), 1);
    out.push_str("</svg>\n");
    out
}

#[test]
#[ignore = "writes assets/dashboard.svg"]
fn the_picture_of_the_readme_is_drawn_by_the_program() {
    let arguments = ["demo", "--pace", "human", "--reconcile-interval", "2", "--clients", "14"];
    let mut program = Program::start(&arguments, &[], COLUMNS, ROWS);
    program.shows("acme");
    open(&mut program, "acme", 14);
    plan(&mut program);
    insist(&mut program, "n", "kind: (announcement)");
    program.shows("Subject:");
    program.keys("\racme\r").shows("sent 14 of 14");
    program.keys("\x1b").hides("To whom");
    confirm_all(&mut program, 14);
    insist(&mut program, "r", "Rotate the server key of acme");
    program.keys("\x15acme\r").shows("0 of 14 back");
    insist(&mut program, "n", "kind: (reconfigure)");
    program.shows("Subject:");
    program.keys("\racme\r").shows("sent 14 of 14");
    program.keys("\x1b").hides("To whom");
    program.wait("some who are back", 3 * PATIENCE, |screen| screen.contains("6 of 14 back"));
    let picture = program.look(svg);
    assert!(picture.len() < 100_000, "{} bytes", picture.len());
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/dashboard.svg");
    std::fs::write(path, picture).unwrap();
}
