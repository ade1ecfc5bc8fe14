//! A row of the journal: the stream, the kind and the body, each on a line of its own. Whatever can
//! be read is written in such a way that it is read as the same again.

use holdline::journal::record::{Entry, Record, Stream, read_append, read_shared_row};

pub(crate) fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut lines = text.splitn(3, '\n');
    let (Some(stream), Some(kind), Some(body)) = (lines.next(), lines.next(), lines.next()) else {
        return;
    };
    if let Ok(read) = Stream::read(stream) {
        assert_eq!(Stream::read(&read.name()).ok(), Some(read), "a stream keeps its name");
    }
    if let Ok(read) = Entry::read(kind, body) {
        let Record { kind, body } = Record::of(&read);
        assert_eq!(Entry::read(kind, &body).as_ref(), Ok(&read), "{kind} {body}");
    }
    if let Some(Ok(pieces)) = read_append(kind, body) {
        for piece in pieces {
            let _judged = Entry::read_event(piece.kind, piece.body());
        }
    }
    if let Some(Ok(shares)) = read_shared_row(kind, body) {
        for share in shares.shares {
            assert!(share.offset < shares.positions, "a share stands within its record");
            let _judged = Stream::read(share.stream);
            let _judged = Entry::read(share.kind, share.body);
        }
    }
}
