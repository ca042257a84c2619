//! A layer of any bytes: indexing it, and the file system that it makes on top of itself, come to an end.
#![no_main]

use barge_image::layer::{self, LayerIndex, Options, Source};
use barge_image::rootfs::RootFs;
use barge_sbom::{Catalogers, Finding};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let source = Source::Stream(Box::new(std::io::Cursor::new(data.to_vec())));
    let read = layer::read(source, &Catalogers::default(), Options::default());
    if let Ok(index) = read {
        let tree = RootFs::squash(&[&index, &index]);
        for node in tree.nodes() {
            let _real = tree.resolve(&tree.path(node));
        }
        let _again = LayerIndex::<Finding>::from_bytes(&index.to_bytes());
    }
    let _cached = LayerIndex::<Finding>::from_bytes(data);
});
