//! Colours in the notations of mails.

/// Red, green, blue.
pub type Rgb = [u8; 3];

/// A colour and how opaque it is, in 255ths.
pub type Colour = (Rgb, u8);

/// One colour over another.
pub fn over((colour, alpha): Colour, behind: Rgb) -> Rgb {
    let alpha = f32::from(alpha) / 255.0;
    let mut mixed = behind;
    for (mixed, over) in mixed.iter_mut().zip(colour) {
        *mixed = (f32::from(over) * alpha + f32::from(*mixed) * (1.0 - alpha)).round() as u8;
    }
    mixed
}

/// The contrast of two colours (WCAG 2), from 1 to 21.
pub fn contrast(one: Rgb, other: Rgb) -> f32 {
    let light = |colour: Rgb| {
        let linear = |channel: u8| {
            let part = f32::from(channel) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(colour[0]) + 0.7152 * linear(colour[1]) + 0.0722 * linear(colour[2]) + 0.05
    };
    let (one, other) = (light(one), light(other));
    one.max(other) / one.min(other)
}

/// `#fff`, `#ffff`, `#ffffff`, `rgb(…)`, `hsl(…)`, and the names that mails use; lower case. `None`: not known.
pub fn colour(text: &str) -> Option<Colour> {
    let text = text.trim().to_ascii_lowercase();
    if let Some(hex) = text.strip_prefix('#') {
        return from_hex(hex);
    }
    for (start, is_hsl) in [("rgba(", false), ("rgb(", false), ("hsla(", true), ("hsl(", true)] {
        if let Some(inner) = text.strip_prefix(start) {
            return from_function(inner.strip_suffix(')')?, is_hsl);
        }
    }
    if text == "transparent" {
        return Some(([0; 3], 0));
    }
    named(&text).map(|rgb| (rgb, 255))
}

fn from_hex(hex: &str) -> Option<Colour> {
    if !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let one = |at: usize| u8::from_str_radix(hex.get(at..at + 1)?, 16).ok().map(|half| half * 17);
    let two = |at: usize| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
    Some(match hex.len() {
        3 => ([one(0)?, one(1)?, one(2)?], 255),
        4 => ([one(0)?, one(1)?, one(2)?], one(3)?),
        6 => ([two(0)?, two(2)?, two(4)?], 255),
        8 => ([two(0)?, two(2)?, two(4)?], two(6)?),
        _ => return None,
    })
}

/// What stands in the brackets of `rgb(…)` and `hsl(…)`.
fn from_function(inner: &str, is_hsl: bool) -> Option<Colour> {
    let parts: Vec<&str> = inner.split([',', ' ', '/']).filter(|part| !part.is_empty()).collect();
    let ([a, b, c] | [a, b, c, _]) = parts[..] else { return None };
    // A number, or a part of a whole.
    let number = |text: &str, whole: f32| match text.strip_suffix('%') {
        Some(part) => part.parse::<f32>().ok().map(|part| part / 100.0 * whole),
        None => text.parse::<f32>().ok(),
    };
    let alpha = parts.get(3).map_or(Some(1.0), |text| number(text, 1.0))?.clamp(0.0, 1.0);
    let rgb = match is_hsl {
        false => {
            let one = |text: &str| number(text, 255.0).map(|one| one.clamp(0.0, 255.0).round() as u8);
            [one(a)?, one(b)?, one(c)?]
        }
        true => {
            let part = |text: &str| Some(text.strip_suffix('%')?.parse::<f32>().ok()?.clamp(0.0, 100.0) / 100.0);
            hsl(a.trim_end_matches("deg").parse().ok()?, part(b)?, part(c)?)
        }
    };
    Some((rgb, (alpha * 255.0).round() as u8))
}

fn hsl(hue: f32, saturation: f32, lightness: f32) -> Rgb {
    let strength = saturation * lightness.min(1.0 - lightness);
    let channel = |at: f32| {
        let k = (at + hue / 30.0).rem_euclid(12.0);
        ((lightness - strength * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0)) * 255.0).round() as u8
    };
    [channel(0.0), channel(8.0), channel(4.0)]
}

fn named(word: &str) -> Option<Rgb> {
    Some(match word {
        "white" | "window" | "canvas" => [255; 3],
        "snow" => [255, 250, 250],
        "ivory" => [255, 255, 240],
        "ghostwhite" => [248, 248, 255],
        "whitesmoke" => [245; 3],
        "black" | "windowtext" | "canvastext" => [0; 3],
        "red" => [255, 0, 0],
        "blue" => [0, 0, 255],
        "navy" => [0, 0, 128],
        "green" => [0, 128, 0],
        "gray" | "grey" => [128; 3],
        "silver" => [192; 3],
        "lightgray" | "lightgrey" => [211; 3],
        "yellow" => [255, 255, 0],
        "orange" => [255, 165, 0],
        "purple" => [128, 0, 128],
        "maroon" => [128, 0, 0],
        "darkred" => [139, 0, 0],
        "teal" => [0, 128, 128],
        "darkcyan" => [0, 139, 139],
        "olive" => [128, 128, 0],
        "darkblue" => [0, 0, 139],
        "midnightblue" => [25, 25, 112],
        "darkgreen" => [0, 100, 0],
        "dimgray" | "dimgrey" => [105; 3],
        "darkgray" | "darkgrey" => [169; 3],
        "slategray" | "slategrey" => [112, 128, 144],
        "steelblue" => [70, 130, 180],
        "royalblue" => [65, 105, 225],
        "crimson" => [220, 20, 60],
        "firebrick" => [178, 34, 34],
        "brown" => [165, 42, 42],
        "fuchsia" | "magenta" => [255, 0, 255],
        "aqua" | "cyan" => [0, 255, 255],
        "lime" => [0, 255, 0],
        "pink" => [255, 192, 203],
        "gold" => [255, 215, 0],
        "tomato" => [255, 99, 71],
        "coral" => [255, 127, 80],
        "orangered" => [255, 69, 0],
        "indigo" => [75, 0, 130],
        _ => return None,
    })
}
