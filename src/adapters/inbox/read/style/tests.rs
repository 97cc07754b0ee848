//! Styles that are allowed, and that everything else hides.

use super::*;

fn painted(style: &str) -> Paint {
    let mut paint = Paint::default();
    paint.take(&[], &[&Unit::new(style)]);
    paint
}

fn is_seen(paint: &Paint) -> bool {
    !paint.hidden && !paint.struck && paint.is_legible()
}

#[test]
fn whatever_is_not_known_to_change_nothing_hides() {
    for style in [
        "display:none",
        "visibility: hidden",
        "font-size:0",
        "font-size:1px",
        "font-size:1%",
        "font-size:.3em",
        "font-size:calc(0px)",
        "opacity:0",
        "opacity:0.4",
        "color:transparent",
        "color:rgba(0,0,0,0)",
        "color:rgb(0 0 0 / 0%)",
        "color:rgb(0 0 0 / 40%)",
        "color:#0000",
        "color:hsla(0,0%,0%,0)",
        "color:var(--x)",
        "color:black white",
        "color:#ffffff",
        "color: white",
        "color:yellow",
        "color:rgb(255, 255, 255)",
        "color:#fdfdfd",
        "color:hsl(0, 0%, 100%)",
        "color:#000;background:#000",
        "color:black;color:white",
        "font:0/0 a",
        "font:12px/0 a",
        "max-height:0px",
        "transform:translateX(-9999px)",
        "transform:scaleX(0)",
        "transform:rotateX(90deg)",
        "position:absolute;right:-9999px",
        "position:fixed;top:200vh",
        "margin-top:-9999px",
        "margin-top:-26px",
        "margin-left:9999px",
        "line-height:0;overflow:hidden;display:inline-block",
        "display:/**/none",
        "display:n\\6fne",
        "visibility:hid\\64 en",
        "text-decoration:line-thro\\75gh",
        "letter-spacing:-2em",
        "filter:opacity(0)",
        "zoom:0",
        "scale:0",
        "content-visibility:hidden",
        "text-indent:-99em",
        "text-indent:-30px",
        "width:1px;height:1px;overflow:hidden",
        "-webkit-mask:linear-gradient(transparent,transparent)",
        "float:right",
        "display:flex",
        "order:1",
        "direction:rtl",
        "unicode-bidi:bidi-override",
        "display:table-header-group",
        "background-image:url(x.svg)",
        "background:url('data:image/svg+xml,<svg>')",
        "text-decoration:line-through",
        "-webkit-text-decoration:line-through",
        "text-decoration:var(--a)",
        "text-decoration-thickness:1em",
        "list-style:'not '",
        "list-style-type:\"not\"",
        "quotes:'not'",
        "mso-hide:all",
        "mso-text-raise:20pt",
        "box-shadow:inset 0 0 9px #fff",
        "writing-mode:vertical-rl",
        "vertical-align:-40px",
        "all:unset",
        "broken",
    ] {
        assert!(!is_seen(&painted(style)), "{style}");
    }
}

#[test]
fn what_programs_write_is_seen() {
    for style in [
        "color:#666666",
        "color:#B5B5B5",
        "color:gray",
        "background:#004080;color:white",
        "background: #FFEB9C",
        "font-size:11.0pt",
        "font-size:0.8em",
        "font-size: small",
        "width:0.1px",
        "width:98%",
        "margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex",
        "border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm",
        "border-left: 2.0px solid rgb(195,217,229);margin: 10.0px 5.0px 5.0px 10.0px;padding: 10.0px 0 10.0px 10.0px",
        "overflow-wrap: break-word; -webkit-nbsp-mode: space; line-break: after-white-space;",
        "font-family: Aptos, \"Helvetica Neue\", Calibri, sans-serif; font-size: 12pt; color: rgb(0, 0, 0);",
        "font:normal 12px/1.5 Arial, sans-serif",
        "mso-style-priority:99;mso-fareast-language:EN-US;mso-margin-top-alt:auto",
        "font-variant-ligatures:normal;orphans:2;text-align:start;text-indent:0px;text-transform:none;widows:2;\
         word-spacing:0px;-webkit-text-stroke-width:0px;white-space:normal;text-decoration-thickness:initial;\
         text-decoration-style:initial;text-decoration-color:initial;letter-spacing:normal;display:inline!important;float:none",
        "color:hsl(210 50% 40%)",
        "color:rgba(0,0,0,0.87)",
        "color:rgb(0 0 0 / 80%)",
        "color:inherit;text-decoration:none",
        "color:#0563C1;text-decoration:underline",
        "background-color: rgb(255, 255, 255); display: inline-block; max-width: 600px",
        "border-radius: 4px; line-height: 1.5; vertical-align: top",
        "background-image:initial;background-position:initial;background-size:initial;background-repeat:initial",
        "direction:ltr;caret-color: rgb(0, 0, 0)",
        "--x:1",
    ] {
        let paint = painted(style);
        assert!(is_seen(&paint), "{style}: {paint:?}");
    }
}

