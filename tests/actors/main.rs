//! The actors under a paused clock. Hours pass in milliseconds, and every wait ends when there is
//! nothing left to do but to let time pass.

mod audit;
mod crowd;
mod customer;
mod deaths;
mod erasure;
mod faulty;
mod gate;
mod reading;
mod recovery;
mod settings;
mod signs;
mod time;
mod world;
