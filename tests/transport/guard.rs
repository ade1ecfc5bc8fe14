//! The guard finds the same in the same bytes, however they are cut.

use holdline::socket::guard::{Breach, Guard, Incoming};
use proptest::prelude::*;

use crate::peer::frame;

/// Everything that a guard finds in these chunks.
fn read<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Incoming>, Option<Breach>) {
    let mut guard = Guard::default();
    let mut found = Vec::new();
    for mut chunk in chunks {
        loop {
            match guard.next(&mut chunk) {
                Ok(Some(incoming)) => found.push(incoming),
                Ok(None) => {
                    assert!(chunk.is_empty(), "all is taken when nothing is whole");
                    break;
                }
                Err(breach) => return (found, Some(breach)),
            }
        }
    }
    (found, None)
}

fn some_frame() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "\\PC{0,300}".prop_map(|text| frame(0x81, text.as_bytes())),
        ("\\PC{0,40}", "\\PC{0,40}", "[a-z]{0,9}").prop_map(|(head, tail, ping)| {
            let first = frame(0x01, head.as_bytes());
            [first, frame(0x89, ping.as_bytes()), frame(0x80, tail.as_bytes())].concat()
        }),
        prop::collection::vec(any::<u8>(), 0..125).prop_map(|payload| frame(0x8a, &payload)),
        (3000_u16..5000).prop_map(|code| frame(0x88, &code.to_be_bytes())),
        prop::collection::vec(any::<u8>(), 0..40),
    ]
}

proptest! {
    #[test]
    fn cutting_changes_nothing(
        frames in prop::collection::vec(some_frame(), 0..8),
        sizes in prop::collection::vec(1_usize..60, 1..8),
    ) {
        let bytes = frames.concat();
        let whole = read([&bytes[..]]);
        let mut chunks = Vec::new();
        let mut rest = &bytes[..];
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (chunk, further) = rest.split_at((*size).min(rest.len()));
            chunks.push(chunk);
            rest = further;
        }
        prop_assert_eq!(&read(chunks), &whole);
        prop_assert_eq!(&read(bytes.chunks(1)), &whole);
    }

    #[test]
    fn a_text_is_read_as_it_was_written(text in "\\PC{0,2000}") {
        let (found, breach) = read([&frame(0x81, text.as_bytes())[..]]);
        prop_assert_eq!(breach, None);
        prop_assert_eq!(found, vec![Incoming::Text(text.into())]);
    }
}

#[test]
fn the_largest_frame_passes_and_one_byte_more_does_not() {
    let most = holdline::limits::FRAME_BYTES_MAX;
    assert_eq!(read([&frame(0x81, &vec![b'x'; most])[..]]).1, None);
    assert_eq!(read([&frame(0x81, &vec![b'x'; most + 1])[..]]).1, Some(Breach::TooBig));
}
