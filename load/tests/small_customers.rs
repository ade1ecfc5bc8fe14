//! A customer costs the driver at most 400 bytes, everything included.

mod site;

use holdline_load::floor::Tampering;
use site::{count, floor, put};

#[test]
fn five_thousand_customers_cost_at_most_400_bytes_each() {
    let run = |sessions: u64| {
        let workload = format!(
            r#"
            name = "small"
            sessions = {sessions}
            threads = 1
            duration_s = 1
            settle_s = 0.5
            window_s = 60
            patience_s = 1
            lateness_p99_ms = 60000
            ramp = {{ per_s = 2500, patience_s = 60 }}
            heartbeat = {{ every_s = 5 }}
            "#
        );
        let run = put(&floor(0, 1_000, Tampering::None), &workload);
        assert_eq!(count(&run, "customers who came in"), sessions);
        count(&run, "bytes resident in the drivers")
    };
    // Both figures include what a driver takes by itself.
    let (few, many) = (run(500), run(5_500));
    let each = many.saturating_sub(few) / 5_000;
    assert!(each <= 400, "a customer takes {each} bytes");
}
