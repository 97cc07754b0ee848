//! A JSON value as what it changes in the one before: a corpus of whole statuses would be too long to be read.

use serde_json::{Map, Value, json};

/// What leads from `from` to `to`: `set` (JSON pointer to value) and `cut` (pointers of what is gone; of an array, all from
/// there on).
pub fn between(from: &Value, to: &Value) -> Value {
    let (mut set, mut cut) = (Map::new(), Vec::new());
    walk("", from, to, &mut set, &mut cut);
    let mut difference = Map::new();
    if !set.is_empty() {
        difference.insert("set".into(), Value::Object(set));
    }
    if !cut.is_empty() {
        difference.insert("cut".into(), cut.into());
    }
    Value::Object(difference)
}

fn walk(at: &str, from: &Value, to: &Value, set: &mut Map<String, Value>, cut: &mut Vec<Value>) {
    let below = |key: &str| format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
    match (from, to) {
        _ if from == to => {}
        (Value::Object(before), Value::Object(after)) => {
            cut.extend(before.keys().filter(|key| !after.contains_key(*key)).map(|key| json!(below(key))));
            for (key, value) in after {
                match before.get(key) {
                    Some(old) => walk(&below(key), old, value, set, cut),
                    None => drop(set.insert(below(key), value.clone())),
                }
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            for (at, value) in after.iter().enumerate() {
                match before.get(at) {
                    Some(old) => walk(&below(&at.to_string()), old, value, set, cut),
                    None => drop(set.insert(below(&at.to_string()), value.clone())),
                }
            }
            if after.len() < before.len() {
                cut.push(json!(below(&after.len().to_string())));
            }
        }
        _ => drop(set.insert(at.to_owned(), to.clone())),
    }
}

/// Takes a difference into a value.
pub fn apply(value: &mut Value, difference: &Value) {
    for pointer in difference["cut"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let (parent, key) = split(pointer);
        match value.pointer_mut(parent) {
            Some(Value::Object(object)) => drop(object.remove(&key)),
            Some(Value::Array(array)) => array.truncate(key.parse().unwrap()),
            _ => panic!("nothing to cut at {pointer}"),
        }
    }
    // In the order of the array, not of the text: /x/9 stands before /x/10.
    let mut set: Vec<(&String, &Value)> = difference["set"].as_object().into_iter().flatten().collect();
    set.sort_by_key(|(pointer, _)| (split(pointer).0.to_owned(), split(pointer).1.parse::<usize>().ok()));
    for (pointer, new) in set {
        if pointer.is_empty() {
            *value = new.clone();
            continue;
        }
        let (parent, key) = split(pointer);
        match value.pointer_mut(parent) {
            Some(Value::Object(object)) => drop(object.insert(key, new.clone())),
            Some(Value::Array(array)) => {
                let at: usize = key.parse().unwrap();
                if at < array.len() { array[at] = new.clone() } else { array.push(new.clone()) }
            }
            _ => panic!("nothing to set at {pointer}"),
        }
    }
}

fn split(pointer: &str) -> (&str, String) {
    let (parent, key) = pointer.rsplit_once('/').unwrap_or(("", pointer));
    (parent, key.replace("~1", "/").replace("~0", "~"))
}

/// The pointers at which two values differ, each with both values.
pub fn pointers(from: &Value, to: &Value) -> Vec<String> {
    let (mut set, mut cut) = (Map::new(), Vec::new());
    walk("", from, to, &mut set, &mut cut);
    let mut found: Vec<String> = set.keys().cloned().collect();
    found.extend(cut.iter().filter_map(Value::as_str).map(str::to_owned));
    found
}

#[test]
fn what_is_between_two_values_leads_from_one_to_the_other() {
    let values = [
        json!(null),
        json!({"a": [1, 2, {"b/c": "d"}], "e": null}),
        json!({"a": [1, 3, {"b/c": "x", "f": []}, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13], "g": {"h~": 1}}),
        json!({"a": [], "g": {"h~": 2}}),
        json!([1, "two"]),
    ];
    for from in &values {
        for to in &values {
            let mut value = from.clone();
            apply(&mut value, &between(from, to));
            assert_eq!(value, *to, "from {from}");
        }
    }
}
