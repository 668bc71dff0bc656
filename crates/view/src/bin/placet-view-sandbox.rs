//! `placet sandbox-exec` as a program of its own, for the tests of this crate.

use std::process::ExitCode;

fn main() -> ExitCode {
    placet_sys::sandbox::main(std::env::args_os().skip(2))
}
