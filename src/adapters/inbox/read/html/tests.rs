//! HTML as browsers show it, and what they leave out.

use super::*;
use crate::domain::letter::Line;

fn read(html: &str) -> Vec<Line> {
    let mut into = Lines::default();
    lines(html, false, &mut into);
    into.into_body().lines
}

fn looks(html: &str, text: &str) -> Vec<Look> {
    read(html).into_iter().filter(|line| line.text.contains(text)).map(|line| line.look).collect()
}

#[test]
fn what_browsers_show_is_not_passed_over() {
    for html in [
        "<p>Confirmed</p><xml>only if</xml>",
        "<p>Confirmed</p><head>only if</head>",
        "<p>Confirmed</p><head><p>only if</p></head>",
        "<html><head>only if</head><body>Confirmed</body>",
        "<p>Confirmed</p><!--[if mso]><style>p{}</style><p>only if</p><![endif]-->",
        "<p>Confirmed</p><!--[if gte mso 9]><xml></xml><p>only if</p><![endif]-->",
        "<p>Confirmed</p><!--[if mso]><xml>only if<![endif]-->",
        "<p>Confirmed</p><xmp><!-- only if --></xmp>",
        "<p>Confirmed</p><plaintext><!-- only if -->",
        "<p>Confirmed</p><textarea><!-- only if --></textarea>",
        "<p>Confirmed</p><listing>only if</listing>",
        "<p>Confirmed</p><svg><title><p>only if</title></svg>",
        "<p>Confirmed</p><template>only if</template>",
        "<p>Confirmed</p><unknown>only if</unknown>",
        "<p>Confirmed</p></body></html>only if",
    ] {
        assert!(!looks(html, "only if").is_empty(), "{html}: {:?}", read(html));
    }
    assert!(looks("<title>only if</title><style>a{}</style><script>only if</script>x", "only if").is_empty());
    let office = "<!--[if gte mso 9]><xml><w:View>Normal</w:View><w:Zoom>0</w:Zoom></xml><![endif]-->\
                  <!--[if !mso]><style>v\\:* {behavior:url(#default#VML);}</style><![endif]-->Confirmed";
    assert_eq!(read(office).len(), 1, "{:?}", read(office));
}

#[test]
fn what_is_struck_or_coloured_goes_on_across_a_paragraph() {
    for html in [
        "<p>Hi<s></p><p>Confirmed.",
        "<p>Hi<strike></p><p>Confirmed.</p>",
        "<p>Hi<del></p><div>Confirmed.</div>",
        "<ul><li><s>Hi<li>Confirmed.</ul>",
        "<p>Hi<font color=white></p><p style=\"color:black\">Confirmed.</p>",
        "<body text=white><p>Confirmed.",
        "<body><p style=\"color:white\"><s>x</p>Confirmed.",
        "<span style=\"display:none\"><div>x</span>Confirmed.</div>",
        "<b><div style=\"display:none\">x</b>Confirmed.</div>",
        "<font style=\"font-size:.5em\"><font style=\"font-size:.5em\">Confirmed.",
        "<p>x</p><body style=\"color:white\">Confirmed.",
        "<body><div style=\"color:white\"></body>Confirmed.",
        "<style>body{display:none}</style>Confirmed.",
        "<div dir=rtl>Confirmed.</div>",
        "<td background=x.png>Confirmed.</td>",
        "<div popover>Confirmed.</div>",
    ] {
        assert!(!looks(html, "Confirmed.").contains(&Look::Plain), "{html}: {:?}", read(html));
    }
    for html in [
        "<p>Hi<s>x</s></p><p>Confirmed.</p>",
        "<table><tr><td><s>x<td>Confirmed.</table>",
        "<p style=\"display:none\">x<p>Confirmed.",
        "<s><p>x</s>Confirmed.</p>",
        "<html><head><title>x</title></head><body bgcolor=\"#ffffff\" text=\"#000000\" link=\"#0563C1\"><p>Confirmed.</p></body></html>",
        "<a href=x style=\"color:#fff;background:#004080\">Confirmed.</a>",
        "<div style=\"display:none\">x</div>Confirmed.",
    ] {
        assert_eq!(looks(html, "Confirmed."), [Look::Plain], "{html}: {:?}", read(html));
    }
}

#[test]
fn what_is_laid_over_the_text_is_told() {
    for html in [
        "<p>Confirmed.</p><hr style=\"width:90px;margin-top:-26px;position:relative\">",
        "<div>Confirmed<div style=\"border-top:2px solid red;position:absolute;top:50%;width:100%\"></div></div>",
        "<link rel=stylesheet href=\"x.css\">Confirmed",
        "<p>Confirmed</p><img src=\"data:image/svg+xml,x\">",
        "<p style=\"background:url(x)\">Confirmed</p>",
    ] {
        assert!(read(html).iter().any(|line| line.look == Look::Aside), "{html}");
    }
}

#[test]
fn much_that_is_left_open_takes_no_time() {
    let start = std::time::Instant::now();
    read(&"<p><font size=1><b id=x></p>".repeat(2_000));
    read(&"<s><div>".repeat(5_000));
    let many: String = (0..2_000).map(|at| format!("<p><font size={at}></p>")).collect();
    assert!(read(&format!("{many}x")).iter().any(|line| line.look == Look::Aside));
    let rules: String = (0..2_500).map(|at| format!(".a{at}{{color:red}}")).collect();
    read(&format!("<style>{rules}</style>{}", "<p><font><i><b></p>".repeat(1_000)));
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}
