fn main() -> std::process::ExitCode {
    echoif::cli::run()
}
