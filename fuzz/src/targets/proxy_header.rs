//! The header of the PROXY protocol, which begins a connection. Nothing behind it is read.

use holdline::strangers::read_header;

pub(crate) fn run(bytes: &[u8]) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_time().build() else {
        panic!("a runtime is made of memory alone");
    };
    runtime.block_on(async {
        let mut rest = bytes;
        if read_header(&mut rest).await.is_err() {
            return;
        }
        let header = &bytes[..bytes.len() - rest.len()];
        let is_line = header.starts_with(b"PROXY ") && header.ends_with(b"\r\n");
        let is_binary = header.starts_with(b"\r\n\r\n\0\r\nQUIT\n");
        assert!(is_line || is_binary, "something else was taken for a header");
        if is_line {
            let ends = header.windows(2).filter(|two| two == b"\r\n").count();
            assert_eq!(ends, 1, "it was read beyond its end");
        }
    });
}
