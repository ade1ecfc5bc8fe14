//! A seeded simulation: the real machines in a world that is hard on them, and the proof that its
//! checks can fail.

mod node;
mod random;
mod server;
mod wrong;

#[test]
fn t() {
    let _ = node::Node::new(1, wrong::Rules::default());
}
