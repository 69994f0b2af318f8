//! The program on a real terminal, and the harness that drives it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "common/pg.rs"]
#[allow(dead_code)]
mod pg;
#[path = "common/pty.rs"]
mod pty;

use pty::{Screen, Signal};

/// A shell script on a terminal of 10 by 40.
fn script(text: &str) -> Screen {
    Screen::start_program("/bin/sh", &["-c", text], &[("GREETING", "good day")], 10, 40)
}

#[test]
fn harness_types_waits_resizes_and_sees_the_end() {
    let mut screen = script(
        r#"trap 'echo size $(stty size)' WINCH
        echo "$GREETING $TERM"; stty size
        read -r a; echo "got [$a]"
        while :; do read -r b && break; done; echo "then [$b]"; exit 7"#,
    );
    screen.wait_for("good day xterm-256color");
    screen.wait_for("10 40");
    screen.keys("a<lt>b<Space>c<BS>d<Enter>");
    screen.wait_for("got [a<b d]");
    screen.resize(20, 60);
    // Some shells run the trap at once, others after the line that is being read.
    screen.keys("end<Enter>");
    screen.wait_for("size 20 60");
    screen.wait_for("then [end]");
    let status = screen.wait_exit();
    assert_eq!((status.exit_code(), status.signal()), (7, None));
    assert!(screen.contents().contains("got [a<b d]"));
    assert!(String::from_utf8_lossy(&screen.raw_bytes()).contains("good day"));
    screen.assert_restored();
}

#[test]
fn harness_delivers_signals() {
    let screen = script("trap 'echo ended; exit 3' TERM; echo ready; while :; do read -r x; done");
    screen.wait_for("ready");
    screen.signal(Signal::TERM);
    assert_eq!(screen.wait_exit().exit_code(), 3);
    assert!(screen.contents().contains("ended"));

    let screen = script("echo ready; read -r x");
    screen.wait_for("ready");
    screen.signal(Signal::KILL);
    assert!(screen.wait_exit().signal().is_some());
}

#[test]
fn harness_tells_what_a_program_left_behind() {
    let screen =
        script(r"printf '\033[?1049h\033[?25l\033[?1000h\033[?2004h\033[?1004h\033[>1u\033[31m'; stty -echo raw");
    screen.wait_exit();
    let wrong = screen.unrestored().join("\n");
    for what in ["alternate", "cursor", "mouse", "pasted", "focus", "keyboard", "colour", "line settings"] {
        assert!(wrong.contains(what), "{what} in {wrong}");
    }
    assert!(!screen.restored() && screen.is_raw_mode());

    let tidy = script(
        r"s=$(stty -g); stty -echo raw
        printf '\033[?1049h\033[?25l\033[?1000h\033[?2004h\033[?1004h\033[>1u\033[31m'
        printf '\033[m\033[<u\033[?1004l\033[?2004l\033[?1000l\033[?25h\033[?1049l'; stty $s",
    );
    tidy.wait_exit();
    tidy.assert_restored();
}

#[test]
#[should_panic(expected = "waited for 'never' on the screen; the program ended")]
fn harness_fails_with_the_screen_when_it_waits_in_vain() {
    script("echo only this").wait_for("never");
}

#[test]
fn harness_knows_its_keys() {
    let mut screen = script("stty -echo raw; echo ready; dd bs=1 count=12 2>/dev/null | od -An -c | tr -d ' '");
    screen.wait_for("ready");
    screen.keys("<C-c><A-b><Up><Esc>");
    screen.paste("");
    screen.wait_for(r"003033b033[A033033[20");
    screen.wait_exit();
}

/// The program on a file with these events, 24 by 80.
struct Fleet {
    dir: tempfile::TempDir,
}

