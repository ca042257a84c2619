//! Bytes into Azure Blob Storage through a signed address: blocks, in any order and several at once, then the list that
//! makes them one blob (Azure, "Put Block", "Put Block List").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use ureq::http::Method;

use super::error::Error;
use super::options::Upload;
use super::pack::Pack;
use crate::http::{Exchange, Pace, Payload, Question, Url};
use crate::parallel::for_each_on;

/// Puts a pack where a signed address says. Memory: one block for each that is on its way.
///
/// `sent` is told the place and length of each block that arrived, from several threads.
pub(super) fn put(
    exchange: &Exchange,
    url: &Url,
    pack: &Pack,
    upload: Upload,
    sent: &(dyn Fn(u64, u64) + Sync),
) -> Result<(), Error> {
    let size = upload.block.max(1);
    let offsets: Vec<u64> = (0..pack.len().div_ceil(size))
        .map(|index| index * size)
        .collect();
    for_each_on(upload.concurrency.max(1), &offsets, |offset, _| {
        let bytes = read(pack, *offset, size)?;
        let address = url
            .with_query("comp", "block")
            .with_query("blockid", &block_id(*offset));
        send(
            exchange,
            &address,
            "a block of the artifact",
            &bytes,
            Vec::new(),
        )?;
        sent(*offset, bytes.len() as u64);
        Ok::<_, Error>(())
    })?;
    let list = block_list(&offsets);
    let address = url.with_query("comp", "blocklist");
    let kind = (
        "x-ms-blob-content-type",
        "application/octet-stream".to_owned(),
    );
    send(
        exchange,
        &address,
        "the list of blocks",
        list.as_bytes(),
        vec![kind],
    )
}

fn read(pack: &Pack, offset: u64, size: u64) -> Result<Vec<u8>, Error> {
    let length = size.min(pack.len() - offset);
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
    let read = pack.read_at(offset, &mut bytes);
    read.map_err(|source| Error::Read {
        what: "what is to be stored".into(),
        source,
    })?;
    Ok(bytes)
}

fn send(
    exchange: &Exchange,
    url: &Url,
    what: &str,
    bytes: &[u8],
    mut headers: Vec<(&'static str, String)>,
) -> Result<(), Error> {
    // Storage compares this itself: a byte that flips on the way is sent again.
    headers.push(("content-md5", STANDARD.encode(Md5::digest(bytes))));
    let question = Question {
        method: Method::PUT,
        headers,
        payload: Payload::Bytes(bytes),
        pace: Pace::Digest,
        accept: &[201],
        ..Question::get(url, what)
    };
    exchange.run(&question, |_| Ok(()))?;
    Ok(())
}

/// All ids of a blob have the same length.
fn block_id(offset: u64) -> String {
    STANDARD.encode(format!("{offset:020}"))
}

fn block_list(offsets: &[u64]) -> String {
    let blocks = offsets.iter().map(|offset| {
        let id = block_id(*offset);
        format!("<Latest>{id}</Latest>")
    });
    let blocks: String = blocks.collect();
    format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>{blocks}</BlockList>")
}
