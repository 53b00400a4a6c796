//! The OpenAPI document against the answers that it describes: a strict reader of the schemas that it is written in.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use crate::fixtures::write_demo;
use serde_json::Value;
use serde_json::json;
use throughline::demo::SEED;
use throughline::demo::Settings;
use throughline::http::openapi_document;
use throughline::http::routes::ROUTES;

use crate::fixtures::World;
use crate::generator::Subject;
use crate::generator::requests;

/// Checks a value against a schema of OpenAPI 3.0.3; a keyword that is not known here is a fault of its own.
fn check(document: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let fault = |what: &str| Err(format!("{at}: {value} {what}, by {schema}"));
    let schema_object = schema.as_object().unwrap();
    if let Some(reference) = schema.get("$ref") {
        if schema_object.len() > 1 {
            return fault("has a schema with members beside $ref, which are not read");
        }
        let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
        let target = document.pointer(pointer).ok_or(format!("{at}: {reference} leads nowhere"))?;
        return check(document, target, value, at);
    }
    if value.is_null() && schema["nullable"] == true {
        return Ok(());
    }
    for (keyword, said) in schema_object {
        let holds = match keyword.as_str() {
            "description" | "default" | "nullable" | "format" => true,
            "type" => match said.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "number" => value.is_number(),
                "integer" => value.is_i64() || value.is_u64(),
                "boolean" => value.is_boolean(),
                other => return fault(&format!("has the type {other:?}")),
            },
            "enum" => said.as_array().unwrap().contains(value),
            "minimum" => value.as_f64().is_none_or(|number| number >= said.as_f64().unwrap()),
            "maximum" => value.as_f64().is_none_or(|number| number <= said.as_f64().unwrap()),
            "minItems" => value.as_array().is_none_or(|list| list.len() as u64 >= said.as_u64().unwrap()),
            "maxItems" => value.as_array().is_none_or(|list| list.len() as u64 <= said.as_u64().unwrap()),
            "required" => {
                let has = |name: &Value| value.get(name.as_str().unwrap()).is_some();
                !value.is_object() || said.as_array().unwrap().iter().all(has)
            }
            "allOf" => {
                for member in said.as_array().unwrap() {
                    check(document, member, value, at)?;
                }
                true
            }
            "oneOf" => {
                let fits = |member: &&Value| check(document, member, value, at).is_ok();
                said.as_array().unwrap().iter().filter(fits).count() == 1
            }
            "items" => {
                for (place, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(document, said, item, &format!("{at}/{place}"))?;
                }
                true
            }
            "properties" => {
                for (name, schema) in said.as_object().unwrap() {
                    if let Some(member) = value.get(name) {
                        check(document, schema, member, &format!("{at}/{name}"))?;
                    }
                }
                true
            }
            "additionalProperties" => {
                let own = |name: &str| schema["properties"].get(name).is_some();
                for (name, member) in value.as_object().into_iter().flatten().filter(|(name, _)| !own(name)) {
                    match said {
                        Value::Bool(true) => {}
                        Value::Bool(false) => return fault(&format!("has {name:?}")),
                        schema => check(document, schema, member, &format!("{at}/{name}"))?,
                    }
                }
                true
            }
            other => return fault(&format!("has a schema with the keyword {other:?}")),
        };
        if !holds {
            return fault(&format!("breaks {keyword}"));
        }
    }
    Ok(())
}

#[test]
fn the_reader_of_schemas_is_strict() {
    let document = json!({"s": {"type": "string"}});
    let good = |schema: Value, value: Value| check(&document, &schema, &value, "").is_ok();
    assert!(good(json!({"$ref": "#/s"}), json!("x")) && !good(json!({"$ref": "#/s"}), json!(1)));
    assert!(!good(json!({"$ref": "#/none"}), json!("x")) && !good(json!({"pattern": "x"}), json!("x")));
    assert!(good(json!({"type": "string", "nullable": true}), json!(null)));
    assert!(!good(json!({"type": "string"}), json!(null)) && !good(json!({"enum": ["a"]}), json!("b")));
    assert!(!good(json!({"type": "integer"}), json!(1.5)) && !good(json!({"minimum": 0}), json!(-1)));
    let object = json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "array", "items": {"type": "number"}, "maxItems": 1}}, "additionalProperties": false});
    assert!(good(object.clone(), json!({"a": [1]})));
    for bad in [json!({}), json!({"a": ["x"]}), json!({"a": [1, 2]}), json!({"a": [], "b": 1}), json!([])] {
        assert!(!good(object.clone(), bad.clone()), "{bad}");
    }
    let either = json!({"oneOf": [{"type": "string"}, {"type": "number"}]});
    assert!(good(either.clone(), json!(1)) && !good(either, json!(true)));
    assert!(!good(json!({"allOf": [{"type": "string"}, {"enum": ["a"]}]}), json!("b")));
}

/// Every route of the program, with every request of the generator: answers are as their schema says, refusals problems.
#[test]
fn answers_are_as_the_document_says() {
    let world = World::new();
    write_demo(world.store.path(), Settings { seed: SEED, scale: 0.1 }).unwrap();
    let server = world.serve();
    let document = server.get("/ogc/api").json();
    let about = Subject {
        collections: &["stations", "legs", "lines", "hubs", "towns", "forces", "addresses", "nothing"],
        ids: &["EUS", "liverpool", "portsmouth", "kent"],
        words: &["Portsmouth", "EUS", "liverpol"],
    };
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for route in ROUTES {
        let operation = &document["paths"][route.path][route.method.as_str().to_ascii_lowercase()];
        assert_eq!(operation["operationId"], route.operation);
        let schema = |status: &str, media_type: &str| {
            operation["responses"][status]["content"][media_type]["schema"].clone()
        };
        for path in requests(route, &about) {
            let reply = server.get(&path);
            let media_type = reply.header("content-type").unwrap_or("").to_owned();
            let (schema, value) = match reply.status {
                200 if route.schema.is_some() => {
                    assert_eq!(media_type, route.media_type, "{path}");
                    *seen.entry(route.operation).or_default() += 1;
                    (schema("200", &media_type), reply.json())
                }
                status if status >= 400 => {
                    let named = operation["responses"].get(status.to_string()).is_some();
                    let status = if named { status.to_string() } else { "default".to_owned() };
                    (schema(&status, &media_type), reply.json())
                }
                _ => continue,
            };
            check(&document, &schema, &value, &path).unwrap();
        }
    }
    let described = ROUTES.iter().filter(|route| route.schema.is_some());
    for route in described {
        assert!(seen.contains_key(route.operation), "no answer of {} was seen", route.operation);
    }
}

#[test]
fn every_schema_is_used_and_required_parameters_say_so() {
    let document = openapi_document("http://localhost", ROUTES);
    let text = document.to_string();
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(text.contains(&format!("\"#/components/schemas/{name}\"")), "{name} is named nowhere");
    }
    for route in ROUTES {
        let parameters = document["paths"][route.path]["get"]["parameters"].as_array().unwrap();
        for parameter in parameters.iter().filter(|parameter| parameter["in"] == "query") {
            let name = parameter["name"].as_str().unwrap();
            let required = route.required.iter().any(|param| param.name() == name);
            assert_eq!(parameter["required"], required, "{name} of {}", route.path);
        }
    }
    let q = &document["paths"]["/api/search"]["get"]["parameters"][0];
    assert_eq!((&q["name"], &q["required"]), (&json!("q"), &json!(true)));
}