impl Fleet {
    fn of(lines: &str) -> Self {
        let fleet = Self { dir: tempfile::TempDir::new().unwrap() };
        for (args, input) in [(&["db", "init"][..], ""), (&["ingest"], lines)] {
            let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_renewscope"))
                .args(args)
                .env("RENEWSCOPE_DB", fleet.url())
                .stdin(std::process::Stdio::piped())
                .stderr(std::process::Stdio::null())
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap();
            std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
            assert!(child.wait().unwrap().success());
        }
        fleet
    }
    fn small() -> Self {
        let line = |n: usize| {
            format!(
                "{{\"device\":\"edge-{n:04}\",\"org\":\"acme\",\"event_type\":\"renewal_failed\",\
                 \"old_cert_expiration\":\"2026-11-23T18:10:00Z\",\"error_message\":\"CSR {n} denied\",\
                 \"created_at\":\"2026-11-20T10:{:02}:{:02}Z\"}}\n",
                n / 60,
                n % 60
            )
        };
        Self::of(&(0..300).map(line).collect::<String>())
    }
    fn url(&self) -> String {
        format!("sqlite:{}", self.dir.path().join("fleet.db").display())
    }
    fn open(&self) -> Screen {
        let screen = self.start();
        screen.wait_for("edge-0299");
        screen
    }
    /// With nothing of the user's own: configuration and memory are in the test's directory.
    fn start(&self) -> Screen {
        self.start_with(&[])
    }
    fn start_with(&self, env: &[(&str, &str)]) -> Screen {
        let home = self.dir.path().to_str().unwrap();
        let env = [&[("HOME", home), ("XDG_STATE_HOME", home), ("XDG_CONFIG_HOME", home)], env].concat();
        Screen::start(&["--db", &self.url()], &env, 24, 80)
    }
}

#[test]
fn the_console_opens_filters_and_gives_the_terminal_back() {
    let fleet = Fleet::small();
    let mut screen = fleet.open();
    screen.wait_for("300 events");
    screen.keys("/device:edge-000*<Enter>");
    screen.wait_for("10 events");
    screen.wait_gone("edge-0299");
    screen.keys("<Enter>");
    screen.wait_for("2026-11-23 18:10:00 UTC");
    screen.wait_for("CSR 9 denied");
    screen.keys("qG");
    screen.wait_for("edge-0000");
    screen.keys("q");
    assert!(screen.wait_exit().success());
    screen.assert_restored();
}

#[test]
fn what_others_write_shows_by_itself() {
    let fleet = Fleet::small();
    let screen = fleet.open();
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_renewscope"))
        .args(["record", "--device", "edge-9999", "--type", "recovery_failed", "--error", "seen live"])
        .env("RENEWSCOPE_DB", fleet.url())
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    screen.wait_for("edge-9999");
    screen.wait_for("301 events");
}

#[test]
fn signals_end_it_with_the_terminal_given_back() {
    let fleet = Fleet::small();
    for (signal, code) in [
        (Signal::TERM, 143),
        (Signal::HUP, 129),
        (Signal::INT, 130),
        (Signal::QUIT, 131),
        (Signal::USR1, 138),
        (Signal::USR2, 140),
        (Signal::ALARM, 142),
    ] {
        let screen = fleet.open();
        screen.signal(signal);
        assert_eq!(screen.wait_exit().exit_code(), code, "{signal:?}");
        screen.assert_restored();
    }
}

/// A terminal that nobody reads, with the program on it.
struct Unread {
    master: Box<dyn portable_pty::MasterPty + Send>,
    child: Box<dyn portable_pty::Child + Send + Sync>,
}

