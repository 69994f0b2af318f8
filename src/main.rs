//! The program: hands the arguments to [`renewscope::headless::main`] and returns its exit code. Nothing else belongs here.

use std::process::ExitCode;

fn main() -> ExitCode {
    renewscope::headless::main(std::env::args_os())
}
