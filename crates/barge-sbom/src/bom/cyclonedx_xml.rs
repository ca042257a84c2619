//! CycloneDX XML, turned into the JSON form of the same document, so that one reader knows the fields.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::{Map, Value, json};

const DEPTH_LIMIT: usize = 64;

/// An element on its way in.
#[derive(Default)]
struct Element {
    name: String,
    attributes: Map<String, Value>,
    children: Vec<(String, Value)>,
    text: String,
}

/// The document as JSON; `None` when it is no CycloneDX.
pub(super) fn to_json(bytes: &[u8]) -> Option<Value> {
    let mut reader = Reader::from_reader(bytes);
    let mut buffer = Vec::new();
    let mut stack: Vec<Element> = Vec::new();
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer).ok()? {
            Event::Start(start) if stack.len() < DEPTH_LIMIT => stack.push(open(&start)?),
            Event::Start(_) => return None,
            Event::Empty(start) => {
                let element = open(&start)?;
                let value = close(&element);
                stack.last_mut()?.children.push((element.name, value));
            }
            Event::Text(text) => {
                if let Some(element) = stack.last_mut() {
                    element.text.push_str(&text);
                }
            }
            Event::CData(text) => {
                if let Some(element) = stack.last_mut() {
                    element.text.push_str(&text);
                }
            }
            Event::GeneralRef(reference) => {
                let character = match &*reference {
                    "amp" => Some('&'),
                    "lt" => Some('<'),
                    "gt" => Some('>'),
                    "quot" => Some('"'),
                    "apos" => Some('\''),
                    _ => reference.resolve_char_ref().ok()?,
                };
                stack.last_mut()?.text.extend(character);
            }
            Event::End(_) => {
                let element = stack.pop()?;
                let value = close(&element);
                match stack.last_mut() {
                    Some(parent) => parent.children.push((element.name, value)),
                    None => return (element.name == "bom").then_some(value),
                }
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

fn open(start: &BytesStart<'_>) -> Option<Element> {
    let mut attributes = Map::new();
    for attribute in start.attributes() {
        let attribute = attribute.ok()?;
        let name = attribute.key.local_name().as_ref().to_owned();
        let value = quick_xml::escape::unescape(&attribute.value)
            .ok()?
            .into_owned();
        attributes.insert(name, Value::String(value));
    }
    Some(Element {
        name: start.local_name().as_ref().to_owned(),
        attributes,
        ..Element::default()
    })
}

/// Lists become arrays, elements with one text become strings, and what JSON names otherwise is renamed.
fn close(element: &Element) -> Value {
    let text = element.text.trim();
    let values = || {
        element
            .children
            .iter()
            .map(|(_, value)| value.clone())
            .collect::<Vec<_>>()
    };
    match element.name.as_str() {
        "components" | "dependencies" | "properties" | "hashes" | "occurrences" => {
            Value::Array(values())
        }
        "licenses" => {
            let entry = |(name, value): &(String, Value)| json!({ name.as_str(): value });
            Value::Array(element.children.iter().map(entry).collect())
        }
        "property" => {
            let mut property = element.attributes.clone();
            property.insert("value".into(), json!(text));
            Value::Object(property)
        }
        "hash" => {
            let mut hash = element.attributes.clone();
            hash.insert("content".into(), json!(text));
            Value::Object(hash)
        }
        "dependency" => {
            let on: Vec<_> = values()
                .iter()
                .filter_map(|value| value.get("ref").cloned())
                .collect();
            let mut dependency = element.attributes.clone();
            dependency.insert("dependsOn".into(), Value::Array(on));
            Value::Object(dependency)
        }
        _ if element.children.is_empty() && element.attributes.is_empty() => json!(text),
        _ => {
            let mut object = element.attributes.clone();
            object.extend(element.children.iter().cloned());
            Value::Object(object)
        }
    }
}