impl Unread {
    fn open(fleet: &Fleet) -> Self {
        let pair = portable_pty::native_pty_system().openpty(portable_pty::PtySize::default()).unwrap();
        let mut command = portable_pty::CommandBuilder::new(env!("CARGO_BIN_EXE_renewscope"));
        command.args(["--db", &fleet.url()]);
        command.env("HOME", fleet.dir.path());
        command.env("TERM", "xterm-256color");
        let unread = Self { child: pair.slave.spawn_command(command).unwrap(), master: pair.master };
        // Once it is in raw mode it has its signals; from then on frames fill the terminal until no more go in.
        while std::process::Command::new("stty")
            .args(["-F", &unread.master.tty_name().unwrap().display().to_string(), "-a"])
            .output()
            .is_ok_and(|stty| !String::from_utf8_lossy(&stty.stdout).contains("-icanon"))
        {
            std::thread::yield_now();
        }
        for n in 0..400 {
            let size = portable_pty::PtySize { rows: 40 + n % 2, cols: 150, ..Default::default() };
            unread.master.resize(size).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        unread
    }
}

#[test]
fn a_terminal_that_stops_reading_does_not_keep_it_from_ending() {
    let fleet = Fleet::small();
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129)] {
        let mut unread = Unread::open(&fleet);
        let pid = rustix::process::Pid::from_raw(unread.child.process_id().unwrap().cast_signed()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
        assert_eq!(unread.child.wait().unwrap().exit_code(), code);
    }
}

#[test]
fn a_terminal_of_impossible_size_is_drawn_in_part() {
    let fleet = Fleet::small();
    let mut screen = fleet.open();
    // Past the harness, whose own screen would have that size too.
    let tty = std::fs::read_link(format!("/proc/{}/fd/0", screen.pid())).unwrap();
    let set = std::process::Command::new("stty").arg("-F").arg(tty).args(["rows", "65535", "cols", "65535"]).status();
    assert!(set.unwrap().success());
    screen.wait_for_raw(b"\x1b[500;");
    screen.keys("j");
    screen.resize(24, 80);
    screen.wait_for("2 of 300");
    screen.keys("q");
    assert!(screen.wait_exit().success());
    screen.assert_restored();
}

#[test]
fn suspended_and_continued_it_draws_again() {
    let fleet = Fleet::small();
    let mut screen = fleet.open();
    screen.keys("<C-z>");
    screen.wait_stopped();
    screen.wait_until("the terminal given back", |s| !s.alternate_screen());
    screen.signal(Signal::CONT);
    screen.wait_for("edge-0299");
    assert!(screen.is_raw_mode());
    screen.keys("j");
    screen.wait_for("2 of 300");
    screen.keys("q");
    assert!(screen.wait_exit().success());
    screen.assert_restored();
}

#[test]
fn it_follows_the_size_of_its_terminal() {
    let fleet = Fleet::small();
    let screen = fleet.open();
    screen.resize(8, 40);
    screen.wait_for("terminal too small");
    screen.resize(40, 120);
    screen.wait_for("REASON");
    screen.wait_for("edge-0299");
}

#[test]
fn pasted_text_is_text_and_never_keys() {
    let fleet = Fleet::small();
    let mut screen = fleet.open();
    screen.keys("/");
    screen.wait_for("Tab  type:");
    screen.paste("device:edge-0001\nq\x1b[31m");
    screen.wait_for("device:edge-0001 q");
    screen.keys("<Esc>");
    screen.wait_for("300 events");
}

#[test]
fn keys_that_come_together_share_a_frame() {
    let fleet = Fleet::small();
    let mut screen = fleet.open();
    screen.wait_for("300 events");
    let before = screen.raw_bytes().len();
    screen.send(&b"j".repeat(150));
    screen.wait_for("151 of 300");
    // A separate frame for each of them would write ten times as much.
    let written = screen.raw_bytes().len() - before;
    assert!(written < 150 * 100, "{written} bytes");
    screen.keys("q");
    assert!(screen.wait_exit().success());
}

#[test]
fn a_paste_without_its_end_swallows_no_key() {
    let fleet = Fleet::small();
    // The hints of the list, which the editor replaces.
    let list = |s: &vt100::Screen| s.contents().contains("Tab panes");
    for end in ["", "\x03"] {
        let mut screen = fleet.open();
        screen.keys("/");
        screen.wait_until("the editor", |s| s.contents().contains("Tab  type:") && !list(s));
        screen.send(b"\x1b[200~device:edge-0001");
        screen.send(end.as_bytes());
        // If the program reads Ctrl-C alone, it is the key and closes the editor; read with the paste, it is pasted.
        screen.wait_until("the paste or its end", |s| s.contents().contains("/ device:edge-0001") || list(s));
        if !screen.contents().contains("Tab panes") {
            screen.keys("<Esc>");
        }
        // Only then: a q that follows Esc at once is Alt+q.
        screen.wait_until("the end of the edit", |s| s.contents().contains("/ all events") && list(s));
        screen.keys("q");
        assert!(screen.wait_exit().success());
    }
}