#[test]
fn small_and_faint_add_up() {
    let mut paint = Paint::default();
    for _ in 0..4 {
        paint.take(&[], &[&Unit::new("font-size:.7em")]);
    }
    assert!(!is_seen(&paint));
    let mut paint = Paint::default();
    for _ in 0..2 {
        paint.take(&[], &[&Unit::new("opacity:0.6")]);
    }
    assert!(!is_seen(&paint));
}

fn by(sheet: &str, name: &str, classes: &str, id: &str) -> (Paint, usize) {
    let mut read = Sheet::default();
    read.read(sheet);
    let mut paint = Paint::default();
    paint.take(&read.of(name, classes, id), &[]);
    (paint, read.content.len())
}

#[test]
fn a_style_sheet_hides_by_class() {
    let sheet = "/* x */ p.MsoNormal{margin:0} @media screen { .note { display: none } } .a:before{content:'only if'}";
    let (paint, added) = by(sheet, "p", "note", "");
    assert!(paint.hidden && added == 1);
    assert!(is_seen(&by(sheet, "p", "msonormal", "").0));
    for selector in
        [".x.y", "p[data-x]", "[data-x]", "div > p", "p.x:first-child", "*", "p:not(.z)", "#i.x", "p:is(.x, .y)"]
    {
        let sheet = format!("{selector}{{text-decoration:line-through}}");
        assert!(by(&sheet, "p", "x y", "i").0.struck, "{selector}");
        let other = by(&sheet, "td", "z", "").0.struck;
        assert_eq!(other, ["[data-x]", "*"].contains(&selector), "{selector}");
    }
}

#[test]
fn a_rule_is_found_wherever_it_stands() {
    for sheet in [
        ".a{color:red;.b{color:blue}display:none}",
        ".a{&{display:none}}",
        "@media print{@supports (x:y){.a{display:none}}}",
        ".a{display:none",
        "<!-- .a{display:none} -->",
        ".\\61{display:none}",
        ".a{display:/**/none}",
        ".a{position:absolute}",
        ".a{color:white}p{color:black}",
        "p{color:black}.never p{color:black}.a{color:white}",
        "p{color:white!important}",
    ] {
        assert!(!is_seen(&by(sheet, "p", "a", "").0), "{sheet}");
    }
    for sheet in [
        "@import url(x.css);",
        "@import 'x'; p{margin:0}",
        "p::before{content:attr(title)}",
        "p::before{content:open-quote}",
        "p::before{content:\"only if\"}",
        ".a{font-family:\"/*\"} .b{display:none} .c{font-family:\"*/\"}",
        "@font-face{font-family:x;src:url(x.woff)}",
        "@counter-style x{symbols:'not'}",
    ] {
        assert!(by(sheet, "p", "", "").1 > 0, "{sheet}");
    }
    let outlook = "<!--\n/* Font Definitions */\n@font-face\n\t{font-family:\"Cambria Math\";\n\tpanose-1:2 4 5 3 5 4 6 3 2 4;}\n/* Style Definitions */\np.MsoNormal, li.MsoNormal, div.MsoNormal\n\t{margin:0cm;\n\tfont-size:11.0pt;\n\tfont-family:\"Calibri\",sans-serif;\n\tmso-ligatures:standardcontextual;\n\tmso-fareast-language:EN-US;}\na:link, span.MsoHyperlink\n\t{mso-style-priority:99;\n\tcolor:#0563C1;\n\ttext-decoration:underline;}\n.MsoChpDefault\n\t{mso-style-type:export-only;}\n@page WordSection1\n\t{size:612.0pt 792.0pt;\n\tmargin:70.85pt 70.85pt 2.0cm 70.85pt;}\ndiv.WordSection1\n\t{page:WordSection1;}\nv\\:* {behavior:url(#default#VML);}\n-->";
    for (name, class) in [("p", "msonormal"), ("a", ""), ("div", "wordsection1"), ("span", "msohyperlink")] {
        let (paint, added) = by(outlook, name, class, "");
        assert!(is_seen(&paint) && added == 0, "{name} {class} {paint:?}");
    }
}

#[test]
fn what_is_behind_the_letters_is_mixed() {
    assert_eq!(over(([0; 3], 255), [9; 3]), [0; 3]);
    assert!(is_seen(&painted("background:rgba(255,255,0,0.2)")));
    assert!(!is_seen(&painted("background:rgba(0,0,0,0.95)")));
    assert!(contrast([0; 3], [255; 3]) > 20.0);
}
