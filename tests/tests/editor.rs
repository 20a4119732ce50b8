//! The built app on a virtual screen: its window shows itself and obeys the mouse. Screenshots stay in
//! `target/test-artefacts/`.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Middle of the dry/wet knob and of the bypass switch, in a window of the design's size.
const MIX: (i32, i32) = (58, 382);
const BYPASS: (i32, i32) = (742, 419);

/// A virtual screen with the app on it; both end with it.
struct Screen {
    processes: Vec<Child>,
    display: String,
    window: String,
    artefacts: PathBuf,
}

impl Drop for Screen {
    fn drop(&mut self) {
        for process in self.processes.iter_mut().rev() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

impl Screen {
    fn open() -> Self {
        let app = embouchure_tests::bundled_clap().with_file_name("Embouchure");
        let artefacts = app.parent().and_then(|p| p.parent()).expect("target folder").join("test-artefacts");
        std::fs::create_dir_all(&artefacts).unwrap();
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1024x768x24", "+extension", "GLX", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb is installed by `cargo xtask test`");
        // The server writes its number once it is ready.
        let mut number = String::new();
        BufReader::new(server.stdout.take().expect("piped")).read_line(&mut number).unwrap();
        let display = format!(":{}", number.trim());
        let mut screen = Self { processes: vec![server], display, window: String::new(), artefacts };
        let app = screen.command(app.to_str().expect("path")).args(["-b", "dummy", "-r", "48000", "-p", "256"]).spawn();
        screen.processes.push(app.expect("the app starts"));
        screen.window = screen.wait_for_window();
        screen
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("DISPLAY", &self.display).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn wait_for_window(&self) -> String {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(60) {
            let found =
                self.command("xdotool").args(["search", "--name", "^Embouchure$"]).stdout(Stdio::piped()).output();
            let found = String::from_utf8(found.expect("xdotool is installed").stdout).unwrap();
            if let Some(window) = found.lines().next() {
                return window.to_owned();
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        panic!("no window within a minute");
    }

    fn mouse(&self, arguments: &[&str]) {
        assert!(self.command("xdotool").args(arguments).status().unwrap().success());
        std::thread::sleep(Duration::from_millis(300));
    }

    fn point_at(&self, (x, y): (i32, i32)) {
        self.mouse(&["mousemove", "--window", &self.window, &x.to_string(), &y.to_string()]);
    }

    /// 64 x 84 pixels around `at`, grey, and the whole window as a file called `name`.
    fn look(&self, at: (i32, i32), name: &str) -> Vec<u8> {
        let file = self.artefacts.join(format!("{name}.png"));
        let file = file.to_str().expect("path");
        assert!(self.command("import").args(["-window", &self.window, file]).status().unwrap().success());
        // Inside the ring that shows the focus.
        let crop = format!("64x84+{}+{}", at.0 - 32, at.1 - 38);
        let grey = ["-window", &self.window, "-crop", &crop, "-depth", "8", "gray:-"];
        let grey = self.command("import").args(grey).stdout(Stdio::piped()).output();
        grey.expect("imagemagick is installed").stdout
    }

    /// Looks until two looks agree: the picture has settled.
    fn settled(&self, at: (i32, i32), name: &str) -> Vec<u8> {
        let mut last = self.look(at, name);
        for _ in 0..40 {
            std::thread::sleep(Duration::from_millis(250));
            let now = self.look(at, name);
            if now == last && now.iter().any(|p| *p != now[0]) {
                return now;
            }
            last = now;
        }
        panic!("{name} never stood still, or is empty");
    }
}

fn share_changed(a: &[u8], b: &[u8]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).filter(|(a, b)| a.abs_diff(**b) > 16).count() as f32 / a.len() as f32
}

#[test]
fn knobs_and_buttons_obey_the_mouse() {
    let screen = Screen::open();
    // Somewhere else, so that no tooltip or highlight is in the picture.
    screen.point_at((623, 440));
    let before = screen.settled(MIX, "editor");
    let bypass_before = screen.settled(BYPASS, "editor");

    screen.point_at(MIX);
    screen.mouse(&["mousedown", "1"]);
    screen.mouse(&["mousemove_relative", "--", "0", "20"]);
    screen.mouse(&["mousemove_relative", "--", "0", "60"]);
    screen.mouse(&["mouseup", "1"]);
    screen.point_at((623, 440));
    let dragged = screen.settled(MIX, "editor-dry-wet-dragged");
    assert!(share_changed(&before, &dragged) > 0.01, "the knob did not move");
    assert_eq!(share_changed(&bypass_before, &screen.settled(BYPASS, "editor-dry-wet-dragged")), 0.0);

    screen.point_at(MIX);
    screen.mouse(&["click", "--repeat", "2", "--delay", "60", "1"]);
    screen.point_at((623, 440));
    let reset = screen.settled(MIX, "editor-dry-wet-reset");
    assert!(share_changed(&before, &reset) < 0.005, "a double click brings the default back");

    screen.point_at(BYPASS);
    screen.mouse(&["click", "1"]);
    screen.point_at((623, 440));
    let bypassed = screen.settled(BYPASS, "editor-bypassed");
    assert!(share_changed(&bypass_before, &bypassed) > 0.01, "the button did not move");
}