#[test]
fn a_terminal_that_is_closed_with_stderr_on_it_is_no_panic() {
    let fleet = Fleet::small();
    let unread = Unread::open(&fleet);
    let Unread { master, mut child } = unread;
    drop(master);
    let code = child.wait().unwrap().exit_code();
    assert!(matches!(code, 1 | 129), "{code}");
}

#[test]
fn a_panic_in_a_task_gives_the_terminal_back_and_ends_the_program() {
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_renewscope")).with_file_name("examples").join("faulty");
    assert!(program.exists(), "'cargo test' builds it; so does 'cargo build --examples'");
    let screen = Screen::start_program(program.to_str().unwrap(), &[], &[("RUST_BACKTRACE", "0")], 24, 80);
    let status = screen.wait_exit();
    assert_eq!(status.exit_code(), 1);
    screen.assert_restored();
    assert!(screen.contents().contains("the source broke"), "{}", screen.contents());
}

#[test]
fn hostile_text_sends_nothing_to_the_terminal() {
    let fleet = Fleet::of(
        "{\"device\":\"evil\\u001b]0;owned\\u0007\",\"event_type\":\"renewal_failed\",\"error_message\":\
         \"\\u001b[2J\\u001b]52;c;b3duZWQ=\\u0007 \\u202egnp \\u009b31m end\",\"created_at\":\"2026-11-20T10:00:00Z\"}\n",
    );
    let mut screen = fleet.start();
    screen.wait_for("evil");
    screen.keys("<Enter>");
    screen.wait_for("end");
    let raw = String::from_utf8_lossy(&screen.raw_bytes()).into_owned();
    for bad in ["\x1b]0;", "\x1b]52;", "\x1b[2Jx", "\u{202e}", "\u{9b}"] {
        assert!(!raw.contains(bad), "{bad:?}");
    }
    screen.keys("qq");
    screen.wait_exit();
    screen.assert_restored();
}

#[test]
fn the_console_makes_the_default_file_that_commands_only_read() {
    let home = tempfile::TempDir::new().unwrap();
    let path = home.path().to_str().unwrap();
    let mut screen = Screen::start(&[], &[("HOME", path), ("XDG_DATA_HOME", ""), ("XDG_STATE_HOME", "")], 24, 80);
    screen.wait_for("No events");
    screen.keys("q");
    assert!(screen.wait_exit().success());
    use std::os::unix::fs::PermissionsExt;
    let file = home.path().join(".local/share/renewscope/events.db");
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn without_a_terminal_it_says_what_to_use() {
    let ran = std::process::Command::new(env!("CARGO_BIN_EXE_renewscope")).arg("demo").output().unwrap();
    assert_eq!(ran.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&ran.stderr).contains("needs a terminal"));
}

#[test]
fn on_a_terminal_that_moves_no_cursor_it_says_what_to_use() {
    let screen = Screen::start(&["demo"], &[("TERM", "dumb")], 24, 100);
    screen.wait_for("TERM is 'dumb'; use 'renewscope list'");
    assert_eq!(screen.wait_exit().exit_code(), 2);
    screen.assert_restored();
}

#[test]
fn a_copy_within_tmux_says_what_it_needs_to_arrive() {
    let fleet = Fleet::small();
    for (env, notice) in [
        (&[][..], " Copied event"),
        (&[("TMUX", "/tmp/tmux-0/default,1,0")], "tmux needs 'set -s set-clipboard on': Copied"),
    ] {
        let mut screen = fleet.start_with(env);
        screen.wait_for("edge-0299");
        screen.keys("c");
        screen.wait_for(notice);
        screen.wait_for_raw(b"\x1b]52;c;");
        screen.keys("q");
        assert!(screen.wait_exit().success());
    }
}

