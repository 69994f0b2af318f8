//! The program on a real terminal, and the harness that drives it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

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
    let screen = script("trap 'echo told; exit 3' TERM; echo ready; while :; do read -r x; done");
    screen.wait_for("ready");
    screen.signal(Signal::TERM);
    assert_eq!(screen.wait_exit().exit_code(), 3);
    assert!(screen.contents().contains("told"));

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
