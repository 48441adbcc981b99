//! The editor schema: generated from the grammar, checked in, and true to what loads.

#![allow(clippy::disallowed_methods, reason = "a test reads its data")]

use serde_json::Value;
use std::path::Path;
use tcpspec::suite::schema;

#[test]
fn the_schema_that_is_checked_in_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("suites/schema.json");
    let current = schema::json();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == current, "suites/schema.json is stale: run `BLESS=1 cargo test --test suite_schema`");
}

#[test]
fn every_reference_leads_somewhere_and_every_key_is_explained() {
    let schema: Value = serde_json::from_str(&schema::json()).unwrap();
    let definitions = schema["$defs"].as_object().unwrap();
    let mut references = Vec::new();
    collect(&schema, &mut references);
    for reference in &references {
        let name = reference.strip_prefix("#/$defs/").unwrap();
        assert!(definitions.contains_key(name), "{reference}");
    }
    for (name, definition) in definitions {
        for (key, property) in definition["properties"].as_object().unwrap() {
            assert!(property["description"].as_str().is_some_and(|doc| doc.len() > 4), "{name}.{key}");
        }
    }
}

fn collect(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            out.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
            map.values().for_each(|value| collect(value, out));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, out)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