#[test]
fn a_locale_without_utf_8_draws_with_ascii() {
    let fleet = Fleet::small();
    let mut screen = fleet.start_with(&[("LC_ALL", "C")]);
    screen.wait_for("edge-0299");
    let odd: String = screen.contents().chars().filter(|c| !c.is_ascii()).collect();
    assert_eq!(odd, "");
    screen.keys("q");
    assert!(screen.wait_exit().success());
}

#[test]
fn filters_columns_and_configuration_outlive_a_run() {
    let fleet = Fleet::small();
    let folder = fleet.dir.path().join("renewscope");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.toml"), "[keys]\nnext-failure = ['F3']\n[views]\nnine = 'device:edge-0009'\n")
        .unwrap();
    let mut first = fleet.open();
    first.keys("/device:edge-0042<Enter>");
    first.wait_for("1 event");
    first.keys("Cjjjjjjj<Enter><Esc>");
    first.wait_gone("ERROR");
    first.keys("q");
    first.wait_exit();
    let mut second = fleet.open();
    second.wait_gone("ERROR");
    second.keys("/<Up>");
    second.wait_for("/ device:edge-0042");
    second.keys("<Esc>");
    second.wait_for("/ all events");
    second.keys(":nine<Enter>");
    second.wait_for("/ device:edge-0009");
    second.keys("q");
    assert!(second.wait_exit().success());

    std::fs::write(folder.join("config.toml"), "[defaults]\nthem = 'dark'\n").unwrap();
    let third = fleet.start();
    third.wait_for("line 2: unknown field");
    assert_eq!(third.wait_exit().exit_code(), 2);
}

/// Statements of the console that the server runs now.
async fn running(server: &mut sqlx::PgConnection) -> i64 {
    let count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' \
                 AND application_name = 'renewscope'";
    sqlx::query_scalar(count).fetch_one(server).await.unwrap()
}

#[test]
fn on_a_database_that_hangs_every_key_echoes_and_nothing_is_left_running() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let url = pg::migrated().await;
        let mut server = pg::connect(&url).await;
        // Not the one that holds the locks: within a transaction the server tells the same of others all the time.
        let mut watch = pg::connect(&url).await;
        let mut screen = Screen::start(&["--db", &url], &[("HOME", "/nonexistent")], 24, 80);
        screen.wait_for("No events yet");
        // The queries that follow the first list have been answered when none of it runs for a while.
        let mut quiet = 0;
        while quiet < 20 {
            quiet = if running(&mut watch).await == 0 { quiet + 1 } else { 0 };
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        // From here on every query on events hangs.
        sqlx::query("BEGIN").execute(&mut server).await.unwrap();
        sqlx::query("LOCK TABLE certificate_renewal_events, devices IN ACCESS EXCLUSIVE MODE")
            .execute(&mut server)
            .await
            .unwrap();
        screen.keys("/");
        screen.wait_for("Tab  type:");
        let mut typed = String::new();
        for c in "device:edge-00042*,x".chars() {
            screen.keys(&c.to_string());
            typed.push(c);
            screen.wait_for(&format!("/ {typed}"));
        }
        // The look-up of names, and the tail's reading: nothing else, once the queries of the start have met their limit.
        let mut most = i64::MAX;
        for _ in 0..50 {
            most = 0;
            for _ in 0..20 {
                most = most.max(running(&mut watch).await);
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
            if most <= 2 {
                break;
            }
        }
        assert!(most <= 2, "{most} statements run");
        screen.keys("<Esc>");
        screen.wait_for("/ all events");
        screen.keys("q");
        assert!(screen.wait_exit().success());
        let mut left = running(&mut watch).await;
        for _ in 0..500 {
            if left == 0 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            left = running(&mut watch).await;
        }
        assert_eq!(left, 0, "statements are left running");
    });
}
