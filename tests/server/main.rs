//! The server from outside: real sockets and HTTP against a server that is started as the program
//! starts it, with nothing of its inside in reach.

mod console;
mod feed;
mod shop;
mod widget;

mod chat;
mod misuse;
mod once;
mod problems;
mod silence;
mod tabs;
mod windows;
