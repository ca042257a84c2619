//! Maven coordinates (maven.apache.org, "POM reference"): from `pom.properties` and `pom.xml`. Properties in a pom are
//! resolved within it; what its parents would say is not known and never guessed.

use quick_xml::Reader;
use quick_xml::events::Event;

/// Who an artifact is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Coordinates {
    pub(super) group: String,
    pub(super) artifact: String,
    pub(super) version: String,
    pub(super) licenses: Vec<String>,
}

impl Coordinates {
    fn complete(self) -> Option<Self> {
        let is_known = |text: &str| !text.is_empty() && !text.contains("${");
        (is_known(&self.artifact) && is_known(&self.version) && !self.group.contains("${"))
            .then_some(self)
    }
}

/// `key=value` lines.
pub(super) fn from_properties(text: &str) -> Option<Coordinates> {
    let mut coordinates = Coordinates::default();
    for line in text.lines().filter(|line| !line.starts_with(['#', '!'])) {
        if let Some((key, value)) = line.split_once(['=', ':']) {
            let value = value.trim().to_owned();
            match key.trim() {
                "groupId" => coordinates.group = value,
                "artifactId" => coordinates.artifact = value,
                "version" => coordinates.version = value,
                _ => {}
            }
        }
    }
    coordinates.complete()
}

/// The project's own coordinates; group and version may come from the `parent` element.
pub(super) fn from_pom(text: &str) -> Option<Coordinates> {
    let elements = elements(text)?;
    let value = |path: &str| {
        let found = elements.iter().find(|(at, _)| at == path);
        found.map(|(_, text)| text.as_str())
    };
    let resolve = |text: &str| match text
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'))
    {
        None => text.to_owned(),
        Some(name) => {
            let name = name
                .trim_start_matches("project.")
                .trim_start_matches("pom.");
            let places = [
                format!("project/{}", name.replace('.', "/")),
                format!("project/properties/{name}"),
            ];
            let found = places.iter().find_map(|place| value(place));
            found.unwrap_or(text).to_owned()
        }
    };
    let own_or_parent = |name: &str| {
        let own = value(&format!("project/{name}"));
        own.or_else(|| value(&format!("project/parent/{name}")))
            .map(resolve)
            .unwrap_or_default()
    };
    Coordinates {
        group: own_or_parent("groupId"),
        artifact: value("project/artifactId").map(resolve).unwrap_or_default(),
        version: own_or_parent("version"),
        licenses: elements
            .iter()
            .filter(|(at, _)| at == "project/licenses/license/name")
            .map(|(_, text)| text.clone())
            .collect(),
    }
    .complete()
}

/// The dependencies that a pom declares with a version.
pub(super) fn dependencies(text: &str) -> Vec<Coordinates> {
    let mut dependencies = Vec::new();
    let mut current = Coordinates::default();
    let elements = elements(text).unwrap_or_default();
    let property = |text: &str| {
        let name = text
            .strip_prefix("${")
            .and_then(|rest| rest.strip_suffix('}'))?;
        let place = format!("project/properties/{name}");
        elements
            .iter()
            .find(|(at, _)| *at == place)
            .map(|(_, text)| text.clone())
    };
    for (at, text) in &elements {
        let text = property(text).unwrap_or_else(|| text.clone());
        match at.strip_prefix("project/dependencies/dependency/") {
            Some("groupId") => {
                dependencies.extend(std::mem::take(&mut current).complete());
                current.group = text;
            }
            Some("artifactId") => current.artifact = text,
            Some("version") => current.version = text,
            _ => {}
        }
    }
    dependencies.extend(current.complete());
    dependencies
}

/// Paths of elements with their texts, in document order. Depth and count are bounded.
fn elements(text: &str) -> Option<Vec<(String, String)>> {
    let mut reader = Reader::from_str(text);
    let mut path: Vec<String> = Vec::new();
    let mut elements = Vec::new();
    let mut value = String::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                if path.len() > 64 || elements.len() > 100_000 {
                    return None;
                }
                path.push(start.local_name().as_ref().to_owned());
                value.clear();
            }
            Event::Text(text) => value.push_str(text.trim()),
            Event::GeneralRef(name) => match &*name {
                "amp" => value.push('&'),
                "lt" => value.push('<'),
                "gt" => value.push('>'),
                _ => {}
            },
            Event::End(_) => {
                if !value.is_empty() {
                    elements.push((path.join("/"), std::mem::take(&mut value)));
                }
                path.pop();
            }
            Event::Eof => return Some(elements),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolves_properties_within_the_pom() {
        let pom = "<project><groupId>g</groupId><artifactId>a</artifactId><version>${revision}</version>\
<properties><revision>1.2</revision></properties><dependencies><dependency><groupId>x</groupId>\
<artifactId>y</artifactId><version>3</version></dependency><dependency><groupId>p</groupId>\
<artifactId>q</artifactId></dependency></dependencies><licenses><license><name>MIT</name></license></licenses></project>";
        let read = from_pom(pom).unwrap();
        assert_eq!((read.group.as_str(), read.version.as_str()), ("g", "1.2"));
        assert_eq!(read.licenses, ["MIT"]);
        let dependencies = dependencies(pom);
        assert_eq!(dependencies.len(), 1);
        assert_eq!(dependencies[0].artifact, "y");
        assert!(
            from_pom("<project><artifactId>a</artifactId><version>${x}</version></project>")
                .is_none()
        );
        assert!(from_pom(&"<a>".repeat(100_000)).is_none());
    }
}
