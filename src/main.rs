use std::process::ExitCode;

fn main() -> ExitCode {
    renewscope::headless::main(std::env::args_os())
}
