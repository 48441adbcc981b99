//! The JSON Schema of suites, from the grammar: what an editor completes, checks and explains.

use crate::suite::grammar::{self, Key, Mapping, Shape};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// `{parameter}` may stand for any value.
const TEMPLATE: &str = r"^\{[a-z][a-z0-9_]*\}$";

/// The schema as text, ending in a line break. Checked in as `suites/schema.json`.
pub fn json() -> String {
    let mut definitions = BTreeMap::new();
    define(&grammar::SUITE, &mut definitions);
    define(&grammar::FIXTURES, &mut definitions);
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "tcpspec suite",
        "description": "A suite of cases, or the fixtures that suites share.",
        "if": {"required": ["fixtures"]},
        "then": reference(&grammar::FIXTURES),
        "else": reference(&grammar::SUITE),
        "$defs": definitions,
    });
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

/// The schema of one mapping with all that stands in it, for tables of other modules.
pub fn of(map: &'static Mapping, title: &str, description: &str) -> String {
    let mut definitions = BTreeMap::new();
    define(map, &mut definitions);
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "description": description,
        "$ref": format!("#/$defs/{}", map.id),
        "$defs": definitions,
    });
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

fn reference(map: &Mapping) -> Value {
    json!({"$ref": format!("#/$defs/{}", map.id)})
}

fn define(map: &'static Mapping, definitions: &mut BTreeMap<&'static str, Value>) {
    if definitions.contains_key(map.id) {
        return;
    }
    // Taken before its keys are looked at: steps hold steps.
    definitions.insert(map.id, Value::Null);
    let mut properties = Map::new();
    for key in map.all_keys() {
        properties.insert(key.name.to_owned(), property(key, definitions));
    }
    let names = |wanted: fn(&Key) -> bool| map.all_keys().filter(move |key| wanted(key)).map(|key| key.name);
    let mut schema = json!({
        "type": "object",
        "description": map.doc,
        "properties": properties,
        "additionalProperties": false,
    });
    let required: Vec<_> = names(|key| key.required).collect();
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    let verbs: Vec<_> = names(|key| key.verb).map(|verb| json!({"required": [verb]})).collect();
    if !verbs.is_empty() {
        schema["oneOf"] = json!(verbs);
    }
    definitions.insert(map.id, schema);
}

fn property(key: &'static Key, definitions: &mut BTreeMap<&'static str, Value>) -> Value {
    let mut schema = shape(&key.shape, definitions);
    schema["description"] = json!(key.doc);
    schema
}

fn shape(of: &'static Shape, definitions: &mut BTreeMap<&'static str, Value>) -> Value {
    match of {
        Shape::Any => json!({}),
        Shape::Text => json!({"type": ["string", "number", "boolean"]}),
        Shape::Id => json!({"type": "string", "pattern": "^[a-z0-9{][a-z0-9_{}-]*$"}),
        Shape::Name => json!({"type": "string", "pattern": "^([a-z][a-z0-9_]*|\\{[a-z][a-z0-9_]*\\})$"}),
        Shape::Bool => words(&["true", "false", "yes", "no"]),
        Shape::Words(all) => words(all),
        Shape::Count => json!({"type": "integer", "minimum": 0}),
        Shape::Expr(_) | Shape::Bound => json!({"type": ["string", "integer", "boolean"]}),
        Shape::Flags => json!({"type": "string", "examples": ["SYN", "SYN|ACK", "FIN|ACK|+PSH", "any"]}),
        Shape::Octets => json!({"type": ["string", "integer"], "examples": ["03 00"]}),
        Shape::List(item) => or_template(vec![json!({"type": "array", "items": shape(item, definitions)})]),
        Shape::Dict(value) => {
            or_template(vec![json!({"type": "object", "additionalProperties": shape(value, definitions)})])
        }
        Shape::Map(map) => {
            define(map, definitions);
            or_template(vec![reference(map)])
        }
        Shape::Step => {
            define(&grammar::STEP, definitions);
            or_template(vec![reference(&grammar::STEP)])
        }
        Shape::Either(shapes) => or_template(shapes.iter().map(|one| bare(one, definitions)).collect()),
    }
}

/// A shape without the way out for parameters, which the whole has already.
fn bare(of: &'static Shape, definitions: &mut BTreeMap<&'static str, Value>) -> Value {
    match of {
        Shape::List(item) => json!({"type": "array", "items": shape(item, definitions)}),
        Shape::Dict(value) => json!({"type": "object", "additionalProperties": shape(value, definitions)}),
        Shape::Map(map) => {
            define(map, definitions);
            reference(map)
        }
        other => shape(other, definitions),
    }
}

fn or_template(mut any: Vec<Value>) -> Value {
    any.push(json!({"type": "string", "pattern": TEMPLATE}));
    json!({"anyOf": any})
}

/// YAML reads `4` as a number and `true` as a boolean: each word stands for itself and for those.
fn words(all: &[&str]) -> Value {
    let mut values: Vec<Value> = Vec::new();
    for word in all {
        match (word.parse::<i64>(), *word) {
            (Ok(number), _) => values.push(json!(number)),
            (Err(_), "true") => values.push(json!(true)),
            (Err(_), "false") => values.push(json!(false)),
            (Err(_), word) => values.push(json!(word)),
        }
    }
    json!({"anyOf": [{"enum": values}, {"type": "string", "pattern": TEMPLATE}]})
}
