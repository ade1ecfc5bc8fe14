//! A conversation, as it stands in `chats.db`.

use holdline::journal::snapshot;

pub(crate) fn run(bytes: &[u8]) {
    // Nearly all bytes that do not begin with the version are refused at once.
    let versioned = [&[snapshot::VERSION], bytes].concat();
    for bytes in [bytes, &versioned] {
        let Ok(conversation) = snapshot::decode(bytes) else { continue };
        let written = snapshot::encode(&conversation);
        assert_eq!(snapshot::decode(&written).as_ref(), Ok(&conversation), "it comes back");
        let _due = conversation.wake_at();
    }
}
