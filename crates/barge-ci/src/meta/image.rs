//! The input `images`.

use super::csv::{Dialect, parse};
use super::ecmascript::trim;
use super::error::MetaError;

/// An image to be named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Image {
    pub(crate) name: String,
    pub(crate) enable: bool,
}

/// The fields of the first record of an entry; what follows a line end inside an entry is lost.
pub(super) fn fields(entry: &str) -> Result<Vec<String>, MetaError> {
    let first = parse(entry, Dialect::Entry)?.into_iter().next();
    first.ok_or_else(|| MetaError::Runtime("fields is not iterable".into()))
}

/// A field split at every `=`: key and second part, or the whole field.
pub(super) fn split(field: &str) -> (&str, Option<&str>) {
    let mut parts = field.split('=');
    (
        trim(parts.next().unwrap_or_default()),
        parts.next().map(trim),
    )
}

pub(super) fn images(entries: &[String]) -> Result<Vec<Image>, MetaError> {
    if let [entry] = entries {
        let fields = fields(entry)?;
        // The old form: one line of names.
        if fields.iter().all(|field| !field.contains('=')) {
            let plain = |field: &String| Image {
                name: trim(field).to_owned(),
                enable: true,
            };
            return Ok(fields.iter().map(plain).collect());
        }
    }
    entries.iter().map(|entry| image(entry)).collect()
}

fn image(entry: &str) -> Result<Image, MetaError> {
    let mut image = Image {
        name: String::new(),
        enable: true,
    };
    for field in fields(entry)? {
        match split(&field) {
            (name, None) => name.clone_into(&mut image.name),
            (key, Some(value)) => match key.to_lowercase().as_str() {
                "name" => value.clone_into(&mut image.name),
                "enable" => {
                    image.enable = value
                        .parse()
                        .map_err(|_| MetaError::ImageEnable(entry.to_owned()))?;
                }
                _ => return Err(MetaError::ImageAttribute(entry.to_owned())),
            },
        }
    }
    if image.name.is_empty() {
        return Err(MetaError::ImageName(entry.to_owned()));
    }
    Ok(image)
}

/// The names of the enabled images as tags are made with them.
pub(super) fn names(images: &[Image]) -> Vec<String> {
    images
        .iter()
        .filter(|image| image.enable)
        .map(|image| image.name.to_lowercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(entries: &[&str]) -> Result<Vec<String>, String> {
        let entries: Vec<String> = entries.iter().map(|entry| (*entry).to_owned()).collect();
        images(&entries)
            .map(|images| names(&images))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn one_line_of_names_is_the_old_form() {
        assert_eq!(read(&["a, B ,c"]).unwrap(), ["a", "b", "c"]);
        assert_eq!(read(&["a,"]).unwrap(), ["a", ""]);
        assert_eq!(read(&["a,b", "c"]).unwrap(), ["b", "c"]);
    }

    #[test]
    fn attributes_are_checked() {
        assert_eq!(read(&["NAME = A=b, enable=true"]).unwrap(), ["a"]);
        assert_eq!(read(&["name=a", "name=b,enable=false"]).unwrap(), ["a"]);
        for (entry, message) in [
            (
                "name=a,enable=yes",
                "Invalid enable attribute value: name=a,enable=yes",
            ),
            ("name=a,x=y", "Unknown image attribute: name=a,x=y"),
            ("enable=true", "Image name attribute empty: enable=true"),
        ] {
            assert_eq!(read(&[entry]).unwrap_err(), message);
        }
        assert!(read(&[""]).is_err());
    }
}
